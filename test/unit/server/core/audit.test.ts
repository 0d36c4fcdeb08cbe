import { expect, test } from 'vitest';
import { isDrawn } from '../../../../server/core/audit.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

test.each([
  ['rate 1 draws every row', 4294967295, 1, true],
  ['rate 0 draws no row', 0, 0, false],
  ['a negative rate draws no row', 0, -0.1, false],
  ['a rate that is not a number draws no row', 0, NaN, false],
  ['the lowest draw falls under any rate above 0', 0, 1e-9, true],
  ['a draw at the border is not below it', 2147483648, 0.5, false],
  ['a draw below the border is', 2147483647, 0.5, true],
])('%s', (_, random32, rate, drawn) => {
  expect(isDrawn(random32, rate)).toBe(drawn);
});

test('the share of drawn rows is the rate', () => {
  const random = seededRandom(4);
  let drawn = 0;
  for (let i = 0; i < 100_000; i++) if (isDrawn(random.nextUint32(), 0.02)) drawn++;
  expectClose(drawn / 100_000, 0.02, { abs: 0.0015 });
});
