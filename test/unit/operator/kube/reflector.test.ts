import { beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject, WatchEvent } from '../../../../operator/kube/api.ts';
import type { ApiStatusError } from '../../../../operator/kube/api-status-error.ts';
import {
  createReflector,
  type Reflector,
  type ReflectorOptions,
} from '../../../../operator/kube/reflector.ts';
import type { StoreChange } from '../../../../operator/kube/store.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';
import { aConfigMap } from '../../../support/kube-fake-server.ts';
import {
  apiError,
  createScriptedApi,
  type ScriptedApi,
} from '../../../support/kube-scripted-api.ts';
import { openRecord } from '../../../promises/open-record.ts';

const recordSilence = openRecord('silent-watch');

let clock: FakeKubeClock;
let scripted: ScriptedApi;
let stop: AbortController;
let changes: StoreChange[];

beforeEach(() => {
  clock = fakeKubeClock();
  scripted = createScriptedApi();
  stop = new AbortController();
  changes = [];
});

function reflect(options: Partial<ReflectorOptions> = {}): Reflector {
  const reflector = createReflector({
    api: scripted.api,
    kind: 'ConfigMap',
    clock,
    random: () => 0.5,
    signal: stop.signal,
    ...options,
  });
  reflector.onKey((change) => changes.push(change));
  return reflector;
}

async function started(options: Partial<ReflectorOptions> = {}): Promise<Reflector> {
  const reflector = reflect(options);
  void reflector.run();
  await clock.pass(0);
  return reflector;
}

function event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): WatchEvent {
  return { type, object };
}

const bookmark = (resourceVersion: string): WatchEvent => ({ type: 'BOOKMARK', resourceVersion });
const told = () =>
  changes.map(({ key, object, previous }) => [
    key,
    object?.metadata.resourceVersion ?? null,
    previous?.metadata.resourceVersion ?? null,
  ]);
const lastWatch = () => scripted.watches.at(-1)!;

describe('the store', () => {
  test('holds the list, then every event, and tells each change with what was there before', async () => {
    scripted.objects = [aConfigMap('a', '1'), aConfigMap('b', '2')];
    scripted.version = '5';
    const reflector = await started();
    expect(await reflector.synced).toBe(true);
    lastWatch().send(event('MODIFIED', aConfigMap('a', '6')));
    lastWatch().send(event('DELETED', aConfigMap('b', '7')));
    lastWatch().send(event('ADDED', aConfigMap('c', '8')));
    expect(told()).toEqual([
      ['ns/a', '1', null],
      ['ns/b', '2', null],
      ['ns/a', '6', '1'],
      ['ns/b', null, '2'],
      ['ns/c', '8', null],
    ]);
    expect(reflector.list().map(({ metadata }) => metadata.name)).toEqual(['a', 'c']);
    expect(reflector.get('ns/a')?.metadata.resourceVersion).toBe('6');
    expect(reflector.size).toBe(2);
  });

  test('says nothing about a version it already holds', async () => {
    scripted.objects = [aConfigMap('a', '1')];
    await started();
    lastWatch().send(event('ADDED', aConfigMap('a', '1')));
    lastWatch().send(event('MODIFIED', aConfigMap('a', '1')));
    expect(told()).toEqual([['ns/a', '1', null]]);
  });

  test('takes an older version like any other: a restored store goes back in time', async () => {
    scripted.objects = [aConfigMap('a', '900')];
    const reflector = await started();
    lastWatch().send(event('MODIFIED', aConfigMap('a', '12')));
    expect(reflector.get('ns/a')?.metadata.resourceVersion).toBe('12');
  });

  test('tells of an object that replaced another of its name as gone and then there', async () => {
    scripted.objects = [aConfigMap('a', '1', 'old')];
    const reflector = await started();
    lastWatch().send(event('ADDED', aConfigMap('a', '9', 'new')));
    expect(
      changes
        .slice(1)
        .map(({ object, previous }) => [object?.metadata.uid, previous?.metadata.uid]),
    ).toEqual([
      [undefined, 'old'],
      ['new', undefined],
    ]);
    lastWatch().send(event('DELETED', aConfigMap('a', '8', 'old')));
    expect(reflector.get('ns/a')?.metadata.uid).toBe('new');
  });

  test('finds the children of one owner by index, also after they moved or went', async () => {
    const child = (name: string, version: string, owner?: string): KubeObject => {
      const { metadata, ...rest } = aConfigMap(name, version);
      return {
        ...rest,
        metadata: { ...metadata, ...(owner === undefined ? {} : { labels: { owner } }) },
      };
    };
    scripted.objects = [child('a', '1', 'x'), child('b', '1', 'x'), child('c', '1')];
    const reflector = await started({ indexBy: ({ metadata }) => metadata.labels?.owner });
    const names = (value: string) =>
      reflector.listIndexed(value).map(({ metadata }) => metadata.name);
    expect(names('x')).toEqual(['a', 'b']);
    lastWatch().send(event('MODIFIED', child('a', '2', 'y')));
    lastWatch().send(event('DELETED', child('b', '3', 'x')));
    expect([names('x'), names('y')]).toEqual([[], ['a']]);
  });

  test('keeps of an object what trim leaves of it', async () => {
    scripted.objects = [{ ...aConfigMap('a', '1'), data: { big: 'x' } }];
    const reflector = await started({
      trim: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
    });
    expect(reflector.get('ns/a')).not.toHaveProperty('data');
  });
});

