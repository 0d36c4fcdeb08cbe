import { expect, test } from 'vitest';
import { createFleetStore, type FleetStore } from '../../../../operator/fleet/fleet-store.ts';
import { fakePod, type FakePod } from '../../../support/fake-pod.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';

const KEY = 'ml/vision';

function crowd(size: number): {
  readonly clock: FakeKubeClock;
  readonly store: FleetStore;
  readonly follow: (count: number, pollMs: number) => void;
  readonly polls: () => number;
} {
  const clock = fakeKubeClock();
  const pods = new Map<string, FakePod>();
  for (let i = 0; i < size; i++) pods.set(`pod-${i}`, fakePod(`pod-${i}`));
  const store = createFleetStore({
    clock,
    signal: new AbortController().signal,
    connect: (_, { uid }) => pods.get(uid)!.client(),
    onChange: () => undefined,
    random: () => 0.5,
    onPull: () => undefined,
    mostPollsPerSecond: 0.1,
  });
  const all = [...pods.values()].map(({ pod }) => pod);
  return {
    ...{ clock, store },
    follow: (count, pollMs) => {
      store.follow(KEY, { pods: all.slice(0, count), pollMs });
    },
    polls: () =>
      pods.get('pod-0')!.calls.filter((call) => call.startsWith('GET /v1/evidence')).length,
  };
}

test('where twice as many polls are wanted as there may be, short rounds take twice as long, whatever asks for them in between', async () => {
  const { clock, store, follow, polls } = crowd(2);
  follow(2, 10_000);
  await store.pollDue();
  await clock.pass(19_999);
  await store.pollDue();
  follow(2, 10_000);
  await store.pollDue();
  expect(polls()).toBe(1);
  await clock.pass(1);
  await store.pollDue();
  expect(polls()).toBe(2);
});

test.each([
  ['short ones take 30 s at most', 10_000, 30_000],
  ['longer ones stay as they are', 60_000, 60_000],
])('however many polls are wanted, of rounds %s', async (_, pollMs, roundMs) => {
  const { clock, store, follow, polls } = crowd(10);
  follow(10, pollMs);
  await store.pollDue();
  await clock.pass(roundMs - 1);
  await store.pollDue();
  expect(polls()).toBe(1);
  await clock.pass(1);
  await store.pollDue();
  expect(polls()).toBe(2);
});

test('with fewer pods they are short again', async () => {
  const { clock, store, follow, polls } = crowd(10);
  follow(10, 10_000);
  await store.pollDue();
  follow(1, 10_000);
  await store.pollDue();
  follow(1, 10_000);
  await clock.pass(11_000);
  await store.pollDue();
  expect(polls()).toBe(2);
});
