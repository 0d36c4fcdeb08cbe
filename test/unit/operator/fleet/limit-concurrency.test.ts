import { expect, test } from 'vitest';
import { limitConcurrency, type Limit } from '../../../../operator/fleet/limit-concurrency.ts';
import { fakeKubeClock, settle } from '../../../support/kube-clock.ts';

/** Things that run until they are let go. */
function run(
  limit: Limit,
  count: number,
): { readonly started: number[]; readonly end: (index: number) => void } {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  for (let i = 0; i < count; i++) {
    void limit(() => {
      started.push(i);
      return new Promise<void>((resolve) => {
        ends[i] = resolve;
      });
    });
  }
  return { started, end: (index) => ends[index]?.() };
}

test('so many run at once, and the rest in order as places come free', async () => {
  const { started, end } = run(limitConcurrency(2), 4);
  await settle();
  expect(started).toEqual([0, 1]);
  end(1);
  await settle();
  expect(started).toEqual([0, 1, 2]);
});

test('what fails gives its place on', async () => {
  const limit = limitConcurrency(1);
  await expect(limit(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(limit(() => Promise.resolve(1))).resolves.toBe(1);
});

test('what takes longer than patience goes on without its place, and gives it on only once', async () => {
  const clock = fakeKubeClock();
  const { started, end } = run(limitConcurrency(1, { clock, ms: 250 }), 4);
  await clock.pass(249);
  expect(started).toEqual([0]);
  await clock.pass(1);
  expect(started).toEqual([0, 1]);
  end(0);
  await settle();
  expect(started).toEqual([0, 1]);
  end(1);
  await settle();
  expect(started).toEqual([0, 1, 2]);
});

test('no alarm is left of what ended in time', async () => {
  const clock = fakeKubeClock();
  const limit = limitConcurrency(1, { clock, ms: 250 });
  await limit(() => Promise.resolve());
  expect(clock.alarms).toBe(0);
});