describe('a watch', () => {
  test('goes on from the list, with a random time-out of 240 to 300 s', async () => {
    scripted.version = '42';
    await started();
    expect(lastWatch().options).toMatchObject({ resourceVersion: '42', timeoutSeconds: 270 });
    const limits = [0, 0.999].map(async (random) => {
      const own = createScriptedApi();
      const reflector = createReflector({
        api: own.api,
        kind: 'Pod',
        clock,
        random: () => random,
        signal: stop.signal,
      });
      void reflector.run();
      await clock.pass(0);
      return own.watches[0]!.options.timeoutSeconds;
    });
    expect(await Promise.all(limits)).toEqual([240, 300]);
  });

  test('that ends cleanly is followed at once by one from the last version seen, without a list', async () => {
    const reflector = await started();
    lastWatch().send(event('ADDED', aConfigMap('a', '6')));
    lastWatch().send(bookmark('17'));
    await clock.pass(1_001);
    lastWatch().end();
    await clock.pass(0);
    lastWatch().send(event('MODIFIED', aConfigMap('a', '21')));
    await clock.pass(1_001);
    lastWatch().end();
    await clock.pass(0);
    const versions = scripted.watches.map(({ options }) => options.resourceVersion);
    expect(versions).toEqual(['1', '17', '21']);
    expect(scripted.lists).toHaveLength(1);
    expect(reflector.counters.watchEnds.Clean).toBe(2);
  });

  test('that the server ends at once each time is tried a handful of times in 2 s, not hundreds', async () => {
    scripted.onWatch = (watch) => {
      watch.end();
    };
    const reflector = await started();
    await clock.pass(2_000);
    expect(scripted.watches.length).toBeLessThanOrEqual(5);
    expect(scripted.watches.length).toBeGreaterThanOrEqual(2);
    expect(reflector.counters.watchEnds.Short).toBe(scripted.watches.length);
    await clock.pass(600_000);
    expect(scripted.watches.length).toBeLessThan(60);
  });

  test.each([
    ['an ERROR event 500', apiError(500, 'InternalError')],
    ['HTTP 500', apiError(500)],
    ['a reset', apiError(0, 'NoAnswer')],
    ['a refusal for lack of rights', apiError(403, 'Forbidden')],
  ])('that fails with %s backs off, lists again and never gives up', async (_, error) => {
    scripted.onWatch = (watch) => {
      watch.fail(error);
    };
    const problems: ApiStatusError[] = [];
    const reflector = await started({ onProblem: (problem) => problems.push(problem) });
    await clock.pass(1_500);
    expect(scripted.watches.length).toBeLessThanOrEqual(4);
    expect(problems.length).toBe(scripted.watches.length);
    await clock.pass(300_000);
    expect(scripted.lists.length).toBeGreaterThan(12);
    expect(scripted.lists.length).toBeLessThan(40);
    scripted.onWatch = () => undefined;
    await clock.pass(30_000);
    expect(lastWatch().isOpen).toBe(true);
    expect(reflector.problem).toBeNull();
    expect(reflector.counters.lists.Failure).toBe(scripted.lists.length - 1);
  });

  test('that lived over a second starts the back-off anew', async () => {
    scripted.onWatch = (watch) => {
      watch.fail(apiError(500));
    };
    await started();
    await clock.pass(120_000);
    scripted.onWatch = () => undefined;
    await clock.pass(30_000);
    await clock.pass(2_000);
    const count = scripted.lists.length;
    lastWatch().fail(apiError(500));
    await clock.pass(500);
    expect(scripted.lists.length).toBe(count + 1);
  });

  test('that is told to wait by the server waits that long', async () => {
    await started();
    lastWatch().fail(apiError(429, 'TooManyRequests', 20));
    await clock.pass(19_999);
    expect(scripted.lists).toHaveLength(1);
    await clock.pass(1);
    expect(scripted.lists).toHaveLength(2);
  });

  test('whose version expired is followed by a list at once, and the list is compared, not repeated', async () => {
    scripted.objects = [aConfigMap('a', '1'), aConfigMap('b', '2')];
    const reflector = await started();
    await clock.pass(5_000);
    scripted.objects = [aConfigMap('b', '2'), aConfigMap('c', '9')];
    changes.length = 0;
    lastWatch().fail(apiError(410, 'Expired'));
    await clock.pass(0);
    expect(told()).toEqual([
      ['ns/a', null, '1'],
      ['ns/c', '9', null],
    ]);
    expect(reflector.counters).toMatchObject({
      misses: 0,
      lists: { Start: 1, Expired: 1 },
      watchEnds: { Expired: 1 },
    });
  });

  test('whose version expires each time backs off', async () => {
    scripted.onWatch = (watch) => {
      watch.fail(apiError(410, 'Expired'));
    };
    await started();
    await clock.pass(2_000);
    expect(scripted.lists.length).toBeLessThanOrEqual(5);
  });

  test('that is silent for 75 s is ended and the list is read again', async () => {
    const reflector = await started();
    const startMs = clock.monotonicMs();
    await clock.pass(74_999);
    expect(scripted.watches[0]!.isOpen).toBe(true);
    scripted.objects = [aConfigMap('missed', '3')];
    await clock.pass(1);
    expect(scripted.watches[0]!.isOpen).toBe(false);
    expect(reflector.get('ns/missed')).toBeDefined();
    recordSilence({ seconds: (clock.monotonicMs() - startMs) / 1_000 });
    expect(reflector.counters).toMatchObject({
      idleAborts: 1,
      lists: { Idle: 1 },
      watchEnds: { Idle: 1 },
    });
  });

  test('kept alive by a bookmark a minute is never ended for silence', async () => {
    const reflector = await started();
    for (let minute = 0; minute < 7; minute++) {
      await clock.pass(60_000);
      lastWatch().send(bookmark(String(minute)));
    }
    expect(reflector.counters.idleAborts).toBe(0);
    expect(scripted.watches).toHaveLength(1);
  });
});

