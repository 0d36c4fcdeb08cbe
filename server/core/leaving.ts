import { LAMBDA_COUNT } from '../../crds/wire/lambda-grid.ts';
import { firstLeavingIndex } from './decide.ts';

/** Of a column of difference counts: one place more than the grid has, so that what ends with it has somewhere to end. */
export const STRIDE = LAMBDA_COUNT + 1;

/**
 * At which lambdas a row leaves at which exit (exits.md 5.1): hears of each exit, in order, that the row leaves at for some, and of
 * the indices [start, end). Scores are q per exit; at one that is not finite the row runs to the backbone. O(exits * log 120).
 */
export function forEachLeaving(
  scores: ArrayLike<number>,
  exitCount: number,
  visit: (exit: number, start: number, end: number) => void,
): void {
  let end = LAMBDA_COUNT;
  for (let exit = 0; exit < exitCount; exit++) {
    const score = scores[exit] ?? NaN;
    if (!Number.isFinite(score)) return;
    const start = firstLeavingIndex(score, end);
    if (start === end) continue;
    visit(exit, start, end);
    end = start;
  }
}

/** Counts from differences. @param column number of the column in an array of several */
export function runningSums(differences: Float64Array, column = 0): number[] {
  let sum = 0;
  const from = column * STRIDE;
  const part = differences.subarray(from, from + LAMBDA_COUNT);
  return Array.from(part, (difference) => (sum += difference));
}
