import { expect, test } from 'vitest';
import { createPace } from '../../../../server/queue/pace.ts';

const LIMITS = { slots: 1, maxBatchSize: 32 };
const TEN_WAIT = { queued: 10, running: 0 };

function settledPace(): ReturnType<typeof createPace> {
  const pace = createPace();
  for (let batch = 0; batch < 50; batch++) pace.ran(2, 8);
  return pace;
}

test('nothing is known of a wait before the first batch', () => {
  expect(createPace().waitMs(TEN_WAIT, LIMITS)).toBe(0);
});

test('a row waits for those before it and for the batch that it joins', () => {
  expect(settledPace().waitMs(TEN_WAIT, LIMITS)).toBeCloseTo(84, 5);
});

test('one batch that stalled for ten seconds does not make ten rows wait for half a minute', () => {
  const pace = settledPace();
  pace.ran(1, 10_000);
  expect(pace.waitMs(TEN_WAIT, LIMITS)).toBeLessThan(200);
});

test('a lasting slowness of a hundred times is known within fifteen batches', () => {
  const pace = settledPace();
  for (let batch = 0; batch < 15; batch++) pace.ran(2, 800);
  expect(pace.batchMs(2)).toBeGreaterThan(700);
  expect(pace.batchMs(2)).toBeLessThanOrEqual(800);
});
