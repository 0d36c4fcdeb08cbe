import type { PolicyLimits } from '../../../crds/wire/policy.ts';

/** More at once gain nothing. */
const MOST_ROWS = 32;
/** Names, shapes and parameters before the rows. */
const HEADER_BYTES = 4_096;

/** How many rows of so many bytes the server takes in one request: one at least, since then its answer says what is wrong. */
export function rowsPerRequest(
  rowBytes: number,
  { maxBatchSize, maxRequestBytes }: Pick<PolicyLimits, 'maxBatchSize' | 'maxRequestBytes'>,
): number {
  const fitting = Math.floor((maxRequestBytes - HEADER_BYTES) / rowBytes);
  return Math.max(1, Math.min(MOST_ROWS, maxBatchSize, fitting));
}
