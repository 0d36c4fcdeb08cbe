import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binomialLower, binomialTail, binomialUpper } from '../../../../server/core/binomial.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { expectClose } from '../../../support/expect-close.ts';

const SEED = 20_260_106;

/** Lower tail by exact summation of C(n, i) p^i (1-p)^(n-i) in integers, for p = numerator / 1000. */
function exactTail(k: number, n: number, numerator: number): number {
  const [p, q] = [BigInt(numerator), BigInt(1000 - numerator)];
  let choose = 1n;
  let sum = 0n;
  for (let i = 0; i <= Math.min(k, n); i++) {
    sum += choose * p ** BigInt(i) * q ** BigInt(n - i);
    choose = (choose * BigInt(n - i)) / BigInt(i + 1);
  }
  const digits = 10n ** 25n;
  return Number((sum * digits) / 1000n ** BigInt(n)) / 1e25;
}

describe('lower tail', () => {
  // References of exits.md 6.7.
  test.each([
    [298, 0, 0.01, 0.05003662286632573],
    [299, 0, 0.01, 0.049536256637662465],
    [1000, 2, 0.01, 0.00267943199379153],
    [1000, 3, 0.01, 0.01007265477201438],
    [3000, 19, 0.01, 0.02138320879108647],
    [3000, 20, 0.01, 0.03461489740314883],
    [10_000, 78, 0.01, 0.01293344699277193],
    [10_000, 79, 0.01, 0.01701636097274155],
    [1_000_000, 9781, 0.01, 0.01382032051766611],
    [600, 20, 0.05, 0.03195448904308012],
  ])('P(Bin(%i, ratio) <= %i) is the reference value', (n, k, ratio, expected) => {
    expectClose(binomialTail(k, n, ratio), expected, { rel: 1e-12 });
  });

  test('no audits and nothing but disagreements give 1', () => {
    expect(binomialTail(10, 10, 0.01)).toBe(1);
    expect(binomialTail(0, 0, 0.01)).toBe(1);
    expect(binomialTail(11, 10, 0.01)).toBe(1);
  });

  test('it equals exact enumeration on both sides of the mean', () => {
    const counts = fc
      .integer({ min: 1, max: 60 })
      .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 0, max: n })));
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 999 }), ([n, k], numerator) => {
        expectClose(binomialTail(k, n, numerator / 1000), exactTail(k, n, numerator), {
          rel: 1e-12,
          abs: 1e-24,
        });
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('it grows with k and falls with n and with the ratio', () => {
    const cases = fc.record({
      n: fc.integer({ min: 1, max: 5000 }),
      k: fc.integer({ min: 0, max: 200 }),
      ratio: fc.double({ min: 1e-4, max: 0.5, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ n, k, ratio }) => {
        const tail = binomialTail(k, n, ratio);
        const slack = 1e-12;
        expect(tail).toBeGreaterThanOrEqual(0);
        expect(tail).toBeLessThanOrEqual(1 + slack);
        expect(binomialTail(k + 1, n, ratio)).toBeGreaterThanOrEqual(tail - slack);
        expect(binomialTail(k, n + 1, ratio)).toBeLessThanOrEqual(tail + slack);
        expect(binomialTail(k, n, ratio * 1.01)).toBeLessThanOrEqual(tail + slack);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('lower tail and complement meet: P(X <= k) + P(X >= k+1) = 1 by symmetry', () => {
    for (const k of [9000, 9999, 10_000, 10_001, 11_000]) {
      const upper = binomialTail(1_000_000 - k - 1, 1_000_000, 0.99);
      expectClose(binomialTail(k, 1_000_000, 0.01) + upper, 1, { abs: 1e-12 });
    }
  });

  test('where (1 - ratio)^n underflows it is 0, not NaN', () => {
    expect(binomialTail(0, 1_000_000, 0.01)).toBe(0);
    expect(binomialTail(5, 1_000_000, 0.5)).toBe(0);
  });

  test('a ratio of 0 or 1 is certain', () => {
    expect(binomialTail(0, 10, 0)).toBe(1);
    expect(binomialTail(9, 10, 1)).toBe(0);
    expect(binomialTail(10, 10, 1)).toBe(1);
  });

  test('all but one disagreement near ratio 1 uses the last term of the law', () => {
    expectClose(binomialTail(1, 2, 0.1), 0.99, { rel: 1e-14 });
  });

  test.each([
    ['a fraction of a disagreement', 0.5, 10, 0.1],
    ['a fraction of an audit', 1, 10.5, 0.1],
    ['a negative count', -1, 10, 0.1],
    ['negative audits', 0, -1, 0.1],
    ['a count that is not a number', NaN, 10, 0.1],
    ['a ratio below 0', 1, 10, -0.1],
    ['a ratio above 1', 1, 10, 1.1],
    ['a ratio that is not a number', 1, 10, NaN],
  ])('%s is a broken assumption', (_, k, n, ratio) => {
    expect(() => binomialTail(k, n, ratio)).toThrow(InvariantError);
  });

  test('a broken assumption is told with its numbers', () => {
    expect(() => binomialTail(-1, 10, 0.1)).toThrow('binomial counts k = -1, n = 10');
    expect(() => binomialTail(1, 10, 1.5)).toThrow('binomial ratio 1.5');
    expect(() => binomialUpper(11, 10, 0.05)).toThrow('binomial counts k = 11 above n = 10');
    expect(() => binomialLower(1, 10, 2)).toThrow('confidence limit at delta = 2');
  });
});

describe('Clopper-Pearson limits', () => {
  // References of exits.md 6.7.
  test.each([
    [1000, 0, 0.05, 0.002991249545095295],
    [1000, 3, 0.05, 0.007735244718479458],
    [1000, 3, 0.0125, 0.00970646327140751],
    [3000, 19, 0.05, 0.009279320691467637],
    [10_000, 78, 0.015, 0.009940071142704093],
  ])(
    'the upper limit of %i audits with %i disagreements is the reference',
    (n, k, delta, limit) => {
      expectClose(binomialUpper(k, n, delta), limit, { rel: 1e-12 });
    },
  );

  test('the lower limit of 3,000 audits with 19 disagreements is the reference', () => {
    expectClose(binomialLower(19, 3000, 0.05), 0.004151168084121148, { rel: 1e-12 });
  });

  test('no evidence bounds nothing', () => {
    expect(binomialUpper(0, 0, 0.05)).toBe(1);
    expect(binomialUpper(50, 50, 0.05)).toBe(1);
    expect(binomialLower(0, 0, 0.05)).toBe(0);
    expect(binomialLower(0, 50, 0.05)).toBe(0);
  });

  test('limits of few audits invert their tails', () => {
    const few = fc
      .integer({ min: 2, max: 60 })
      .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n - 1 })));
    const level = fc.double({ min: 1e-6, max: 0.9, noNaN: true });
    fc.assert(
      fc.property(few, level, ([n, k], delta) => {
        const upper = binomialUpper(k, n, delta);
        expectClose(binomialTail(k, n, upper), delta, { abs: 1e-12 });
        const lower = binomialLower(k, n, delta);
        expectClose(binomialTail(n - k, n, 1 - lower), delta, { abs: 1e-12 });
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  test('a lower limit far below its rate keeps its digits', () => {
    // P(X >= 2) = delta of two audits: the limit is its root.
    expectClose(binomialLower(2, 2, 1e-20), 1e-10, { rel: 1e-12 });
    // P(X >= 2) of n audits is n (n - 1) / 2 ratio^2, less a share of n ratio.
    const n = 1_000;
    const first = Math.sqrt((2 * 1e-18) / (n * (n - 1)));
    expectClose(binomialLower(2, n, 1e-18), first, { rel: 1e-8 });
  });

  const counts = fc
    .integer({ min: 1, max: 200_000 })
    .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 0, max: n })));
  const aDelta = fc.double({ min: 1e-9, max: 0.999, noNaN: true });

  test('the upper limit inverts the tail', () => {
    fc.assert(
      fc.property(counts, aDelta, ([n, k], delta) => {
        fc.pre(k < n);
        const limit = binomialUpper(k, n, delta);
        expect(limit > 0 && limit < 1).toBe(true);
        expect(binomialTail(k, n, limit * (1 - 1e-12))).toBeGreaterThan(delta);
        expect(binomialTail(k, n, Math.min(1, limit * (1 + 1e-12)))).toBeLessThan(delta);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('the lower limit is one minus the upper limit of the agreements', () => {
    fc.assert(
      fc.property(counts, aDelta, ([n, k], delta) => {
        expectClose(binomialLower(k, n, delta), 1 - binomialUpper(n - k, n, delta), {
          abs: 1e-12,
        });
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('a tiny rate keeps its digits: one of a million at 1e-4', () => {
    // 1 - (1 - p)^n = delta.
    expectClose(binomialLower(1, 1_000_000, 1e-4), -Math.expm1(Math.log1p(-1e-4) / 1e6), {
      rel: 1e-10,
    });
  });

  test.each([
    ['k above n', 11, 10, 0.05],
    ['a level of 0', 1, 10, 0],
    ['a level of 1', 1, 10, 1],
    ['a level that is not a number', 1, 10, NaN],
  ])('%s is a broken assumption', (_, k, n, delta) => {
    expect(() => binomialUpper(k, n, delta)).toThrow(InvariantError);
    expect(() => binomialLower(k, n, delta)).toThrow(InvariantError);
  });
});
