/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the array itself */

/** Row numbers by falling score, equal scores by row; NaN last. */
function byFallingScore(scores: ArrayLike<number>): Uint32Array {
  const value = (i: number): number => (Number.isNaN(scores[i]!) ? -Infinity : scores[i]!);
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  return order.sort((a, b) => (value(a) > value(b) ? -1 : value(a) < value(b) ? 1 : a - b));
}

/**
 * Mean over k = 1..K of the share of rows that rank above the k-th disagreement, K = 2 * budget * rows (at least 1).
 * This is what an exit lives on, the coverage at a small risk, without the luck of a single threshold. Missing
 * disagreements count as found after the last row; no rows give 1.
 * @param agrees 1 where the head names the backbone's class.
 */
export function lowRiskCoverage(
  scores: ArrayLike<number>,
  agrees: ArrayLike<number>,
  budget: number,
): number {
  const rows = scores.length;
  const wanted = Math.max(1, Math.round(2 * budget * rows));
  let found = 0;
  let above = 0;
  for (const [position, row] of byFallingScore(scores).entries()) {
    if (agrees[row]! > 0) continue;
    above += position / rows;
    found += 1;
    if (found === wanted) break;
  }
  return (above + (wanted - found)) / wanted;
}
