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
const LIMITS = { maxBatchSize: 32, maxQueueDelayMs: 2 };

function start(): { clock: ReturnType<typeof fakeClock>; linger: ReturnType<typeof createLinger> } {
  const clock = fakeClock();
  return { clock, linger: createLinger(() => clock.monotonicMs()) };
}

test('the first caller back waits a moment for those that were answered with it', () => {
  const { clock, linger } = start();
  linger.answered(4);
  expect(linger.waitMs(1, COSTS, LIMITS)).toBe(1);
  clock.advance(0.25);
  expect(linger.waitMs(3, COSTS, LIMITS)).toBe(0.75);
  expect(linger.waitMs(4, COSTS, LIMITS)).toBe(0);
  clock.advance(0.75);
  expect(linger.waitMs(1, COSTS, LIMITS)).toBe(0);
});

test('answers that leave within a moment are one group, and those that a batch took are not waited for again', () => {
  const { clock, linger } = start();
  linger.answered(2);
  clock.advance(0.5);
  linger.answered(2);
  expect(linger.waitMs(3, COSTS, LIMITS)).toBe(1);
  linger.taken(3);
  expect(linger.waitMs(1, COSTS, LIMITS)).toBe(0);
  clock.advance(5);
  linger.answered(2);
  expect(linger.waitMs(2, COSTS, LIMITS)).toBe(0);
});

test('nobody waits after a single answer, for more than a batch holds, or where waiting costs more than it saves', () => {
  const { linger } = start();
  linger.answered(1);
  expect(linger.waitMs(1, COSTS, LIMITS)).toBe(0);
  linger.answered(3);
  expect(linger.waitMs(2, COSTS, { ...LIMITS, maxBatchSize: 2 })).toBe(0);
  const cheap = { ...COSTS, plainMs: [0.1, 0.2] };
  expect(linger.waitMs(1, cheap, LIMITS)).toBe(0);
  const linear = { ...COSTS, plainMs: [10, 40] };
  expect(linger.waitMs(1, linear, LIMITS)).toBe(0);
  expect(linger.waitMs(1, { ...COSTS, batchSizes: [], plainMs: [] }, LIMITS)).toBe(0);
  expect(linger.waitMs(1, COSTS, { ...LIMITS, maxQueueDelayMs: 0 })).toBe(0);
  expect(linger.waitMs(1, COSTS, LIMITS)).toBe(1);
});
