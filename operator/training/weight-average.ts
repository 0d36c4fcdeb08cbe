/* eslint-disable @typescript-eslint/no-non-null-assertion -- averages have the lengths of the weights */
import type { DenseWeights } from './dense-trainer.ts';
import { copyWeights } from './mlp.ts';

/** A running average of a head's weights over epochs; it ranks better than any single epoch (Izmailov et al. 2018). */
export interface WeightAverage {
  /** Takes in an epoch and gives a copy of the average so far. */
  add(weights: DenseWeights): DenseWeights;
}

/** @param keep weight of the past: the average is the plain mean while that remembers less, then forgets exponentially. */
export function createWeightAverage(keep: number): WeightAverage {
  let average: DenseWeights | null = null;
  let count = 0;
  return {
    add: (weights) => {
      count += 1;
      average ??= copyWeights(weights);
      const past = Math.min(keep, 1 - 1 / count);
      for (const name of ['w1', 'b1', 'w2', 'b2'] as const) {
        const mean = average[name];
        const next = weights[name];
        if (mean === null || next === null) continue;
        for (let i = 0; i < mean.length; i++) mean[i] = past * mean[i]! + (1 - past) * next[i]!;
      }
      return copyWeights(average);
    },
  };
}
