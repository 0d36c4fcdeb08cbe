import { describe, expect, test } from 'vitest';
import {
  auditsToAlarm,
  auditsToTrip,
  delayAfterJump,
  summarizeLengths,
} from '../../support/detector-simulation.ts';
import { expectClose } from '../../support/expect-close.ts';
import { seededRandom } from '../../support/seeded-random.ts';

// Figures of exits.md 8.1 and 8.3 in short; detector.long.ts has the whole table.
const BUDGET = 0.01;

describe('detector at the budget itself', () => {
  test.each([
    [1, 150],
    [10, 150],
    [100, 150],
    [1000, 100],
  ])('windows of %i: the mean run to a false alarm is at least A audits', (window, repeats) => {
    const random = seededRandom([20_260_210, window]);
    const run = summarizeLengths(repeats, () =>
      auditsToAlarm({ level: 1000, window }, (audits) => random.binomial(audits, BUDGET)),
    );
    expect(run.mean).toBeGreaterThanOrEqual(1000);
  });

  test('serving at A = 20,000 with windows of 30 the mean run is at least 20,000 audits', () => {
    const random = seededRandom(20_260_211);
    const run = summarizeLengths(60, () =>
      auditsToAlarm({ level: 20_000, window: 30 }, (audits) => random.binomial(audits, BUDGET)),
    );
    expect(run.mean).toBeGreaterThanOrEqual(20_000);
  });
});

describe('detector after a jump', () => {
  test.each([
    [20_000, 0.03, 448],
    [20_000, 0.05, 188],
    [20_000, 0.1, 77],
    [20_000, 0.3, 31],
    [1000, 0.05, 98],
    [1000, 0.1, 48],
  ])('A = %i, windows of 30: to %d it takes the audits of the design', (level, ratio, mean) => {
    const random = seededRandom([20_260_212, level, ratio * 1000]);
    const run = summarizeLengths(400, () => delayAfterJump(random, { level, window: 30 }, ratio));
    expectClose(run.mean, mean, { rel: 0.15 });
  });
});

describe('breaker', () => {
  test.each([
    [0.1, 60],
    [0.3, 14],
    [1, 4],
  ])('a jump to %d trips it within the audits of the design', (ratio, mean) => {
    const random = seededRandom([20_260_213, ratio * 1000]);
    const run = summarizeLengths(300, () => auditsToTrip(random, ratio, 300));
    expectClose(run.mean, mean, { rel: 0.15 });
  });

  test('at the budget itself its mean run to a false alarm is at least 100,000 audits', () => {
    const random = seededRandom(20_260_214);
    const run = summarizeLengths(20, () => auditsToTrip(random, BUDGET));
    expect(run.mean).toBeGreaterThanOrEqual(100_000);
  });
});
