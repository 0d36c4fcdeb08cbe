/** What a batch costs from a boundary on, in milliseconds. */
export interface CompactionChoice {
  /** Rows in the batch before the boundary. */
  readonly rows: number;
  /** Rows that still need the rest of the backbone. */
  readonly keptRows: number;
  /** Time of all that follows for a batch of that many rows; padded engines round up to their sizes inside. */
  readonly restMs: (rows: number) => number;
  /** Time of compacting to `keptRows` rows. */
  readonly compactMs: number;
}

/** Compaction must gain at least this share, so that noise in the table does not make batches flip. */
const WORTHWHILE = 0.95;

/**
 * Whether to drop the rows that left: iff rest(kept) + compaction < 0.95 rest(rows) (exits.md 10). Never changes an answer.
 * Unknown times (NaN) and a batch from which nothing left give false.
 */
export function shouldCompact({ rows, keptRows, restMs, compactMs }: CompactionChoice): boolean {
  if (keptRows >= rows) return false;
  return restMs(keptRows) + compactMs < WORTHWHILE * restMs(rows);
}
