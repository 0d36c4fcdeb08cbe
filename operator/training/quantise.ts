/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices are bounded by rows and columns */
import { encodeHalf } from '../../crds/wire/half-float.ts';
import { dequantize, type BundleMatrix } from '../../crds/wire/head-bundle.ts';
import type { DenseWeights } from './dense-trainer.ts';

export interface QuantisedWeights {
  readonly w1: BundleMatrix;
  readonly b1: Float32Array;
  readonly w2: BundleMatrix | null;
  readonly b2: Float32Array | null;
}

const LARGEST_INT8 = 127;

/** Rounds [rows, columns] to int8 with one fp32 scale per column: |error| <= scale / 2. A column of zeros gets scale 1. */
export function toInt8(values: Float32Array, columns: number): BundleMatrix {
  const largest = new Float32Array(columns);
  for (let i = 0; i < values.length; i++) {
    largest[i % columns] = Math.max(largest[i % columns]!, Math.abs(values[i]!));
  }
  const scales = largest.map((value) => (value > 0 ? value / LARGEST_INT8 : 1));
  // The scale was rounded to fp32, so the largest value may come out at 127.0000001: the array would wrap.
  const rounded = Int8Array.from(values, (value, i) =>
    Math.max(-LARGEST_INT8, Math.min(LARGEST_INT8, Math.round(value / scales[i % columns]!))),
  );
  return { type: 'int8', rows: values.length / columns, columns, values: rounded, scales };
}

/** Rounds [rows, columns] to fp16: relative error <= 2^-11 for normal halves. */
export function toFloat16(values: Float32Array, columns: number): BundleMatrix {
  return { type: 'float16', rows: values.length / columns, columns, values: encodeHalf(values) };
}

/** Rounds all weights of a head; biases stay fp32. */
export function quantise(weights: DenseWeights, type: BundleMatrix['type']): QuantisedWeights {
  const round = type === 'int8' ? toInt8 : toFloat16;
  const { w1, b1, w2, b2 } = weights;
  return { w1: round(w1, b1.length), b1, w2: w2 && round(w2, w2.length / b1.length), b2 };
}

/** What a server computes with. */
export function toDense({ w1, b1, w2, b2 }: QuantisedWeights): DenseWeights {
  return { w1: dequantize(w1), b1, w2: w2 && dequantize(w2), b2 };
}
