import { beforeEach, describe, expect, test } from 'vitest';
import type { Api, KubeObject, WatchEvent } from '../../../operator/kube/api.ts';
import { createReflector } from '../../../operator/kube/reflector.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../support/kube-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../support/simulated-api.ts';
import {
  CALM,
  seededFaults,
  type Fault,
  type FaultRates,
} from '../../support/simulated-api-faults.ts';

let clock: FakeKubeClock;
let cluster: SimulatedCluster;
let user: Api;

beforeEach(() => {
  clock = fakeKubeClock();
  cluster = createSimulatedCluster({ clock });
  cluster.addNamespace('ns');
  user = cluster.client('user');
});

const REF = { kind: 'ConfigMap', namespace: 'ns', name: 'a' } as const;
const map = (name: string, value = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns' },
  data: { value },
});
const write = (name: string, value: string) =>
  user.apply(map(name, value), { fieldManager: 'user' });
const once = (fault: Fault) => {
  let next: Fault | null = fault;
  return { onCall: () => [next, (next = null)][0] ?? null };
};

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await clock.pass(0);
  return settled;
}

describe('a fault of a call', () => {
  test('that refuses it leaves nothing done', async () => {
    const client = cluster.client(
      'c',
      once({ kind: 'Status', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 2 }),
    );
    await expect(client.create(map('a'))).rejects.toMatchObject({
      status: 429,
      retryAfterSeconds: 2,
    });
    expect(cluster.objects()).toEqual([]);
  });

  test.each([0, 500, 504])('that loses its answer (%i) leaves it done', async (status) => {
    const client = cluster.client('c', once({ kind: 'LostAnswer', status }));
    await expect(client.create(map('a'))).rejects.toMatchObject({ status, isUncertain: true });
    expect(cluster.objects()).toHaveLength(1);
  });

  test('that is silence leaves it undone and ends at its deadline', async () => {
    const client = cluster.client('c', once({ kind: 'Silence' }));
    const failed = expect(client.create(map('a'), { deadlineMs: 5_000 })).rejects.toMatchObject({
      reason: 'DeadlineExceeded',
    });
    await clock.pass(5_000);
    await failed;
    expect(cluster.objects()).toEqual([]);
  });

  test('that delays it does it then', async () => {
    const client = cluster.client('c', once({ kind: 'Delay', ms: 700 }));
    const created = client.create(map('a'));
    await clock.pass(699);
    expect(cluster.objects()).toEqual([]);
    await clock.pass(1);
    await created;
    expect(cluster.objects()).toHaveLength(1);
  });

  test('that reads the past shows an object as it was, and a list without what came later', async () => {
    await write('a', '1');
    await write('a', '2');
    await write('b', '1');
    const stale = cluster.client('c', { onCall: () => ({ kind: 'Stale', versions: 2 }) });
    expect((await stale.get(REF)).data).toEqual({ value: '1' });
    expect((await stale.list('ConfigMap')).items.map(({ metadata }) => metadata.name)).toEqual([
      'a',
    ]);
    await expect(stale.get({ ...REF, name: 'b' })).rejects.toMatchObject({ isNotFound: true });
  });

  test.each([
    ['Before', 0],
    ['After', 1],
  ] as const)(
    'that kills the process %s its call leaves %i object, and nothing of it ever settles',
    async (when, count) => {
      const client = cluster.client('c', once({ kind: 'Crash', when }));
      expect(await isSettled(client.create(map('a')))).toBe(false);
      expect(cluster.objects()).toHaveLength(count);
      expect(client.isDead).toBe(true);
      expect(await isSettled(client.get(REF))).toBe(false);
    },
  );
});

