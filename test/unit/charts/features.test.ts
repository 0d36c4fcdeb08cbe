import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { only, render, renderObjects, type ChartObject } from './helm.ts';
import { nameOf, operatorContainerOf, templateOf } from './policy-rules.ts';
import { MONITORING, valuesFor } from './scenarios.ts';

const ALL_ON = valuesFor('all on', '1.36.0');

async function withAllOn(more: object = {}): Promise<readonly ChartObject[]> {
  const merged = Object.fromEntries(
    Object.entries({ ...ALL_ON, ...more }).map(([key, value]) => [
      key,
      { ...(ALL_ON as Record<string, object>)[key], ...(value as object) },
    ]),
  );
  return renderObjects({ values: merged, apiVersions: MONITORING });
}

/** Objects that are only in one of two renderings, or differ. */
function changed(a: readonly ChartObject[], b: readonly ChartObject[]): readonly ChartObject[] {
  const isIn = (one: ChartObject, list: readonly ChartObject[]): boolean =>
    list.some((other) => isDeepStrictEqual(one, other));
  return [...a.filter((one) => !isIn(one, b)), ...b.filter((one) => !isIn(one, a))];
}

test.each<readonly [string, object, RegExp]>([
  ['networkPolicy', { enabled: false }, /^NetworkPolicy /],
  ['dashboards', { enabled: false }, /^(ConfigMap .*-dashboard-|GrafanaDashboard )/],
  ['alerts', { enabled: false }, /^PrometheusRule /],
  ['tests', { enabled: false }, /-smoke-test$/],
  ['rbac', { aggregate: false }, /^ClusterRole .*-(view|edit)$/],
  ['crds', { install: false }, /^CustomResourceDefinition /],
  ['serviceAccount', { annotations: {} }, /^ServiceAccount /],
  ['admissionPolicies', { protectState: false }, /^ValidatingAdmissionPolicy.*-protect-state$/],
  ['metrics', { podMonitor: { enabled: false } }, /^(PodMonitor |Deployment )/],
  ['trainer', { enabled: false }, /^Deployment /],
  ['server', { defaults: {} }, /^Deployment /],
])('without %s %o only its own objects change', async (block, values, names) => {
  const differing = changed(await withAllOn(), await withAllOn({ [block]: values }));
  expect(differing).not.toEqual([]);
  expect(differing.map(nameOf).filter((name) => !names.test(name))).toEqual([]);
});

async function operatorOf(values: object): Promise<{ image: string; notes: readonly string[] }> {
  const { image, env = [] } = operatorContainerOf(await renderObjects({ values }));
  const notes = env.filter(({ name }) => name.endsWith('_IMAGE')).map(({ value }) => String(value));
  return { image, notes };
}

test('global.imageRegistry points every image elsewhere, with and without a registry of its own', async () => {
  const server = { image: { repository: 'layercache/server', tag: '2' } };
  expect(
    await operatorOf({ global: { imageRegistry: 'registry.internal:5000/mirror/' }, server }),
  ).toEqual({
    image: 'registry.internal:5000/mirror/layercache/operator:0.1.0',
    notes: [
      'registry.internal:5000/mirror/layercache/server-gpu:0.1.0',
      'registry.internal:5000/mirror/layercache/server:2',
      'registry.internal:5000/mirror/layercache/server-tensorflow-gpu:0.1.0',
      'registry.internal:5000/mirror/layercache/server-tensorflow:0.1.0',
      'registry.internal:5000/mirror/layercache/operator:0.1.0',
    ],
  });
});

test('a digest beats the tag', async () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const { image } = await operatorOf({ operator: { image: { tag: 'x', digest } } });
  expect(image).toBe(`docker.io/layercache/operator@${digest}`);
});

test('without operator.pdb only the disruption budget is missing', async () => {
  const operator = { ...(ALL_ON as { operator: object }).operator, pdb: { enabled: false } };
  const differing = changed(await withAllOn(), await withAllOn({ operator }));
  expect(differing.map(({ kind }) => kind)).toEqual(['PodDisruptionBudget']);
});

test('one replica has no disruption budget, two have one that lets a node be drained', async () => {
  expect((await renderObjects()).some(({ kind }) => kind === 'PodDisruptionBudget')).toBe(false);
  const two = await renderObjects({ values: { operator: { replicas: 2 } } });
  expect(only(two, 'PodDisruptionBudget').spec).toMatchObject({
    minAvailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  });
  await expect(
    renderObjects({ values: { operator: { replicas: 2, pdb: { minAvailable: 2 } } } }),
  ).rejects.toThrow('no node could ever be drained');
});

test('shards are told to the operator, and need a replica each', async () => {
  const three = await renderObjects({ values: { operator: { replicas: 3, shards: 2 } } });
  expect(operatorContainerOf(three).env).toContainEqual({ name: 'LAYERCACHE_SHARDS', value: '2' });
  await expect(renderObjects({ values: { operator: { shards: 2 } } })).rejects.toThrow(
    'operator.shards is 2 and operator.replicas 1, so some namespaces would have no leader',
  );
  await renderObjects({ values: { operator: { replicas: 0, shards: 2 } } });
});

test('the operator has one monitor or annotations, never both', async () => {
  const kinds = async (metrics: object, apiVersions: readonly string[]) => {
    const objects = await renderObjects({ values: { metrics }, apiVersions });
    const { annotations = {} } = templateOf(only(objects, 'Deployment'))?.metadata ?? {};
    return [
      ...objects
        .filter(({ kind }) => kind.endsWith('Monitor'))
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ...Object.keys(annotations).filter((key) => key === 'prometheus.io/scrape'),
    ];
  };
  const [pod, service] = [{ podMonitor: { enabled: true } }, { serviceMonitor: { enabled: true } }];
  expect(await kinds(pod, MONITORING)).toEqual([
    'PodMonitor demo-layercache-operator',
    'PodMonitor demo-layercache-models',
  ]);
  expect([...(await kinds(service, MONITORING))].sort()).toEqual([
    'PodMonitor demo-layercache-models',
    'ServiceMonitor demo-layercache-operator',
  ]);
  expect(await kinds(pod, [])).toEqual(['prometheus.io/scrape']);
  await expect(kinds({ ...pod, ...service }, MONITORING)).rejects.toThrow(
    'would scrape the operator twice',
  );
});

test('the longest names that a release can have stay below 64 characters', async () => {
  const release = 'r'.repeat(53);
  const rendered = await render({ release, values: ALL_ON, apiVersions: MONITORING });
  const names = rendered.ok ? rendered.objects.map(({ metadata }) => metadata.name) : [];
  expect(Math.max(...names.map((name) => name.length))).toBeLessThan(64);
  expect(names).toContain(`${'r'.repeat(34)}-smoke-test`);
});

test('braces in descriptions of the definitions are never read as templates', async () => {
  const objects = await renderObjects();
  for (const plural of ['cachedmodelservices', 'cacheheadrevisions']) {
    const definition = only(objects, 'CustomResourceDefinition', `${plural}.layercache.io`);
    expect(definition.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  }
  const without = await renderObjects({ values: { crds: { keep: false } } });
  expect(
    only(without, 'CustomResourceDefinition', 'cacheheadrevisions.layercache.io').metadata
      .annotations,
  ).toBeUndefined();
});

test('strings of extraObjects are templates', async () => {
  expect(only(await withAllOn(), 'ConfigMap', 'demo-note').data).toEqual({ text: 'more' });
});
