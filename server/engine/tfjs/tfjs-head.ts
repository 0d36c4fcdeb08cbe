// A head on the backend: features are standardised on the host, exactly as the definition does, and multiplied there.
import {
  fused,
  tensor1d,
  tensor2d,
  tidy,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { standardiseRow, type HeadWeights } from '../../core/head.ts';
import { headWeights } from '../backbone/head-weights.ts';
import type { RuntimeHead } from '../backbone/runtime.ts';

interface Layer {
  readonly weights: Tensor2D;
  readonly bias: Tensor1D;
}

export class TfjsHead implements RuntimeHead {
  private readonly head: HeadWeights;
  private readonly layers: readonly Layer[];

  constructor(bundled: BundleHead, classCount: number) {
    this.head = headWeights(bundled, classCount);
    const { featureCount, hidden, w1, b1, w2, b2 } = this.head;
    const first = layerOf(w1, b1, [featureCount, hidden === 0 ? classCount : hidden]);
    this.layers =
      w2 === null || b2 === null ? [first] : [first, layerOf(w2, b2, [hidden, classCount])];
  }

  run(features: Float32Array, rows: number): Float32Array {
    const { featureCount, classCount } = this.head;
    const inputs = new Float32Array(features.length);
    const spoilt: number[] = [];
    for (let row = 0; row < rows; row += 1) {
      const own = inputs.subarray(row * featureCount, (row + 1) * featureCount);
      if (!standardiseRow(this.head, features, row * featureCount, own)) {
        own.fill(0);
        spoilt.push(row);
      }
    }
    const logits = tidy(() =>
      this.multiply(tensor2d(inputs, [rows, featureCount])).dataSync<'float32'>(),
    );
    for (const row of spoilt) logits.fill(NaN, row * classCount, (row + 1) * classCount);
    return logits;
  }

  release(): void {
    for (const { weights, bias } of this.layers) {
      weights.dispose();
      bias.dispose();
    }
  }

  private multiply(inputs: Tensor2D): Tensor2D {
    let values = inputs;
    for (const [index, { weights, bias }] of this.layers.entries()) {
      const activation = index + 1 < this.layers.length ? 'relu' : 'linear';
      values = fused.matMul({ a: values, b: weights, bias, activation }) as Tensor2D;
    }
    return values;
  }
}

function layerOf(weights: Float32Array, bias: Float32Array, shape: [number, number]): Layer {
  return { weights: tensor2d(weights, shape), bias: tensor1d(bias) };
}
