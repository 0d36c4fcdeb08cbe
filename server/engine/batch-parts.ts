/** Rows of the batches that costs are measured at; on a card sessions are made for these, and larger batches run in parts of the last. */
export const MEASURED_SIZES = [1, 2, 4, 8, 16, 32] as const;

/** Rows that run together, in a session made for `padded` rows. */
export interface BatchPart {
  readonly from: number;
  readonly rows: number;
  readonly padded: number;
}

/** A batch in parts of the largest size, the rest padded to the next size. @param sizes ascending */
export function partsOf(rows: number, sizes: readonly number[]): readonly BatchPart[] {
  const largest = sizes.at(-1) ?? rows;
  const parts: BatchPart[] = [];
  for (let from = 0; from < rows; from += largest) {
    const left = Math.min(largest, rows - from);
    parts.push({ from, rows: left, padded: sizes.find((size) => size >= left) ?? largest });
  }
  return parts;
}

/** Values of all rows, without those of the padding. @param found of each part [padded, ...] */
export function joinParts(
  parts: readonly BatchPart[],
  found: readonly Float32Array[],
): Float32Array {
  const kept = parts.map(({ rows, padded }, index) => {
    const values = found[index] ?? new Float32Array(0);
    return values.subarray(0, (values.length / padded) * rows);
  });
  const [only] = kept;
  if (only !== undefined && kept.length === 1) return only;
  const joined = new Float32Array(kept.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const values of kept) {
    joined.set(values, at);
    at += values.length;
  }
  return joined;
}
