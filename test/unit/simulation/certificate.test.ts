import { describe, expect, test } from 'vitest';
import { binomialTail } from '../../../server/core/binomial.ts';
import { certificateHolds } from '../../../server/core/certificate.ts';
import { overBudgetBound, simulateCertificates } from '../../support/certificate-simulation.ts';
import { expectClose } from '../../support/expect-close.ts';
import {
  calibratedLines,
  createTruth,
  drawRows,
  EXIT_COUNT,
  gridOf,
  scoresOf,
} from '../../support/exit-simulation.ts';
import { simulateRule } from '../../support/rule-simulation.ts';
import { seededRandom, type SeededRandom } from '../../support/seeded-random.ts';
import { trueGrid } from '../../support/true-grid.ts';

// Figures of exits.md 6.2, 7.1, 7.2 in short; certificate.long.ts has them in full.
/** A few seconds of computing each; generous for a busy machine. */
const TIMEOUT_MS = 300_000;
const truth = createTruth(20_260_201);

/** Disagreements of one lambda among the first 1,000, 3,000 and 10,000 rows, by geometric gaps between them. */
function countsAtLooks(random: SeededRandom, ratio: number): readonly number[] {
  const looks = [1000, 3000, 10_000];
  const counts = [0, 0, 0];
  const gap = (): number => 1 + Math.floor(Math.log1p(-random.uniform()) / Math.log1p(-ratio));
  for (let row = gap(); row <= 10_000; row += gap())
    looks.forEach((rows, look) => (counts[look]! += row <= rows ? 1 : 0));
  return counts;
}

function shareCertified(ratio: number, repeats: number): number {
  const random = seededRandom([20_260_202, ratio * 1e6]);
  let certified = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const passes = countsAtLooks(random, ratio).some((disagreements, index) =>
      certificateHolds(
        {
          audits: [1000, 3000, 10_000][index]!,
          disagreements,
          dispersion: 1,
          attempt: 1,
          look: index + 1,
        },
        0.01,
        0.95,
      ),
    );
    if (passes) certified++;
  }
  return certified / repeats;
}

describe('one lambda', () => {
  // P(certified by 10,000 rows) of exits.md 6.2, exact; 3 standard errors of 10,000 repeats.
  test.each([
    [0.011, 0.008],
    [0.01, 0.0315],
    [0.009, 0.145],
    [0.007, 0.859],
    [0.005, 1],
  ])('with a disagreement ratio of %d is certified with the exact probability', (ratio, share) => {
    const error = Math.sqrt((share * (1 - share)) / 10_000);
    expectClose(shareCertified(ratio, 10_000), share, { abs: 3 * error + 5e-4 });
  });
});

describe('the simulated backbone', () => {
  test('its four heads agree with it in 65, 80, 92 and 98 percent of rows', () => {
    const agreement = [0, 0, 0, 0];
    const { count, agrees } = truth(0);
    agrees.forEach((agree, index) => {
      agreement[index % EXIT_COUNT]! += agree / count;
    });
    expectClose(agreement, [0.65, 0.8, 0.92, 0.98], { abs: 0.005 });
  });

  test('is counted by the judge of certificates as evidence counts it', () => {
    const lines = calibratedLines(drawRows(seededRandom(20_260_206), 1_500));
    const rows = truth(1);
    expect(trueGrid(rows, lines)).toEqual(gridOf(rows, scoresOf(lines), 0, rows.count));
  });
});

describe('whole certificates', () => {
  test(
    '100 of them exceed the budget no oftener than delta + 3 standard errors, and the looks save what the design says',
    () => {
      const summary = simulateCertificates(20_260_203, 100, truth);
      expect(summary.overShare).toBeLessThanOrEqual(overBudgetBound(0.05, 100));
      expect(summary.costs[1]).toBeGreaterThan(0.58);
      expect(summary.costs[1]).toBeLessThan(0.65);
      expect(summary.costs[2]).toBeGreaterThan(0.55);
      expect(summary.costs[2]).toBeLessThan(0.6);
    },
    TIMEOUT_MS,
  );

  test(
    'with bursts of 3 identical rows dispersion keeps the promise that the binomial law alone breaks',
    () => {
      const summary = simulateCertificates(20_260_204, 40, truth, 3);
      expect(summary.overShare).toBeLessThanOrEqual(overBudgetBound(0.05, 40));
      expect(summary.overShareWithoutDispersion).toBeGreaterThan(0.12);
    },
    TIMEOUT_MS,
  );
});

describe('why not otherwise', () => {
  test(
    'each exit judged alone, by the error among its own hits, breaks the budget in more than 90 percent of runs',
    () => {
      expect(simulateRule('eachExitAlone', 20_260_205, 30, truth).overShare).toBeGreaterThan(0.9);
    },
    TIMEOUT_MS,
  );

  test('one good window of 1,000 rows that switches exits on again does so on 94 percent of days at the budget itself', () => {
    let passing = 0;
    while (binomialTail(passing + 1, 1000, 0.01) <= 0.05) passing++;
    expectClose(1 - (1 - binomialTail(passing, 1000, 0.01)) ** 96, 0.94, { abs: 0.005 });
  });
});
