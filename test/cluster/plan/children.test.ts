import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { readService } from '../../../crds/v1alpha1/read-object.ts';
import { planChildren } from '../../../operator/plan/children.ts';
import type { LiveObject } from '../../../operator/plan/live-object.ts';
import { FIELD_MANAGER } from '../../../operator/plan/names.ts';
import { planPolicyConfigMap } from '../../../operator/plan/policy-config-map.ts';
import { toServiceToPlan, type ServiceToPlan } from '../../../operator/plan/service.ts';
import { openRecord } from '../../promises/open-record.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { DEFAULTS, INSTALLATION } from '../../unit/operator/plan/builders.ts';
import { installDefinitions } from '../kube/definitions.ts';

const recordRestricted = openRecord('restricted');

const plane = await sharedControlPlane();

const GROUPS: Readonly<Record<string, string>> = {
  ServiceAccount: '/api/v1 serviceaccounts',
  Service: '/api/v1 services',
  ConfigMap: '/api/v1 configmaps',
  Deployment: '/apis/apps/v1 deployments',
  HorizontalPodAutoscaler: '/apis/autoscaling/v2 horizontalpodautoscalers',
  PodDisruptionBudget: '/apis/policy/v1 poddisruptionbudgets',
  NetworkPolicy: '/apis/networking.k8s.io/v1 networkpolicies',
};

type Json = Readonly<Record<string, unknown>>;

function pathOf(kind: string, namespace: string, name: string): string {
  const [root, plural] = String(GROUPS[kind]).split(' ');
  return `${String(root)}/namespaces/${namespace}/${String(plural)}/${name}`;
}

/** As the operator applies: by its name, forced, and nothing unknown passes. */
async function apply(object: LiveObject): Promise<LiveObject> {
  const { kind, metadata } = object;
  const answer = await plane.request({
    method: 'PATCH',
    path: `${pathOf(kind, String(metadata.namespace), metadata.name)}?fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`,
    contentType: 'application/apply-patch+yaml',
    body: object,
  });
  expect([200, 201], JSON.stringify(answer.body)).toContain(answer.status);
  return answer.body as LiveObject;
}

