import { expect, test } from 'vitest';
import { joinParts, partsOf } from '../../../../server/engine/batch-parts.ts';

const SIZES = [1, 2, 4, 8];

test.each([
  [1, [{ from: 0, rows: 1, padded: 1 }]],
  [3, [{ from: 0, rows: 3, padded: 4 }]],
  [8, [{ from: 0, rows: 8, padded: 8 }]],
  [
    21,
    [
      { from: 0, rows: 8, padded: 8 },
      { from: 8, rows: 8, padded: 8 },
      { from: 16, rows: 5, padded: 8 },
    ],
  ],
])('%i rows run in sizes that sessions are made for', (rows, parts) => {
  expect(partsOf(rows, SIZES)).toEqual(parts);
});

test('answers of rows come without those of the padding', () => {
  const parts = partsOf(11, SIZES);
  const found = parts.map(({ from, padded }) =>
    Float32Array.from({ length: 2 * padded }, (_, i) => 2 * from + i),
  );
  expect([...joinParts(parts, found)]).toEqual(Array.from({ length: 22 }, (_, i) => i));
});
