/* eslint-disable @typescript-eslint/no-non-null-assertion -- all arrays have the length of the weights */

/** Constants of Kingma and Ba 2015, algorithm 1. */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** Running moments of one array of weights, and the number of steps done. */
export interface AdamState {
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** Zero moments for `length` weights. */
export function zeroMoments(length: number): AdamState {
  return { m: new Float32Array(length), v: new Float32Array(length) };
}

/**
 * Adam with decoupled decay (Loshchilov and Hutter 2019), in place: w -= rate * (mHat / (sqrt(vHat) + epsilon) + decay * w).
 * @param step 1-based number of this step.
 */
export function adamStep(
  weights: Float32Array,
  gradient: Float32Array,
  { m, v }: AdamState,
  options: { readonly step: number; readonly learningRate: number; readonly decay: number },
): void {
  const { beta1, beta2, epsilon } = ADAM;
  const { step, learningRate, decay } = options;
  const correct1 = 1 / (1 - beta1 ** step);
  const correct2 = 1 / (1 - beta2 ** step);
  for (let i = 0; i < weights.length; i++) {
    const g = gradient[i]!;
    m[i] = beta1 * m[i]! + (1 - beta1) * g;
    v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
    const direction = (m[i]! * correct1) / (Math.sqrt(v[i]! * correct2) + epsilon);
    weights[i] = weights[i]! - learningRate * (direction + decay * weights[i]!);
  }
}