async function createService(namespace: string, spec: Json): Promise<ServiceToPlan> {
  const answer = await plane.request({
    method: 'POST',
    path: `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices`,
    body: {
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      metadata: { name: 'vision', namespace },
      spec,
    },
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  const read = readService(answer.body);
  if (!read.ok) throw new Error(read.message);
  return toServiceToPlan(read.value);
}

function childrenOf(
  service: ServiceToPlan,
  live: readonly LiveObject[] = [],
): readonly LiveObject[] {
  return planChildren({
    service,
    defaults: DEFAULTS,
    installation: INSTALLATION,
    adminGeneration: 1,
    live,
    isDeploymentHeld: false,
  }).apply;
}

function deploymentOf(service: ServiceToPlan, live: readonly LiveObject[] = []): LiveObject {
  return childrenOf(service, live).find(({ kind }) => kind === 'Deployment')!;
}

function specOf(file: string): Json {
  return (parse(readFileSync(file, 'utf8')) as { spec: Json }).spec;
}

const SMALLEST = specOf('crds/samples/smallest.yaml');
const DIGEST = `sha256:${'c'.repeat(64)}`;
const EVERY_SOURCE: Json = {
  ...SMALLEST,
  backbone: { uri: 'pvc://models/m.onnx', digest: DIGEST, caBundleConfigMapName: 'ca' },
  exits: [
    { name: 'small', model: { uri: 'https://a.example/s', credentialsSecretName: 'read' } },
    { name: 'claim', model: { uri: 'pvc://more/s' } },
  ],
  heads: {
    store: {
      oci: { repository: 'r.example/h', pullSecretName: 'pull', caBundleConfigMapName: 'ca' },
    },
  },
  server: { warmup: { inputsConfigMapName: 'warm' } },
  networkPolicy: { mode: 'Enabled' },
};

describe.skipIf(plane.unavailable !== null)('the planned children', () => {
  beforeAll(() => installDefinitions(plane));

  test.each([
    ['the smallest service', SMALLEST],
    ['the sample that sets every block', specOf('crds/samples/full.yaml')],
    ['a service that mounts something from everywhere', EVERY_SOURCE],
  ])('of %s are taken by the API server, and a second apply changes nothing', async (_, spec) => {
    const { name } = await plane.namespace();
    const service = await createService(name, spec);
    const policy = toLive(
      planPolicyConfigMap({
        service,
        installation: INSTALLATION,
        stored: { policy: '{}', stableBundle: 'TENIQg==', epoch: 1, writer: 'test' },
      }),
    );
    for (const child of [policy, ...childrenOf(service)]) {
      await apply(child);
      const { generation, managedFields } = (await apply(child)).metadata;
      expect(generation ?? 1, child.kind).toBe(1);
      expect(managedFields?.filter(({ manager }) => manager === FIELD_MANAGER)).toHaveLength(1);
    }
  });

  test('give pods that a namespace with enforce=restricted admits', async () => {
    const { name } = await plane.namespace({
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    });
    const counts = { pods: 0, refused: 0 };
    for (const [i, spec] of [SMALLEST, EVERY_SOURCE].entries()) {
      const service = { ...toPlan(spec), namespace: name };
      const { template } = deploymentOf(service).spec as { template: { spec: Json } };
      const pod = { ...template.spec, serviceAccountName: 'default' };
      const answer = await plane.request({
        method: 'POST',
        path: `/api/v1/namespaces/${name}/pods?dryRun=All`,
        body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${i}` }, spec: pod },
      });
      counts.pods += 1;
      counts.refused += answer.status === 201 ? 0 : 1;
      recordRestricted(counts);
      expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    }
  });

  test('keep the template of a newer operator to the letter', async () => {
    const { name } = await plane.namespace();
    const service = await createService(name, SMALLEST);
    const desired = deploymentOf(service);
    const record = JSON.stringify({ templateVersion: 9, inputs: {}, fingerprint: '' });
    const annotations = { 'layercache.io/template-inputs': record };
    const live = await apply({ ...desired, metadata: { ...desired.metadata, annotations } });
    const kept = await apply(deploymentOf(service, [live]));
    expect(kept.spec).toEqual(live.spec);
    expect(kept.metadata.generation).toBe(live.metadata.generation);
  });

  test('hand the number of pods over to an autoscaler and never take it back', async () => {
    const { name } = await plane.namespace();
    const service = await createService(name, {
      ...SMALLEST,
      autoscaling: { minReplicas: 2, maxReplicas: 8 },
    });
    const path = pathOf('Deployment', name, 'vision');
    const read = async (): Promise<LiveObject> =>
      (await plane.request({ path })).body as LiveObject;
    const first = await apply(deploymentOf(service));
    expect((first.spec as Json).replicas).toBe(2);
    // Its status moves under our hands: the write is conditional, so a stale read is 409 and read again.
    await eventually(async () => {
      const repeated = await apply(deploymentOf(service, [await read()]));
      expect((repeated.spec as Json).replicas).toBe(2);
    });

    const scaled = await plane.request({
      method: 'PATCH',
      path: `${path}/scale?fieldManager=autoscaler`,
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas: 5 } },
    });
    expect(scaled.status).toBe(200);
    const omitted = deploymentOf(service, [await read()]);
    expect(omitted.spec).not.toHaveProperty('replicas');
    expect(((await apply(omitted)).spec as Json).replicas).toBe(5);
  });
});

/** Renderers set all that a live object is asked for. */
function toLive(object: object): LiveObject {
  return object as LiveObject;
}

function toPlan(spec: Json): ServiceToPlan {
  const read = readService({
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name: 'vision', namespace: 'ml', uid: 'u', generation: 1 },
    spec,
  });
  if (!read.ok) throw new Error(read.message);
  return toServiceToPlan(read.value);
}
