import { expect, test } from 'vitest';
import { CONFIG_VARIABLES, loadConfig } from '../../../operator/config.ts';
import { operatorRules } from '../../../operator/plan/rbac.ts';
import { NAMESPACE, only, RELEASE, renderObjects, type ChartObject } from './helm.ts';
import { operatorContainerOf } from './policy-rules.ts';
import { SCENARIOS } from './scenarios.ts';

/** Left to `operator.extraEnv`: times and rates that nobody should need, and what only makes sense outside a cluster. */
const NOT_SET = [
  'KUBECONFIG',
  'LEASE_NAME',
  'LEASE_DURATION',
  'LEASE_RENEW_DEADLINE',
  'LEASE_RETRY_PERIOD',
  'API_RATE',
  'API_BURST',
  'BIND_HOST',
  'SHUTDOWN_TIMEOUT',
  'HEAD_STORE',
  'HEAD_STORE_PULL_SECRET',
  'HEAD_STORE_PUSH_SECRET',
  'HEAD_STORE_CA_BUNDLE',
];

function environmentOf(objects: readonly ChartObject[]): Readonly<Record<string, string>> {
  const { env = [] } = operatorContainerOf(objects);
  const fromPod: Readonly<Record<string, string | undefined>> = {
    LAYERCACHE_NAMESPACE: NAMESPACE,
    LAYERCACHE_POD_NAME: 'demo-operator-0',
  };
  return Object.fromEntries(env.map(({ name, value }) => [name, value ?? fromPod[name] ?? '']));
}

test.each(Object.keys(SCENARIOS))('the operator accepts its variables: %s', async (scenario) => {
  const environment = environmentOf(await renderObjects({ values: SCENARIOS[scenario] ?? {} }));
  const loaded = loadConfig(environment);
  expect(loaded).toMatchObject({ ok: true });
});

test('with everything on each variable of the operator is set, but those that are left to extraEnv', async () => {
  const values = {
    ...SCENARIOS['all on'],
    watchNamespaces: { ml: true },
    networkPolicy: { monitoringNamespace: 'monitoring' },
  };
  const names = Object.keys(environmentOf(await renderObjects({ values })))
    .filter((name) => name.startsWith('LAYERCACHE_'))
    .map((name) => name.slice('LAYERCACHE_'.length));
  expect([...names, ...NOT_SET].sort()).toEqual([...CONFIG_VARIABLES].sort());
});

test('a default installation tells the operator what it would assume without being told', async () => {
  const environment = environmentOf(await renderObjects());
  const loaded = loadConfig(environment);
  const bare = loadConfig({
    LAYERCACHE_NAMESPACE: NAMESPACE,
    LAYERCACHE_SERVER_IMAGE: String(environment.LAYERCACHE_SERVER_IMAGE),
    LAYERCACHE_RELEASE: RELEASE,
    LAYERCACHE_POD_NAME: 'demo-operator-0',
    LAYERCACHE_SERVER_GPU_IMAGE: String(environment.LAYERCACHE_SERVER_GPU_IMAGE),
    LAYERCACHE_SERVER_TENSORFLOW_IMAGE: String(environment.LAYERCACHE_SERVER_TENSORFLOW_IMAGE),
    LAYERCACHE_SERVER_TENSORFLOW_GPU_IMAGE: String(
      environment.LAYERCACHE_SERVER_TENSORFLOW_GPU_IMAGE,
    ),
    LAYERCACHE_TRAINER_IMAGE: String(environment.LAYERCACHE_TRAINER_IMAGE),
  });
  expect(loaded).toEqual(bare);
});

test('the heap is three quarters of the memory limit', async () => {
  const heap = async (memory: string): Promise<string | undefined> => {
    const values = { operator: { resources: { limits: { memory } } } };
    return environmentOf(await renderObjects({ values })).NODE_OPTIONS;
  };
  expect(await heap('512Mi')).toBe('--max-old-space-size=384');
  expect(await heap('2Gi')).toBe('--max-old-space-size=1536');
  expect(await heap('1G')).toBeUndefined();
});

test('extraEnv cannot set what the chart sets', async () => {
  await expect(
    renderObjects({ values: { operator: { extraEnv: { LAYERCACHE_RELEASE: 'x' } } } }),
  ).rejects.toThrow('operator.extraEnv.LAYERCACHE_RELEASE is set by the chart itself');
});

const RULES = operatorRules(RELEASE);

test('the ClusterRole is the table of rights, the Role of the installation too', async () => {
  const objects = await renderObjects();
  expect(only(objects, 'ClusterRole', 'demo-layercache-operator').rules).toEqual(RULES.services);
  expect(only(objects, 'Role', 'demo-layercache-operator-installation').rules).toEqual(
    RULES.installation,
  );
});

test('with shards the operator may hold the Lease of each, and no more', async () => {
  const objects = await renderObjects({ values: { operator: { replicas: 3, shards: 2 } } });
  expect(only(objects, 'Role', 'demo-layercache-operator-installation').rules).toEqual(
    operatorRules(RELEASE, 2).installation,
  );
});

test('with scope Namespaced there is one Role in each watched namespace, by default that of the release', async () => {
  const rolesWith = async (values: object): Promise<readonly (string | undefined)[]> =>
    (await renderObjects({ values: { rbac: { scope: 'Namespaced' }, ...values } }))
      .filter(({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('-operator'))
      .map(({ metadata, rules }) => {
        expect(rules).toEqual(RULES.services);
        return metadata.namespace;
      });
  expect(await rolesWith({})).toEqual([NAMESPACE]);
  expect(await rolesWith({ watchNamespaces: { ml: true, vision: true, old: false } })).toEqual([
    'ml',
    'vision',
  ]);
});
