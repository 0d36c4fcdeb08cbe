import { createRandom, type Random } from '../../server/core/random.ts';

export interface SeededRandom extends Random {
  /** Exponential with the given mean. */
  exponential(mean: number): number;
  /** Poisson; the mean stays below 500, so that exp(-mean) is a normal number. */
  poisson(mean: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Binomial, trial by trial. */
  binomial(trials: number, probability: number): number;
}

/** The product's own generator with the distributions that tests draw from. */
export function seededRandom(seed: number | readonly number[]): SeededRandom {
  const random = createRandom(seed);
  return {
    ...random,
    exponential: (mean) => -mean * Math.log1p(-random.uniform()),
    poisson: (mean) => {
      const limit = Math.exp(-mean);
      let count = 0;
      for (let product = random.uniform(); product > limit; product *= random.uniform()) count++;
      return count;
    },
    chance: (probability) => random.uniform() < probability,
    binomial: (trials, probability) => {
      let count = 0;
      for (let i = 0; i < trials; i++) if (random.uniform() < probability) count++;
      return count;
    },
  };
}