describe('a watch', () => {
  function watch(
    client: Api,
    resourceVersion: string,
  ): { readonly events: WatchEvent[]; readonly ended: Promise<unknown> } {
    const events: WatchEvent[] = [];
    const options = { resourceVersion, timeoutSeconds: 300, signal: new AbortController().signal };
    const ended = client
      .watch('ConfigMap', options, (event) => events.push(event))
      .catch((error: unknown) => error);
    return { events, ended };
  }

  test('has bookmarks each minute and ends cleanly at its time', async () => {
    const { events, ended } = watch(user, '1000');
    await clock.pass(300_000);
    expect(await ended).toBeUndefined();
    expect(events.filter(({ type }) => type === 'BOOKMARK').length).toBeGreaterThanOrEqual(4);
  });

  test('from before a compaction expires', async () => {
    await write('a', '1');
    cluster.compact();
    expect(await watch(user, '1000').ended).toMatchObject({ isExpired: true });
  });

  test('hears of nothing while it is silent, and late of what is delayed, in order', async () => {
    const silent = watch(cluster.client('s', once({ kind: 'Silence' })), '1000');
    let delayMs = 900;
    const late = watch(cluster.client('l', { eventDelayMs: () => delayMs }), '1000');
    await clock.pass(0);
    await write('a', '1');
    delayMs = 0;
    await write('b', '1');
    await clock.pass(899);
    expect(late.events).toEqual([]);
    await clock.pass(1);
    expect(
      late.events.map((event) => event.type === 'ADDED' && event.object.metadata.name),
    ).toEqual(['a', 'b']);
    expect(silent.events).toEqual([]);
  });

  test('loses, doubles or breaks off events as it is told', async () => {
    const faults = ['Drop', 'Duplicate', null, 'Reset'] as const;
    let next = 0;
    const { events, ended } = watch(
      cluster.client('w', { onEvent: () => faults[next++] ?? null }),
      '1000',
    );
    await clock.pass(0);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await write(name, '1');
    await clock.pass(0);
    expect(events.map((event) => event.type === 'ADDED' && event.object.metadata.name)).toEqual([
      'b',
      'b',
      'c',
    ]);
    expect(await ended).toMatchObject({ reason: 'NoAnswer' });
  });

  test('of a kind that is removed hears of its deletions and ends, and a list finds nothing there', async () => {
    await write('a', '1');
    const { events, ended } = watch(user, '1001');
    await clock.pass(0);
    cluster.removeKind('ConfigMap');
    await clock.pass(1);
    expect(await ended).toBeUndefined();
    expect(events.map(({ type }) => type)).toEqual(['DELETED']);
    await expect(user.list('ConfigMap')).rejects.toMatchObject({ isNotFound: true });
    await expect(user.create(map('b'))).rejects.toMatchObject({ isNotFound: true });
    cluster.restoreKind('ConfigMap');
    expect((await user.list('ConfigMap')).items).toEqual([]);
  });
});

test('a namespace that terminates takes its objects along and refuses new ones', async () => {
  await write('a', '1');
  cluster.terminateNamespace('ns');
  expect(cluster.objects()).toEqual([]);
  await expect(user.create(map('b'))).rejects.toMatchObject({
    isForbidden: true,
    isNamespaceTerminating: true,
  });
});

test('a restored store is back in time, versions too', async () => {
  const first = await write('a', '1');
  const restore = cluster.snapshot();
  await write('a', '2');
  restore();
  expect(await user.get(REF)).toEqual(first);
  expect((await write('b', '1')).metadata.resourceVersion).toBe('1002');
});

test('calls are counted by client, dry runs are no writes', async () => {
  await write('a', '1');
  await user.apply(map('a', '2'), { fieldManager: 'user', dryRun: true });
  await cluster.client('other').get(REF);
  expect(cluster.calls.map(({ client, verb }) => [client, verb])).toEqual([
    ['user', 'patch'],
    ['user', 'patch'],
    ['other', 'get'],
  ]);
  expect(cluster.writes).toHaveLength(1);
});

test('a body that the caller changes afterwards changes nothing, and an answer cannot be changed', async () => {
  const data = { value: '1' };
  const made = await user.create({ ...map('a'), data });
  data.value = '2';
  expect(() => {
    (made.data as { value: string }).value = '3';
  }).toThrow(TypeError);
  expect((await user.get(REF)).data).toEqual({ value: '1' });
});

test('whatever befalls it, a reflector ends up with what is there', async () => {
  const rates: FaultRates = { ...CALM, delay: 0.3, refuse: 0.2, silence: 0.02, event: 0.1 };
  for (let seed = 1; seed <= 60; seed++) {
    clock = fakeKubeClock();
    cluster = createSimulatedCluster({ clock });
    cluster.addNamespace('ns');
    user = cluster.client('user');
    const random = seededRandom(seed);
    const stop = new AbortController();
    let isCalm = false;
    const faults = seededFaults(random, rates);
    const reflector = createReflector({
      api: cluster.client('operator', {
        onCall: (call) => (isCalm ? null : (faults.onCall?.(call) ?? null)),
        onEvent: () => (isCalm ? null : (faults.onEvent?.() ?? null)),
        eventDelayMs: () => (isCalm ? 0 : (faults.eventDelayMs?.() ?? 0)),
      }),
      kind: 'ConfigMap',
      clock,
      random: () => random.uniform(),
      signal: stop.signal,
    });
    const running = reflector.run();
    for (let i = 0; i < 60; i++) {
      const name = `m${Math.floor(random.uniform() * 6)}`;
      if (random.chance(0.3)) await user.delete({ ...REF, name });
      else await write(name, String(i));
      if (random.chance(0.05)) cluster.compact();
      await clock.pass(random.exponential(4_000));
    }
    isCalm = true;
    // A dropped event is found by the next periodic list.
    await clock.pass(750_000);
    const there = cluster
      .objects('ConfigMap')
      .map(({ metadata, data }) => [metadata.name, metadata.uid, data]);
    const held = reflector.list().map(({ metadata, data }) => [metadata.name, metadata.uid, data]);
    expect(held.toSorted(), `seed ${seed}`).toEqual(there.toSorted());
    stop.abort();
    await running;
  }
});
