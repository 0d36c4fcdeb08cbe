import { expect, test } from 'vitest';
import { blockRows } from '../../../../operator/local/block-rows.ts';

test('twenty blocks of a long stream reach the second look', () => {
  expect(20 * blockRows(1_000, 5_000)).toBe(3_000);
  expect(20 * blockRows(2_000, Infinity)).toBe(6_000);
});

test('a stream that the second look would use up gets the smallest blocks', () => {
  expect(blockRows(1_000, 4_499)).toBe(50);
  expect(blockRows(1_000, 4_500)).toBe(150);
});

test('a block never has fewer than 50 rows', () => {
  expect(blockRows(300, 100_000)).toBe(50);
});
