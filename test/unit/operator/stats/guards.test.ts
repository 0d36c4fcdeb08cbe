import { describe, expect, test } from 'vitest';
import {
  assessWealth,
  isBeyond,
  logFactors,
  MEDIAN_SHARE,
  TAIL_SHARE,
  tailShare,
  wealthOf,
} from '../../../../operator/stats/guards.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const wealth = (above: number, requests: number): number =>
  wealthOf(logFactors(above, requests, TAIL_SHARE));

describe('wealth', () => {
  // exits.md 9.2.
  test.each([
    [20, 1_000, 11.4524],
    [30, 1_000, 116_158],
  ])('of %i above in %i is the reference', (above, requests, expected) => {
    expectClose(wealth(above, requests), expected, { rel: 1e-5 });
  });

  test.each([
    [100, 8],
    [1_000, 26],
    [5_000, 85],
  ])('in %i requests fails from %i above on', (requests, above) => {
    expect(wealth(above, requests)).toBeGreaterThanOrEqual(1_000);
    expect(wealth(above - 1, requests)).toBeLessThan(1_000);
  });

  test('of ticks multiplies, whatever their sizes', () => {
    const parts = [logFactors(3, 400, TAIL_SHARE), logFactors(17, 600, TAIL_SHARE)];
    const sums = parts[0]!.map((log, i) => log + parts[1]![i]!);
    expectClose(wealthOf(sums), wealth(20, 1_000), { rel: 1e-9 });
  });

  test('is 1 before the first request, and finite when everything is above', () => {
    expect(wealthOf([])).toBe(1);
    expect(wealth(0, 0)).toBe(1);
    expect(Number.isFinite(wealth(100_000, 100_000))).toBe(true);
  });

  test('of one tick speaks against the limit from 20 to 1 on', () => {
    expect(isBeyond(20, 1_000, TAIL_SHARE)).toBe(false);
    expect(isBeyond(30, 1_000, TAIL_SHARE)).toBe(true);
    expect(isBeyond(500, 1_000, MEDIAN_SHARE)).toBe(false);
    expect(isBeyond(700, 1_000, MEDIAN_SHARE)).toBe(true);
  });

  test('of more requests above than there are is refused', () => {
    expect(() => logFactors(2, 1, TAIL_SHARE)).toThrow('above the limit');
    expect(() => logFactors(-1, 1, TAIL_SHARE)).toThrow('above the limit');
    expect(() => logFactors(Number.NaN, 1, TAIL_SHARE)).toThrow('above the limit');
  });

  test('never fails a step at the limit itself in 2,000 steps of 1,000 requests more often than 1 in 1,000', () => {
    const random = seededRandom(4_020);
    for (const guard of [TAIL_SHARE, MEDIAN_SHARE]) {
      let failed = 0;
      for (let step = 0; step < 2_000; step++) {
        const above = random.binomial(1_000, guard.allowed);
        if (wealthOf(logFactors(above, 1_000, guard)) >= 1_000) failed++;
      }
      expect(failed).toBeLessThanOrEqual(2 + 3 * Math.sqrt(2));
    }
  });
});

describe('an allowed share', () => {
  test('is bet against at 2, 3, 5, 10 and 20 times, at most 0.9', () => {
    expectClose(tailShare(0.05).alternatives, [0.1, 0.15, 0.25, 0.5, 0.9], { rel: 1e-12 });
  });

  test.each([0, -0.1, 0.9, 1, Number.NaN])('of %d is refused', (allowed) => {
    expect(() => tailShare(allowed)).toThrow('allowed share');
  });
});

describe('a check', () => {
  test.each([
    ['fails at wealth 1,000', 1_000, 5_000, 'Fail'],
    ['fails however few the requests', 2_000, 8, 'Fail'],
    ['passes with enough requests and wealth below 20', 19.9, 100, 'Pass'],
    ['is inconclusive with too few requests', 1, 99, 'Inconclusive'],
    ['is inconclusive at wealth 20', 20, 5_000, 'Inconclusive'],
    ['is inconclusive when the wealth is no number', Number.NaN, 5_000, 'Inconclusive'],
  ])('%s', (_rule, value, requests, verdict) => {
    expect(assessWealth(value, requests, 100)).toBe(verdict);
  });
});
