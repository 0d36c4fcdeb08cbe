import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Api, KubeObject } from '../../../operator/kube/api.ts';
import type { ApiStatusError } from '../../../operator/kube/api-status-error.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { loadAccess, type ClusterAccess } from '../../../operator/kube/cluster-access.ts';
import {
  createReflector,
  type Reflector,
  type ReflectorOptions,
} from '../../../operator/kube/reflector.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { fastKubeClock } from '../../support/kube-clock.ts';
import { aStatus } from '../../support/kube-fake-server.ts';

const plane = await sharedControlPlane();

/** 75 s of silence pass in 1.5. */
const SPEED = 50;

describe.skipIf(plane.unavailable !== null)('a reflector of a real API server', () => {
  let proxy: FaultProxy;
  let access: ClusterAccess;
  let direct: Api;
  let api: Api;
  let namespace: string;

  beforeAll(() => {
    const own = loadAccess({ from: 'File', path: plane.kubeconfigPath });
    direct = createClient({ access: own, clock: fastKubeClock(1), budget: null });
    return () => {
      own.close();
    };
  });

  beforeEach(async () => {
    namespace = (await plane.namespace()).name;
    proxy = await startFaultProxy(plane);
    access = loadAccess({ from: 'Text', kubeconfig: proxy.kubeconfig });
    // Deadlines pass at the fast clock too: 30 s would be less than the server needs at times.
    api = createClient({ access, clock: fastKubeClock(SPEED), budget: null, deadlineMs: 500_000 });
    return async () => {
      access.close();
      await proxy.close();
    };
  });

  const map = (name: string, data: Readonly<Record<string, string>> = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { own: 'yes' } },
    data,
  });
  const write = (name: string, value: string) =>
    direct.apply(map(name, { value }), { fieldManager: 'test' });

  async function reflect(options: Partial<ReflectorOptions> = {}): Promise<Reflector> {
    const stop = new AbortController();
    const reflector = createReflector({
      api,
      kind: 'ConfigMap',
      clock: fastKubeClock(SPEED),
      random: Math.random,
      signal: stop.signal,
      select: { namespace, labelSelector: 'own', pageSize: 2 },
      ...options,
    });
    const running = reflector.run();
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
    await reflector.synced;
    return reflector;
  }

  const values = (reflector: Reflector) =>
    Object.fromEntries(
      reflector
        .list()
        .map(({ metadata, data }) => [metadata.name, (data as { value: string }).value]),
    );

  const becomes = (
    reflector: Reflector,
    expected: Readonly<Record<string, string>>,
    deadlineMs = 10_000,
  ) =>
    eventually(() => {
      expect(values(reflector)).toEqual(expected);
    }, deadlineMs);

  test('holds all pages of the list and follows every change', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await write(name, '1');
    const reflector = await reflect();
    expect(values(reflector)).toEqual({ a: '1', b: '1', c: '1', d: '1', e: '1' });
    expect(proxy.requests.filter(({ isWatch }) => !isWatch)).toHaveLength(3);
    await write('a', '2');
    await write('f', '1');
    await direct.delete({ kind: 'ConfigMap', namespace, name: 'b' });
    await becomes(reflector, { a: '2', c: '1', d: '1', e: '1', f: '1' });
    expect(reflector.counters.lists).toMatchObject({ Start: 1, Failure: 0, Idle: 0 });
    expect(reflector.get(`${namespace}/a`)?.kind).toBe('ConfigMap');
  });

  test('of metadata alone follows every change without bodies', async () => {
    await write('a', '1');
    const reflector = await reflect({
      select: { namespace, labelSelector: 'own', metadataOnly: true },
    });
    await write('b', '1');
    await eventually(() => {
      expect(
        reflector.list().map(({ kind, metadata, data }) => [kind, metadata.name, data]),
      ).toEqual([
        ['ConfigMap', 'a', undefined],
        ['ConfigMap', 'b', undefined],
      ]);
    });
  });

  test('loses no change to a connection that is reset, nor to one made while it was away', async () => {
    await write('a', '1');
    const reflector = await reflect();
    proxy.onRequest = () => ({ kind: 'Reset' });
    proxy.cut();
    await write('a', '2');
    await direct.delete({ kind: 'ConfigMap', namespace, name: 'a' });
    await write('b', '1');
    await eventually(() => {
      expect(reflector.problem).toContain('NoAnswer');
    });
    proxy.onRequest = () => null;
    await becomes(reflector, { b: '1' });
    expect(reflector.problem).toBeNull();
    expect(reflector.counters.watchEnds.Failed).toBeGreaterThanOrEqual(1);
  });

  test('finds out about a connection that is open and silent, and catches up', async () => {
    await write('a', '1');
    const reflector = await reflect();
    await eventually(() => {
      expect(proxy.requests.some(({ isWatch }) => isWatch)).toBe(true);
    });
    proxy.mute(true);
    await write('a', '2');
    await eventually(() => {
      expect(reflector.counters.idleAborts).toBeGreaterThanOrEqual(1);
    }, 10_000);
    proxy.mute(false);
    await becomes(reflector, { a: '2' }, 20_000);
  });

  test.each([
    [
      'as the status of a watch',
      { kind: 'Answer', status: 410, body: aStatus(410, 'Expired', 'too old') } as const,
    ],
    [
      'as an event of a watch',
      {
        kind: 'Lines',
        lines: [{ type: 'ERROR', object: aStatus(410, 'Expired', 'too old') }],
      } as const,
    ],
  ])('lists again when its version expired %s, and tells what went meanwhile', async (_, fault) => {
    await write('a', '1');
    let isExpired = true;
    proxy.onRequest = ({ isWatch }) => (isWatch && isExpired ? fault : null);
    const reflector = await reflect();
    const gone: (string | undefined)[] = [];
    reflector.onKey(({ object, previous }) => {
      if (object === null) gone.push(previous?.metadata.name);
    });
    await eventually(() => {
      expect(reflector.counters.watchEnds.Expired).toBeGreaterThanOrEqual(2);
    });
    await direct.delete({ kind: 'ConfigMap', namespace, name: 'a' });
    await write('b', '1');
    isExpired = false;
    await becomes(reflector, { b: '1' });
    expect(gone).toEqual(['a']);
    expect(reflector.counters.lists.Expired).toBe(reflector.counters.watchEnds.Expired);
  });

  test('waits as long as it is told, then goes on', async () => {
    const refused: number[] = [];
    let isBusy = true;
    proxy.onRequest = () =>
      isBusy
        ? {
            kind: 'Answer',
            status: 429,
            body: aStatus(429, 'TooManyRequests', 'later'),
            retryAfter: '60',
          }
        : null;
    const started = performance.now();
    const syncing = reflect({
      onProblem: ({ retryAfterSeconds }: ApiStatusError) => refused.push(retryAfterSeconds ?? 0),
    });
    await eventually(() => {
      expect(refused).toEqual([60]);
    });
    isBusy = false;
    expect((await syncing).isSynced).toBe(true);
    // 60 s at the fast clock.
    expect(performance.now() - started).toBeGreaterThan(60_000 / SPEED - 50);
    expect(proxy.requests.filter(({ isWatch }) => !isWatch)).toHaveLength(2);
  });

  test('does not spin on a server that ends every watch at once', async () => {
    await write('a', '1');
    proxy.onRequest = ({ isWatch }) => (isWatch ? { kind: 'Lines', lines: [] } : null);
    const reflector = await reflect();
    await eventually(() => {
      expect(reflector.counters.watchEnds.Short).toBeGreaterThanOrEqual(4);
    });
    // Four ends wait at least as long as the jitter lets them; 400 would be a loop.
    expect(proxy.requests.filter(({ isWatch }) => isWatch).length).toBeLessThan(20);
    proxy.onRequest = () => null;
    await write('a', '2');
    await becomes(reflector, { a: '2' }, 20_000);
  });
});
