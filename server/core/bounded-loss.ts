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

/** Halvings of the interval: below the last place of a number in 0..1. */
const HALVINGS = 54;

/**
 * One-sided upper limit of the mean loss: the budgets above it are those that `boundedLossTail` proves at that level.
 * Domain as there, 0 < delta < 1. No rows, or rows that lost everything, give 1.
 */
export function boundedLossUpper(rows: number, lossSum: number, delta: number): number {
  invariant(delta > 0 && delta < 1, `level ${delta}`);
  if (lossSum >= rows) return 1;
  let [below, above] = [lossSum / rows, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (below + above) / 2;
    if (boundedLossTail(rows, lossSum, middle) > delta) below = middle;
    else above = middle;
  }
  return above;
}

/** h(a, b) = a ln(a/b) + (1-a) ln((1-a)/(1-b)) for 0 <= a <= b < 1. */
function relativeEntropy(a: number, b: number): number {
  const head = a === 0 ? 0 : a * Math.log(a / b);
  return head + (1 - a) * Math.log((1 - a) / (1 - b));
}
