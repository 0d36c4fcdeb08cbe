/** A certificate wants this many blocks of evidence (exits.md 6.2), and a block at least this many rows (5.4). */
const BLOCKS = 20;
const LEAST_ROWS = 50;
/** Looks are taken at 1, 3 and 10 times the rows of the first. */
const SECOND_LOOK = 3;
/** The second look may take this share of a stream: the rest is for the ramp and for serving. */
const LOOK_SHARE = 2 / 3;

/**
 * Rows of evidence that one tick of a shadow collects. Blocks so large that the first 20 reach the second look certify a clearly
 * larger lambda (saving .31-.44 against .06-.39 of plain, simulated); a stream too short for that gets the smallest blocks.
 */
export function blockRows(minAudits: number, streamRows: number): number {
  const secondLookRows = SECOND_LOOK * minAudits;
  if (secondLookRows > LOOK_SHARE * streamRows) return LEAST_ROWS;
  return Math.max(LEAST_ROWS, Math.ceil(secondLookRows / BLOCKS));
}
