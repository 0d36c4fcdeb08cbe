import { describe, expect, test } from 'vitest';
import { boundedLossTail, boundedLossUpper } from '../../../../server/core/bounded-loss.ts';
import { lookLevel } from '../../../../server/core/certificate.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { expectClose } from '../../../support/expect-close.ts';

describe('the tail of a bounded loss', () => {
  // exits.md 6.7.
  test('is the reference', () => {
    expectClose(boundedLossTail(1_000, 2.5, 0.01), 0.0172042_0035, { rel: 1e-9 });
  });

  // Computed in decimals of 60 places, from the formula of exits.md 6.6.
  test.each([
    [1_000, 2.5, 0.01, 0.0172042003514827],
    [3_000, 17, 0.01, 0.0191664266371965],
    [10_000, 74.2, 0.01, 0.0143710263693011],
    [5_000, 62.7, 0.02, 1.14576855063372e-4],
    [500, 0.3, 0.02, 1.59508157096874e-4],
    [200, 9.9, 0.1, 0.0219399320859065],
    [1_000_000, 9_781.4, 0.01, 0.0385496043303845],
    [40, 3.1, 0.5, 4.95114521741108e-8],
  ])('of %i rows, a loss of %d and a budget of %d is the exact value', (rows, loss, budget, p) => {
    expectClose(boundedLossTail(rows, loss, budget), p, { rel: 1e-12 });
  });

  // exits.md 6.6, at the levels of the first attempt.
  test.each([
    [1, 1_000, 2.2],
    [2, 3_000, 17],
    [3, 10_000, 74],
  ])('passes look %i of %i rows up to a loss of %d', (look, rows, largest) => {
    const level = lookLevel(0.95, 1, look);
    expect(boundedLossTail(rows, largest, 0.01)).toBeLessThanOrEqual(level);
    expect(boundedLossTail(rows, largest + 0.1, 0.01)).toBeGreaterThan(level);
  });

  test('is 1 without rows and at a loss of all', () => {
    expect(boundedLossTail(0, 0, 0.01)).toBe(1);
    expect(boundedLossTail(10, 10, 0.01)).toBe(1);
  });

  test('without any loss is that of independent rows', () => {
    expectClose(boundedLossTail(1_000, 0, 0.01), 0.99 ** 1_000, { rel: 1e-9 });
  });

  test('rises with the loss and falls with the rows', () => {
    const losses = [0, 0.1, 1, 2.5, 5, 9.9, 10, 20].map((loss) =>
      boundedLossTail(1_000, loss, 0.01),
    );
    expect([...losses].sort((a, b) => a - b)).toEqual(losses);
    const rows = [200, 500, 1_000, 5_000].map((n) => boundedLossTail(n, 1, 0.01));
    expect([...rows].sort((a, b) => b - a)).toEqual(rows);
  });

  test.each([
    [10, 11, 0.01, 'loss 11 of 10 rows'],
    [10, -1, 0.01, 'loss -1 of 10 rows'],
    // No rows, and less than nothing of them.
    [0, -1, 0.01, 'loss -1 of 0 rows'],
    [10, Number.NaN, 0.01, 'loss NaN of 10 rows'],
    [10, 1, 0, 'budget 0'],
    [10, 1, 1, 'budget 1'],
  ])('of %d rows with a loss of %d at a budget of %d is refused', (rows, loss, budget, why) => {
    expect(() => boundedLossTail(rows, loss, budget)).toThrow(why);
  });
});

describe('the upper limit of a mean loss', () => {
  test.each([
    [1_000, 2.5, 0.05],
    [3_000, 17, 0.0225],
    [10_000, 74.2, 0.015],
    [40, 0, 0.05],
    [10, 5, 0.05],
  ])('of %i rows and a loss of %d at %d is where the test begins to pass', (rows, loss, delta) => {
    const upper = boundedLossUpper(rows, loss, delta);
    expect(upper).toBeGreaterThan(loss / rows);
    expect(boundedLossTail(rows, loss, upper * (1 + 1e-9))).toBeLessThanOrEqual(delta);
    expect(boundedLossTail(rows, loss, upper * (1 - 1e-9))).toBeGreaterThan(delta);
  });

  test('without rows, and of rows that lost all, is 1', () => {
    expect(boundedLossUpper(0, 0, 0.05)).toBe(1);
    expect(boundedLossUpper(10, 10, 0.05)).toBe(1);
  });

  test.each([0, 1, NaN])('a level of %d is a broken assumption', (delta) => {
    expect(() => boundedLossUpper(10, 1, delta)).toThrow(InvariantError);
  });
});