test('objects that are not kept are in no list and in no event, and their versions count', async () => {
  const keeps = ({ metadata }: KubeObject): boolean => metadata.name !== 'other';
  scripted.objects = [aConfigMap('mine', '1'), aConfigMap('other', '1')];
  const reflector = await started({ keeps });
  expect(reflector.list().map(({ metadata }) => metadata.name)).toEqual(['mine']);
  lastWatch().send(event('MODIFIED', aConfigMap('other', '7')));
  await clock.pass(0);
  expect(reflector.size).toBe(1);
  expect(told()).toEqual([['ns/mine', '1', null]]);
  lastWatch().end();
  await clock.pass(2_000);
  expect(lastWatch().options.resourceVersion).toBe('7');
});

describe('a list', () => {
  test('that is refused keeps the reflector unsynced, says why, and is tried again', async () => {
    scripted.onList = () => apiError(403, 'Forbidden');
    const reflector = await started();
    await clock.pass(60_000);
    expect(reflector.isSynced).toBe(false);
    expect(reflector.problem).toBe('test: 403 Forbidden: scripted');
    scripted.onList = () => null;
    await clock.pass(30_000);
    expect(await reflector.synced).toBe(true);
  });

  test('counts when it is answered, not while nobody is there to take it', async () => {
    const reflector = await started();
    scripted.onList = () => apiError(0, 'NoAnswer');
    lastWatch().fail(apiError(0, 'NoAnswer'));
    await clock.pass(60_000);
    expect(scripted.lists.length).toBeGreaterThan(3);
    expect(reflector.counters.lists).toMatchObject({ Start: 1, Failure: 0 });
    scripted.onList = () => apiError(500);
    await clock.pass(30_000);
    const { Failure: refused } = reflector.counters.lists;
    expect(refused).toBeGreaterThan(0);
    scripted.onList = () => null;
    await clock.pass(30_000);
    expect(lastWatch().isOpen).toBe(true);
    expect(reflector.counters.lists.Failure).toBe(refused + 1);
  });

  test('of a kind that is gone keeps what was there, does not spin, and goes on when the kind is back', async () => {
    scripted.objects = [aConfigMap('a', '1')];
    const reflector = await started();
    scripted.onList = () => apiError(404, 'NotFound');
    lastWatch().end();
    await clock.pass(1_000);
    lastWatch().fail(apiError(404, 'NotFound'));
    await clock.pass(600_000);
    expect(reflector.size).toBe(1);
    expect(scripted.lists.length).toBeLessThan(60);
    scripted.onList = () => null;
    scripted.objects = [];
    await clock.pass(30_000);
    expect(told().at(-1)).toEqual(['ns/a', null, '1']);
  });

  test('is made every 10 minutes although the watch is well, and counts what the watch had missed', async () => {
    const reflector = await started();
    for (let i = 0; i < 20; i++) {
      await clock.pass(30_000);
      lastWatch().send(bookmark('2'));
    }
    expect(reflector.counters).toMatchObject({
      lists: { Periodic: 1 },
      misses: 0,
      watchEnds: { Periodic: 1 },
    });
    scripted.objects = [aConfigMap('missed', '3')];
    for (let i = 0; i < 20; i++) {
      await clock.pass(30_000);
      lastWatch().send(bookmark('2'));
    }
    expect(reflector.counters).toMatchObject({ lists: { Periodic: 2 }, misses: 1 });
  });

  test('passes the selection on', async () => {
    await started({
      select: { namespace: 'ml', labelSelector: 'a=b', pageSize: 20, metadataOnly: true },
    });
    expect(scripted.lists[0]).toMatchObject({
      namespace: 'ml',
      labelSelector: 'a=b',
      pageSize: 20,
      metadataOnly: true,
    });
    expect(lastWatch().options).toMatchObject({
      namespace: 'ml',
      labelSelector: 'a=b',
      metadataOnly: true,
    });
  });
});

describe('the loop', () => {
  test('ends with its signal, without an error and without another watch', async () => {
    const reflector = reflect();
    const running = reflector.run();
    await clock.pass(0);
    stop.abort();
    await running;
    await clock.pass(600_000);
    expect(scripted.watches).toHaveLength(1);
    expect(scripted.watches[0]!.isOpen).toBe(false);
    expect(clock.alarms).toBe(0);
  });

  test('ended before its first list says that it never synced', async () => {
    scripted.onList = () => apiError(503);
    const reflector = await started();
    stop.abort();
    expect(await reflector.synced).toBe(false);
  });

  test('runs once', async () => {
    const reflector = await started();
    await expect(reflector.run()).rejects.toThrow('already runs');
    expect(scripted.watches).toHaveLength(1);
  });

  test('ends with the error of a handler: a lost key would never come back', async () => {
    const reflector = reflect();
    reflector.onKey(() => {
      throw new RangeError('of the handler');
    });
    const running = reflector.run();
    await clock.pass(0);
    lastWatch().send(event('ADDED', aConfigMap('a', '2')));
    await expect(running).rejects.toThrow(RangeError);
    expect(clock.alarms).toBe(0);
  });
});
