import { expect, test } from 'vitest';
import { createLinger } from '../../../../server/queue/linger.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

/** Four rows together save 6 ms against one by one and three by three. */
const COSTS = {
  batchSizes: [1, 4],
  cuts: [],
  plainMs: [10, 28],
  segmentMs: [],
  headMs: [],
  compactMs: [],
};
const LIMITS = { slots: 1, maxBatchSize: 32, maxQueueDelayMs: 5 };

function start(): {
  clock: ReturnType<typeof fakeClock>;
  linger: ReturnType<typeof createLinger>;
  waitMs: (queued: number, running?: number, limits?: Partial<typeof LIMITS>) => number;
} {
  const clock = fakeClock();
  const linger = createLinger(() => clock.monotonicMs());
  return {
    clock,
    linger,
    waitMs: (queued, running = 0, limits = {}) =>
      linger.waitMs({ queued, running }, COSTS, { ...LIMITS, ...limits }),
  };
}

test('the first caller back waits for those that were answered with it, as long as two batches would take more than one', () => {
  const { clock, linger, waitMs } = start();
  linger.answered(4);
  linger.arrived(1);
  // 10 ms for one and 22 ms for three, against 28 ms for four.
  expect(waitMs(1)).toBe(4);
  clock.advance(1.5);
  linger.arrived(2);
  expect(waitMs(3)).toBe(2.5);
  linger.arrived(1);
  expect(waitMs(4)).toBe(0);
});

test('nobody waits longer than that, or than the queue may delay', () => {
  const { clock, linger, waitMs } = start();
  linger.answered(4);
  linger.arrived(1);
  expect(waitMs(1, 0, { maxQueueDelayMs: 1.5 })).toBe(1.5);
  expect(waitMs(1, 0, { maxQueueDelayMs: 0 })).toBe(0);
  clock.advance(4);
  expect(waitMs(1)).toBe(0);
});

test('rows that waited already leave with their share of those that are expected and that run', () => {
  const { linger, waitMs } = start();
  linger.answered(3);
  // Two waited while six ran; three of those are answered: eight rows for two workers are four each, and two of them are not back.
  expect(waitMs(2, 3, { slots: 2 })).toBeCloseTo(4);
  linger.arrived(1);
  expect(waitMs(3, 3, { slots: 2 })).toBeCloseTo(4);
  linger.arrived(1);
  expect(waitMs(4, 3, { slots: 2 })).toBe(0);
});

test('answers that leave within a moment are one group, and an older group is not expected any more', () => {
  const { clock, linger, waitMs } = start();
  linger.answered(2);
  clock.advance(0.5);
  linger.answered(2);
  linger.arrived(1);
  expect(waitMs(1)).toBe(4);
  clock.advance(1);
  linger.answered(1);
  linger.arrived(1);
  expect(waitMs(1)).toBe(0);
});

test('nobody waits after a single answer, for more than a batch holds, or where waiting costs more than it saves', () => {
  const { linger, waitMs } = start();
  linger.answered(1);
  linger.arrived(1);
  expect(waitMs(1)).toBe(0);
  linger.answered(3);
  expect(waitMs(2, 0, { maxBatchSize: 2 })).toBe(0);
  const at = { queued: 1, running: 0 };
  expect(linger.waitMs(at, { ...COSTS, plainMs: [0.1, 0.3] }, LIMITS)).toBe(0);
  expect(linger.waitMs(at, { ...COSTS, plainMs: [10, 40] }, LIMITS)).toBe(0);
  expect(linger.waitMs(at, { ...COSTS, batchSizes: [], plainMs: [] }, LIMITS)).toBe(0);
  expect(waitMs(1)).toBe(4);
});
