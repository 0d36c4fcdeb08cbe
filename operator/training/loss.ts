/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices stay inside [rows, classCount] */
import type { DenseBatch, DenseSettings } from './dense-trainer.ts';

/** Distributions the loss aims at, per row of teacher logits (log-probabilities do as well: a shift changes nothing). */
export interface Targets {
  readonly soft: Float32Array;
  readonly hard: Float32Array;
}

/** softmax(z / temperature) of one row into `out`, both at `offset`. */
export function softmaxInto(
  z: Float32Array,
  out: Float32Array | Float64Array,
  row: { readonly offset: number; readonly classCount: number; readonly temperature: number },
): void {
  const { offset, classCount, temperature } = row;
  let largest = -Infinity;
  for (let c = 0; c < classCount; c++) largest = Math.max(largest, z[offset + c]!);
  let sum = 0;
  for (let c = 0; c < classCount; c++) {
    const weight = Math.exp((z[offset + c]! - largest) / temperature);
    out[offset + c] = weight;
    sum += weight;
  }
  for (let c = 0; c < classCount; c++) out[offset + c]! /= sum;
}

/** Targets of whole rows. @param teacher [rows, classCount]; classes outside 0..classCount-1 give a row of zeros. */
export function toTargets(
  teacher: Float32Array,
  teacherClass: Uint32Array,
  shape: { readonly classCount: number; readonly temperature: number },
): Targets {
  const { classCount, temperature } = shape;
  const soft = new Float32Array(teacher.length);
  const hard = new Float32Array(teacher.length);
  for (let row = 0; row < teacherClass.length; row++) {
    const offset = row * classCount;
    softmaxInto(teacher, soft, { offset, classCount, temperature });
    if (teacherClass[row]! < classCount) hard[offset + teacherClass[row]!] = 1;
  }
  return { soft, hard };
}

/**
 * Mean over rows of w * [alpha T^2 KL(soft || softmax(z/T)) + (1 - alpha) CE(z, hard)] and its gradient in z, before the
 * division by rows: w * [alpha T (softmax(z/T) - soft) + (1 - alpha) (softmax(z) - hard)] (exits.md 4.2; Hinton,
 * Vinyals and Dean 2015). Zero targets add nothing (0 ln 0 = 0). No rows: loss NaN.
 */
export function distillationLoss(
  z: Float32Array,
  batch: Omit<DenseBatch, 'x'>,
  settings: Omit<DenseSettings, 'weightDecay'>,
): { readonly loss: number; readonly gradient: Float32Array } {
  const { alpha, temperature } = settings;
  const classCount = z.length / batch.rows;
  const gradient = new Float32Array(z.length);
  const warm = new Float64Array(z.length);
  const plain = new Float64Array(z.length);
  let total = 0;
  for (let row = 0; row < batch.rows; row++) {
    const offset = row * classCount;
    softmaxInto(z, warm, { offset, classCount, temperature });
    softmaxInto(z, plain, { offset, classCount, temperature: 1 });
    const weight = batch.weight[row]!;
    for (let i = offset; i < offset + classCount; i++) {
      const soft = batch.soft[i]!;
      const hard = batch.hard[i]!;
      const divergence = soft > 0 ? soft * Math.log(soft / warm[i]!) : 0;
      const entropy = hard > 0 ? -hard * Math.log(plain[i]!) : 0;
      total += weight * (alpha * temperature ** 2 * divergence + (1 - alpha) * entropy);
      gradient[i] =
        weight * (alpha * temperature * (warm[i]! - soft) + (1 - alpha) * (plain[i]! - hard));
    }
  }
  return { loss: total / batch.rows, gradient };
}
