import { beforeEach, expect, test } from 'vitest';
import type { Api, KubeObject } from '../../../../operator/kube/api.ts';
import {
  guardWrites,
  interceptApi,
  NotLeadingError,
  type ApiCall,
} from '../../../../operator/kube/intercept-api.ts';
import { fakeKubeClock } from '../../../support/kube-clock.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../../support/simulated-api.ts';

let cluster: SimulatedCluster;
let plain: Api;

beforeEach(() => {
  cluster = createSimulatedCluster({ clock: fakeKubeClock() });
  cluster.addNamespace('ns');
  plain = cluster.client('operator');
});

const REF = { kind: 'ConfigMap', namespace: 'ns', name: 'a' } as const;
const MAP: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'ns' },
};

async function useAll(api: Api): Promise<void> {
  const created = await api.create(MAP);
  await api.get(REF);
  await api.list('ConfigMap', { namespace: 'ns' });
  await api.list('Pod');
  await api.apply({ ...MAP, data: { x: '1' } }, { fieldManager: 'm', dryRun: true });
  await api.replace(created);
  await api.mergePatch(REF, { data: { y: '1' } });
  const stop = new AbortController();
  const watching = api.watch(
    'ConfigMap',
    { resourceVersion: '9999', timeoutSeconds: 1, signal: stop.signal },
    () => undefined,
  );
  stop.abort();
  await watching.catch(() => undefined);
  await api.delete(REF);
}

test('every call is seen with its verb, kind, place and outcome, as rights name them', async () => {
  const seen: string[] = [];
  const text = ({ verb, kind, namespace, name, isDryRun }: ApiCall): string =>
    `${verb} ${kind} ${namespace ?? '*'}/${name ?? '*'}${isDryRun ? ' dry' : ''}`;
  await useAll(
    interceptApi(plain, {
      after: (call, error) => seen.push(`${text(call)} ${error?.reason ?? 'ok'}`),
    }),
  );
  expect(seen).toEqual([
    'create ConfigMap ns/a ok',
    'get ConfigMap ns/a ok',
    'list ConfigMap ns/* ok',
    'list Pod */* ok',
    'patch ConfigMap ns/a dry ok',
    'update ConfigMap ns/a ok',
    'patch ConfigMap ns/a ok',
    'watch ConfigMap */* Aborted',
    'delete ConfigMap ns/a ok',
  ]);
});

test('a status write is seen as one', async () => {
  const seen: (string | null)[] = [];
  const api = interceptApi(plain, { before: ({ subresource }) => void seen.push(subresource) });
  const body: KubeObject = {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name: 'm', namespace: 'ns' },
  };
  await expect(api.apply(body, { fieldManager: 'm', subresource: 'status' })).rejects.toMatchObject(
    { isNotFound: true },
  );
  await expect(
    api.mergePatch(
      { kind: 'CachedModelService', namespace: 'ns', name: 'm' },
      {},
      { subresource: 'status' },
    ),
  ).rejects.toMatchObject({ isNotFound: true });
  expect(seen).toEqual(['status', 'status']);
});

test('a process that no longer leads reads on and writes nothing', async () => {
  let leads = true;
  const api = guardWrites(plain, () => leads);
  await api.create(MAP);
  leads = false;
  await api.get(REF);
  const writes = [
    api.create({ ...MAP, metadata: { name: 'b', namespace: 'ns' } }),
    api.apply({ ...MAP, data: { x: '1' } }, { fieldManager: 'm' }),
    api.replace(MAP),
    api.mergePatch(REF, { data: { x: '1' } }),
    api.delete(REF),
  ];
  for (const write of writes) await expect(write).rejects.toThrow(NotLeadingError);
  expect(cluster.writes).toHaveLength(1);
});
