import { describe, expect, test } from 'vitest';
import { LAMBDA_COUNT } from '../../../../crds/wire/lambda-grid.ts';
import { binomialTail } from '../../../../server/core/binomial.ts';
import { certificateHolds, lookLevel } from '../../../../server/core/certificate.ts';
import { largestAccepted } from '../../../../operator/stats/fixed-sequence.ts';
import { emptyGrid } from '../../../../server/core/evidence.ts';
import { aGrid } from '../../../support/builders.ts';
import { expectClose } from '../../../support/expect-close.ts';

const TEST = { budget: 0.01, confidence: 0.95, attempt: 1, look: 1, dispersion: 1 };

/** A grid of 1,000 rows with these disagreements per column, the last one from there on. */
function gridWith(...disagreements: number[]) {
  const last = disagreements.at(-1)!;
  const dis = Array.from({ length: LAMBDA_COUNT }, (_, j) => disagreements[j] ?? last);
  return { ...aGrid(1_000, 0), dis };
}

describe('the largest accepted lambda', () => {
  test('is the last column before the first failure', () => {
    expect(largestAccepted(gridWith(0, 1, 3, 4, 4), TEST)).toBe(2);
  });

  test('stops at the first failure although later columns pass', () => {
    expect(largestAccepted(gridWith(0, 4, 0), TEST)).toBe(0);
  });

  test('is none when the smallest lambda fails', () => {
    expect(largestAccepted(gridWith(4, 0), TEST)).toBeNull();
  });

  test('is the whole grid when nothing disagrees on enough rows', () => {
    expect(largestAccepted(gridWith(0), TEST)).toBe(LAMBDA_COUNT - 1);
  });

  test('is none without rows, and for a budget of 0', () => {
    expect(largestAccepted(emptyGrid(2), TEST)).toBeNull();
    expect(largestAccepted(gridWith(0), { ...TEST, budget: 0 })).toBeNull();
  });

  test('gets smaller with bursts: 3 disagreements pass at D = 1, not at D = 2', () => {
    expect(largestAccepted(gridWith(3), TEST)).toBe(LAMBDA_COUNT - 1);
    expect(largestAccepted(gridWith(3), { ...TEST, dispersion: 2 })).toBeNull();
  });
});

test('each lambda may have a dispersion of its own', () => {
  const dispersion = Array.from({ length: LAMBDA_COUNT }, (_, j) => (j < 7 ? 1 : 2));
  expect(largestAccepted(gridWith(3), { ...TEST, dispersion })).toBe(6);
  expect(largestAccepted(gridWith(3), { ...TEST, dispersion: [1, 1] })).toBe(1);
});

/** Most disagreements that pass at a look of the first, second, ... attempt; null when not even none pass. */
function mostPassing(audits: number, attempt: number, look: number): number | null {
  let k = -1;
  const holds = (disagreements: number): boolean =>
    certificateHolds({ audits, disagreements, dispersion: 1, attempt, look }, 0.01, 0.95);
  while (holds(k + 1)) k++;
  return k < 0 ? null : k;
}

describe('retries', () => {
  // exits.md 6.3.
  test.each([
    [1, [3, 18, 78]],
    [2, [1, 14, 69]],
    [3, [0, 12, 66]],
    [5, [0, 11, 63]],
    [10, [null, 9, 60]],
  ])('attempt %i passes with the disagreements of the table', (attempt, table) => {
    const sizes = [1_000, 3_000, 10_000];
    expect(sizes.map((audits, i) => mostPassing(audits, attempt, i + 1))).toEqual(table);
  });

  test('spend at most delta in all', () => {
    let spent = 0;
    for (let attempt = 1; attempt <= 10_000; attempt++) {
      for (const look of [1, 2, 3]) spent += lookLevel(0.95, attempt, look);
    }
    expect(spent).toBeLessThanOrEqual(0.05);
    expect(spent).toBeGreaterThan(0.0499);
  });

  test('fifty of them at R = budget certify with probability 0.034', () => {
    const never = Array.from({ length: 50 }, (_, i) => 1 - certifiedBy(0.01, i + 1)[2]!);
    expectClose(1 - never.reduce((product, p) => product * p, 1), 0.034, { abs: 1e-3 });
  });
});

/** P(Bin(n, ratio) = k) for k = 0..most. */
function probabilities(n: number, ratio: number, most: number): number[] {
  return Array.from({ length: most + 1 }, (_, k) =>
    k === 0 ? binomialTail(0, n, ratio) : binomialTail(k, n, ratio) - binomialTail(k - 1, n, ratio),
  );
}

/** P(one lambda of this risk is certified by the first, second, third look), by convolution of the rows between looks. */
function certifiedBy(ratio: number, attempt: number): number[] {
  const sizes = [1_000, 3_000, 10_000];
  const most = 300;
  let alive = [1, ...new Array<number>(most).fill(0)];
  let rows = 0;
  let certified = 0;
  return sizes.map((size, i) => {
    const more = probabilities(size - rows, ratio, most);
    alive = alive.map((_, k) =>
      alive.slice(0, k + 1).reduce((sum, p, before) => sum + p * more[k - before]!, 0),
    );
    rows = size;
    const passing = mostPassing(size, attempt, i + 1) ?? -1;
    certified += alive.slice(0, passing + 1).reduce((sum, p) => sum + p, 0);
    alive = alive.map((p, k) => (k <= passing ? 0 : p));
    return certified;
  });
}

describe('one lambda on the first attempt', () => {
  // exits.md 6.2, exact.
  test.each([
    [1.1, [0.005, 0.007, 0.008]],
    [1.0, [0.01, 0.021, 0.031]],
    [0.9, [0.021, 0.058, 0.145]],
    [0.8, [0.042, 0.148, 0.476]],
    [0.7, [0.081, 0.325, 0.859]],
    [0.6, [0.15, 0.582, 0.991]],
    [0.5, [0.264, 0.83, 1]],
    [0.4, [0.433, 0.965, 1]],
  ])('of risk %d times the budget is certified with the exact probabilities', (times, table) => {
    expectClose(certifiedBy(0.01 * times, 1), table, { abs: 1e-3 });
  });
});
