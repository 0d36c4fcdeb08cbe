import { expect, test } from 'vitest';
import { shouldCompact } from '../../../../server/core/compaction.ts';

const perRow = (rows: number): number => rows;

test.each([
  ['a tenth saved for nothing is worth it', 10, 9, 0, true],
  ['exactly five percent is not', 20, 19, 0, false],
  ['compaction that eats the gain is not', 10, 5, 4.5, false],
  ['compaction that leaves more than five percent is', 10, 5, 4.4, true],
  ['a batch that nobody left is not compacted', 10, 10, 0, false],
  ['more rows than there were are not', 10, 11, 0, false],
  ['an unknown compaction time forbids it', 10, 1, NaN, false],
])('%s', (_, ...[rows, keptRows, compactMs, expected]) => {
  expect(shouldCompact({ rows, keptRows, restMs: perRow, compactMs })).toBe(expected);
});

test('a batch that nobody left asks for no times', () => {
  const restMs = (): number => expect.fail('asked');
  expect(shouldCompact({ rows: 8, keptRows: 8, restMs, compactMs: 0 })).toBe(false);
});

test('an unknown time of the rest forbids it', () => {
  expect(shouldCompact({ rows: 8, keptRows: 1, restMs: () => NaN, compactMs: 0 })).toBe(false);
});

test('a padded engine gains only when the rows fit a smaller size', () => {
  const padded = (rows: number): number => (rows <= 8 ? 8 : 16);
  expect(shouldCompact({ rows: 16, keptRows: 9, restMs: padded, compactMs: 0 })).toBe(false);
  expect(shouldCompact({ rows: 16, keptRows: 8, restMs: padded, compactMs: 0 })).toBe(true);
});

test('a device whose time does not fall with the rows is never compacted', () => {
  const fixed = (rows: number): number => 0.98 + (0.02 * rows) / 8;
  for (let kept = 1; kept < 8; kept++)
    expect(shouldCompact({ rows: 8, keptRows: kept, restMs: fixed, compactMs: 0 })).toBe(false);
});
