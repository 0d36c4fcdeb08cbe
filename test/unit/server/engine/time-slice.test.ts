import { expect, test } from 'vitest';
import { slicedBy } from '../../../../server/engine/host/time-slice.ts';

test('small steps run on, and a pause comes after each millisecond of them', async () => {
  let nowMs = 0;
  let pauses = 0;
  const yieldTurn = slicedBy(
    () => {
      pauses += 1;
      // A batch comes through: its time is none of the slice.
      nowMs += 50;
      return Promise.resolve();
    },
    () => nowMs,
  );
  const pausesAfter: number[] = [];
  for (let step = 0; step < 6; step += 1) {
    nowMs += 0.4;
    await yieldTurn();
    pausesAfter.push(pauses);
  }
  expect(pausesAfter).toEqual([0, 0, 1, 1, 1, 2]);
});
