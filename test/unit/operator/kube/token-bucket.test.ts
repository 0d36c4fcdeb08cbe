import { beforeEach, expect, test } from 'vitest';
import { createTokenBucket } from '../../../../operator/kube/token-bucket.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';

let clock: FakeKubeClock;

beforeEach(() => {
  clock = fakeKubeClock();
});

test('30 calls may start at once, then 20 a second, in the order in which they came', async () => {
  const bucket = createTokenBucket({ clock });
  const started: number[] = [];
  for (let i = 0; i < 100; i++) void bucket.take().then(() => started.push(i));
  await clock.pass(0);
  expect(started).toHaveLength(30);
  await clock.pass(1_000);
  expect(started).toHaveLength(50);
  await clock.pass(2_500);
  expect(started).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test('an idle time fills the bucket to its burst and no further', async () => {
  const bucket = createTokenBucket({ clock, perSecond: 10, burst: 5 });
  await clock.pass(3_600_000);
  let started = 0;
  for (let i = 0; i < 20; i++) void bucket.take().then(() => (started += 1));
  await clock.pass(0);
  expect(started).toBe(5);
  await clock.pass(1_000);
  expect(started).toBe(15);
});

test('a caller that gives up leaves the line without a token', async () => {
  const bucket = createTokenBucket({ clock, perSecond: 1, burst: 1 });
  await bucket.take();
  const caller = new AbortController();
  const given = bucket.take(caller.signal);
  let isNext = false;
  void bucket.take().then(() => (isNext = true));
  caller.abort();
  await given;
  await bucket.take(caller.signal);
  await clock.pass(1_000);
  expect(isNext).toBe(true);
});

test('a bucket that nobody waits for sets no alarm', async () => {
  const bucket = createTokenBucket({ clock });
  await bucket.take();
  expect(clock.alarms).toBe(0);
});
