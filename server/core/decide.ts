/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
import { LAMBDA_COUNT, THRESHOLDS } from '../../crds/wire/lambda-grid.ts';

/**
 * Where a row leaves: the first of the first `activeExits` exits with score > 1 - lambda, strictly (exits.md 2).
 * @param scores q per exit in order, already computed up to the one that answers.
 * @param lambdaIndex index into the grid; null, or one outside it: nothing leaves.
 * @returns the exit's index, or -1 = backbone. A non-finite or missing score ends the search: later heads are not asked.
 */
export function decideRow(
  scores: ArrayLike<number>,
  lambdaIndex: number | null,
  activeExits: number,
): number {
  if (lambdaIndex === null) return -1;
  const threshold = THRESHOLDS[lambdaIndex] ?? Infinity;
  for (let exit = 0; exit < activeExits; exit++) {
    const score = scores[exit] ?? NaN;
    if (!Number.isFinite(score)) return -1;
    if (score > threshold) return exit;
  }
  return -1;
}

/**
 * Smallest j < end with score > 1 - lambda_j in the table of decideRow, else `end`; NaN gives `end`. Binary search, after
 * one look at the last column: most heads behind the first leave nothing new.
 */
export function firstLeavingIndex(score: number, end = LAMBDA_COUNT): number {
  let low = 0;
  let high = end;
  if (!(score > THRESHOLDS[end - 1]!)) return end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (score > THRESHOLDS[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}
