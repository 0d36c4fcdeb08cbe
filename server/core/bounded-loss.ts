// Losses in 0..1 instead of right or wrong (exits.md 6.6), for tasks where an answer can be partly right.
import { binomialTail } from './binomial.ts';
import { invariant } from './invariant.ts';

/**
 * p-value of "mean loss > budget" after Hoeffding and Bentkus (Bates et al. 2021, equation 12; Bentkus 2004).
 * @param lossSum sum of losses in 0..1, each rounded up to tenths: 0 <= lossSum <= rows, else InvariantError.
 * Domain 0 < budget < 1. No rows give 1: no evidence proves nothing.
 */
export function boundedLossTail(rows: number, lossSum: number, budget: number): number {
  invariant(budget > 0 && budget < 1, `budget ${budget}`);
  invariant(lossSum >= 0 && lossSum <= rows, `loss ${lossSum} of ${rows} rows`);
  if (rows === 0) return 1;
  const mean = Math.min(lossSum / rows, budget);
  const hoeffding = Math.exp(-rows * relativeEntropy(mean, budget));
  const bentkus = Math.E * binomialTail(Math.ceil(lossSum), rows, budget);
  return Math.min(hoeffding, bentkus, 1);
}

/** h(a, b) = a ln(a/b) + (1-a) ln((1-a)/(1-b)) for 0 <= a <= b < 1. */
function relativeEntropy(a: number, b: number): number {
  const head = a === 0 ? 0 : a * Math.log(a / b);
  return head + (1 - a) * Math.log((1 - a) / (1 - b));
}
