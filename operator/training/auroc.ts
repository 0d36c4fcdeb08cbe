/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the array itself */

/**
 * Probability that a positive row scores above a negative one, ties counted half (Mann and Whitney 1947). O(n log n).
 * NaN scores rank lowest. 0.5 when one of the classes is empty: no ranking was shown.
 */
export function auroc(scores: ArrayLike<number>, positives: ArrayLike<number>): number {
  const value = (i: number): number => (Number.isNaN(scores[i]!) ? -Infinity : scores[i]!);
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  // Not a difference: equal infinities must compare as equal.
  order.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0));
  let positiveCount = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    let positivesHere = 0;
    while (end < order.length && value(order[end]!) === value(order[start]!)) {
      if (positives[order[end]!]!) positivesHere++;
      end++;
    }
    // Mean 1-based rank of the tied rows.
    rankSum += (positivesHere * (start + 1 + end)) / 2;
    positiveCount += positivesHere;
    start = end;
  }
  const negativeCount = order.length - positiveCount;
  if (positiveCount === 0 || negativeCount === 0) return 0.5;
  return (rankSum - (positiveCount * (positiveCount + 1)) / 2) / (positiveCount * negativeCount);
}
