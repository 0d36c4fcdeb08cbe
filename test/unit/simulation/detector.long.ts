import { describe, expect, test } from 'vitest';
import {
  auditsToAlarm,
  auditsToTrip,
  burstyDraw,
  delayAfterJump,
  summarizeLengths,
  type LengthSummary,
} from '../../support/detector-simulation.ts';
import { expectClose } from '../../support/expect-close.ts';
import { seededRandom } from '../../support/seeded-random.ts';

// The tables of exits.md 8.1 and 8.3.
const BUDGET = 0.01;
const RATIOS = [0.015, 0.02, 0.03, 0.05, 0.1, 0.3];

/** The design's figures carry the error of their own simulation; ours adds three standard errors. */
function expectLength(run: LengthSummary, mean: number, rel = 0.15): void {
  expectClose(run.mean, mean, { rel, abs: 3 * run.error });
}

interface Row {
  readonly level: number;
  readonly window: number;
  readonly delays: readonly number[];
  readonly falseAlarm: number;
}

const TABLE: readonly Row[] = [
  { level: 20_000, window: 1, delays: [2589, 1004, 375, 153, 54, 13], falseAlarm: 31_000 },
  { level: 20_000, window: 30, delays: [2921, 1136, 448, 188, 77, 31], falseAlarm: 48_000 },
  { level: 20_000, window: 300, delays: [3502, 1442, 655, 370, 244, 184], falseAlarm: 98_000 },
  { level: 5000, window: 30, delays: [1716, 776, 335, 148, 63, 28], falseAlarm: 12_000 },
  { level: 1000, window: 30, delays: [713, 390, 194, 98, 48, 24], falseAlarm: 2100 },
];

describe.each(TABLE)('A = $level, windows of $window', ({ level, window, delays, falseAlarm }) => {
  test('delays after a jump are those of the table', () => {
    const random = seededRandom([20_260_310, level, window]);
    RATIOS.forEach((ratio, index) => {
      const run = summarizeLengths(600, () => delayAfterJump(random, { level, window }, ratio));
      process.stdout.write(`A ${level} window ${window} to ${ratio}: ${JSON.stringify(run)}\n`);
      expectLength(run, delays[index]!);
    });
  });

  test('at the budget itself the run to a false alarm is that of the table, and at least A', () => {
    const random = seededRandom([20_260_311, level, window]);
    const run = summarizeLengths(300, () =>
      auditsToAlarm({ level, window }, (audits) => random.binomial(audits, BUDGET)),
    );
    process.stdout.write(`A ${level} window ${window} at the budget: ${JSON.stringify(run)}\n`);
    expectLength(run, falseAlarm);
    expect(run.mean).toBeGreaterThanOrEqual(level);
  });
});

describe('windows of 30 s at 2 audits/s', () => {
  const random = seededRandom(20_260_312);
  const scenario = { level: 20_000, window: () => random.poisson(60) };

  test('a jump to 5 % takes 203 audits on average, 477 in the slowest percent', () => {
    const run = summarizeLengths(2000, () => delayAfterJump(random, scenario, 0.05));
    process.stdout.write(`5 %: ${JSON.stringify(run)}\n`);
    expectLength(run, 203);
    expectClose(run.p99, 477, { rel: 0.15 });
  });

  test('a creep to 1.2 % takes 9,700 audits on average', () => {
    const run = summarizeLengths(400, () => delayAfterJump(random, scenario, 0.012));
    process.stdout.write(`1.2 %: ${JSON.stringify(run)}\n`);
    expectLength(run, 9700);
  });

  test('at 77 % of the budget a false alarm comes after more than 758,000 audits', () => {
    const run = summarizeLengths(40, () =>
      auditsToAlarm(scenario, (audits) => random.binomial(audits, 0.0077)),
    );
    process.stdout.write(`0.77 budget: ${JSON.stringify(run)}\n`);
    expect(run.mean + 3 * run.error).toBeGreaterThan(758_000);
  });
});

describe('bursts of 5 identical rows, A = 5,000, windows of 30', () => {
  test.each([
    [1, 7800, 1100],
    [0.1, 7600, 2800],
    [0.02, 10_100, 7000],
  ])('at an audit rate of %d dispersion keeps the run above A', (auditRate, kept, broken) => {
    const random = seededRandom([20_260_313, auditRate * 100]);
    const burst = (): number => {
      let rows = 1;
      while (random.chance(0.8)) rows++;
      return rows;
    };
    // D of geometric bursts of mean L is 2 L - 1; thinning leaves the share auditRate of its excess.
    const dispersion = 1 + 8 * auditRate;
    const length = (d: number): LengthSummary =>
      summarizeLengths(500, () =>
        auditsToAlarm(
          { level: 5000, window: 30, dispersion: d },
          burstyDraw(random, { ratio: BUDGET, auditRate, burst }),
        ),
      );
    const withD = length(dispersion);
    const without = length(1);
    process.stdout.write(`bursts at ${auditRate}: ${JSON.stringify({ withD, without })}\n`);
    expect(withD.mean).toBeGreaterThanOrEqual(5000);
    expectLength(withD, kept);
    expectLength(without, broken);
  });
});

describe('breaker', () => {
  test.each([
    [0.01, 236_000, 200],
    [0.007, 1_100_000, 60],
  ])('at %d a false alarm comes every %i audits', (ratio, mean, repeats) => {
    const random = seededRandom([20_260_314, ratio * 1000]);
    const run = summarizeLengths(repeats, () => auditsToTrip(random, ratio));
    process.stdout.write(`breaker at ${ratio}: ${JSON.stringify(run)}\n`);
    expectLength(run, mean);
    expect(run.mean).toBeGreaterThanOrEqual(100_000);
  });
});
