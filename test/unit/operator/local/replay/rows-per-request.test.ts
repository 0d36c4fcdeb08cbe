import { expect, test } from 'vitest';
import { rowsPerRequest } from '../../../../../operator/local/replay/rows-per-request.ts';

const MIB = 2 ** 20;
const LIMITS = { maxBatchSize: 64, maxRequestBytes: 16 * MIB };

test.each([
  ['small rows: 32', 4 * 784, LIMITS, 32],
  ['no more than a batch', 4 * 784, { ...LIMITS, maxBatchSize: 8 }, 8],
  // Of a detector: 32 of them were refused as too large a request, and nothing was compared with the backbone.
  ['large rows: what fits', 4 * 3 * 512 * 512, LIMITS, 5],
  ['what fits, with its header', 8 * MIB, LIMITS, 1],
  ['one that is too large by itself', 32 * MIB, LIMITS, 1],
])('%s', (_, rowBytes, limits, rows) => {
  expect(rowsPerRequest(rowBytes, limits)).toBe(rows);
});
