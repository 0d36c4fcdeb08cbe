import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Api, KubeObject } from '../../../operator/kube/api.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { loadAccess, type ClusterAccess } from '../../../operator/kube/cluster-access.ts';
import type { KindName } from '../../../operator/kube/kinds.ts';
import { createReflector, type Reflector } from '../../../operator/kube/reflector.ts';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { fastKubeClock } from '../../support/kube-clock.ts';
import { installDefinitions } from './definitions.ts';

const unavailable = await whyUnavailable('control-plane');
const SPEED = 20;

describe.skipIf(unavailable !== null)('when the control plane itself fails', () => {
  let plane: OwnControlPlane;
  let proxy: FaultProxy;
  let access: ClusterAccess;
  let api: Api;

  beforeAll(async () => {
    plane = await startControlPlane();
    proxy = await startFaultProxy(plane);
    access = loadAccess({ from: 'Text', kubeconfig: proxy.kubeconfig });
    api = createClient({ access, clock: fastKubeClock(1), budget: null });
    await installDefinitions(plane);
  });

  afterAll(async () => {
    access.close();
    await proxy.close();
    await plane.stop();
  });

  const map = (name: string, value: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', labels: { own: 'yes' } },
    data: { value },
  });
  const service = (name: string): KubeObject => ({
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name, namespace: 'default' },
    spec: { backbone: { uri: 'https://m.example/m' }, accuracy: { maxDisagreement: '1%' } },
  });
  const write = (object: KubeObject) => api.apply(object, { fieldManager: 'test' });

  async function reflect(kind: KindName, through: Api = api): Promise<Reflector> {
    const stop = new AbortController();
    const reflector = createReflector({
      api: through,
      kind,
      clock: fastKubeClock(SPEED),
      random: Math.random,
      signal: stop.signal,
      select: { namespace: 'default', ...(kind === 'ConfigMap' ? { labelSelector: 'own' } : {}) },
    });
    const running = reflector.run();
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
    await reflector.synced;
    return reflector;
  }

  const valueOf = (reflector: Reflector, name: string): unknown =>
    (reflector.get(`default/${name}`)?.data as { value?: string } | undefined)?.value;

  test('an API server that was dead is listed once per kind on its return, and nothing is lost', async () => {
    await write(map('outage', '1'));
    const reflectors = [await reflect('ConfigMap'), await reflect('CachedModelService')];
    await plane.kill('apiserver');
    await eventually(() => {
      for (const { problem } of reflectors) expect(problem).not.toBeNull();
    });
    await plane.start('apiserver');
    await write(map('outage', '2'));
    await eventually(() => {
      expect(valueOf(reflectors[0]!, 'outage')).toBe('2');
      for (const { problem } of reflectors) expect(problem).toBeNull();
    }, 30_000);
    // Lists that found nobody are lists too; those that were answered are one each.
    for (const { counters } of reflectors) {
      expect(counters.lists.Failure - (counters.watchEnds.Failed - 1)).toBeGreaterThanOrEqual(1);
      expect(counters.watchEnds.Failed).toBeLessThanOrEqual(2);
    }
  });

  test('a version that was compacted before a restart expires, and the reflector lists again', async () => {
    await write(map('compacted', '1'));
    const reflector = await reflect('ConfigMap');
    const { resourceVersion: old = '' } = reflector.get('default/compacted')!.metadata;
    const { metadata } = await write(map('compacted', '2'));
    const compaction = await fetch(`http://127.0.0.1:${plane.etcdPort}/v3/kv/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision: metadata.resourceVersion, physical: true }),
    });
    expect(compaction.status).toBe(200);
    await plane.kill('apiserver');
    await plane.start('apiserver');
    const stop = new AbortController();
    const watching = api.watch(
      'ConfigMap',
      { namespace: 'default', resourceVersion: old, timeoutSeconds: 20, signal: stop.signal },
      () => undefined,
    );
    await expect(watching).rejects.toMatchObject({
      isExpired: true,
      status: 410,
      reason: 'Expired',
    });
    await write(map('compacted', '3'));
    await eventually(() => {
      expect(valueOf(reflector, 'compacted')).toBe('3');
    }, 30_000);
  });

  test('a deleted definition takes its objects along, and its return is noticed without a restart', async () => {
    await write(service('gone'));
    const reflector = await reflect('CachedModelService');
    const deleted: string[] = [];
    reflector.onKey(({ key, object }) => {
      if (object === null) deleted.push(key);
    });
    const { code } = await plane.kubectl(['delete', 'crd', 'cachedmodelservices.layercache.io']);
    expect(code).toBe(0);
    await eventually(() => {
      expect(deleted).toEqual(['default/gone']);
      expect(reflector.problem).toContain('404');
    }, 30_000);
    await expect(write(service('too-early'))).rejects.toMatchObject({ isNotFound: true });
    const lists = reflector.counters.lists.Failure;
    await installDefinitions(plane);
    await write(service('back'));
    await eventually(() => {
      expect(reflector.get('default/back')).toBeDefined();
    }, 60_000);
    expect(reflector.problem).toBeNull();
    expect(reflector.counters.lists.Failure - lists).toBeLessThan(60);
  });

  test('a second API server that lost etcd never lies to a list, is silent to a watch, and is caught up with', async () => {
    await write(map('stale', '1'));
    const second = await plane.startSecondApiServer();
    onTestFinished(async () => {
      second.resumeEtcd();
      await second.stop();
    });
    const stale = loadAccess({ from: 'File', path: second.kubeconfigPath });
    onTestFinished(() => {
      stale.close();
    });
    const secondApi = createClient({
      access: stale,
      clock: fastKubeClock(1),
      budget: null,
      deadlineMs: 3_000,
    });
    const reflector = await reflect('ConfigMap', secondApi);
    const seen = reflector.get('default/stale')!;
    second.pauseEtcd();
    await write(map('stale', '2'));
    await expect(secondApi.list('ConfigMap', { namespace: 'default' })).rejects.toMatchObject({
      status: expect.toSatisfy((status: number) => status === 0 || status >= 500) as number,
    });
    await eventually(() => {
      expect(reflector.counters.idleAborts).toBeGreaterThanOrEqual(1);
    }, 20_000);
    expect(valueOf(reflector, 'stale')).toBe('1');
    // What was decided on the stale copy is refused by the truth.
    const { uid = '', resourceVersion = '' } = seen.metadata;
    const ref = { kind: 'ConfigMap', namespace: 'default', name: 'stale' } as const;
    await expect(api.delete(ref, { uid, resourceVersion })).rejects.toMatchObject({
      isConflict: true,
    });
    second.resumeEtcd();
    await eventually(() => {
      expect(valueOf(reflector, 'stale')).toBe('2');
    }, 60_000);
  });
});
