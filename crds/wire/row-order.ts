/** Row numbers since boot: whole, from 1 on, each above the one before. */
export function isAscending(sequence: Float64Array): boolean {
  return sequence.every(
    (seq, i) => Number.isSafeInteger(seq) && seq > (i === 0 ? 0 : Number(sequence[i - 1])),
  );
}
