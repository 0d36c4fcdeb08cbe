import type { Deployment } from 'kubernetes-types/apps/v1.js';
import { describe, expect, test } from 'vitest';

import { planDeployment, type DeploymentPlan } from '../../../../operator/plan/deployment.ts';
import type { LiveObject } from '../../../../operator/plan/live-object.ts';
import { planReplicas } from '../../../../operator/plan/replicas.ts';
import type { ServiceToPlan } from '../../../../operator/plan/service.ts';
import {
  aServiceToPlan,
  DEFAULTS,
  golden,
  NEWER_DEFAULTS,
  ourFields,
  stored,
  theFullSample,
  toYaml,
} from './builders.ts';

function plan(service: ServiceToPlan, live: LiveObject | null = null): DeploymentPlan {
  return planDeployment({ service, defaults: DEFAULTS, live, adminGeneration: 1 });
}

function deploymentOf(service: ServiceToPlan, live: LiveObject | null = null): Deployment {
  const result = plan(service, live);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.deployment;
}

test('the Deployment of the smallest service', async () => {
  await expect(toYaml(deploymentOf(aServiceToPlan()))).toMatchFileSnapshot(golden('deployment'));
});

test('the Deployment of the sample that sets every block', async () => {
  await expect(toYaml(deploymentOf(theFullSample()))).toMatchFileSnapshot(
    golden('deployment-full'),
  );
});

test('the newest operator leaves a Deployment of this one as it is', () => {
  const service = aServiceToPlan();
  const first = deploymentOf(service);
  const again = planDeployment({
    service,
    defaults: NEWER_DEFAULTS,
    live: stored(first),
    adminGeneration: 1,
  });
  expect(again).toMatchObject({ ok: true, deployment: first, isTemplateKept: false });
});

test('the template of a newer operator is applied as it is owned, so nothing changes', () => {
  const service = aServiceToPlan();
  const first = deploymentOf(service);
  const record = JSON.stringify({ templateVersion: 9, inputs: {}, fingerprint: 'x' });
  const live = stored(first, {
    annotations: { 'layercache.io/template-inputs': record },
    managedFields: [
      ourFields({
        'f:spec': {
          'f:template': {
            'f:spec': {
              'f:serviceAccountName': {},
              'f:containers': { 'k:{"name":"server"}': { '.': {}, 'f:name': {}, 'f:image': {} } },
            },
          },
        },
      }),
    ],
  });
  const kept = plan(service, live);
  expect(kept).toMatchObject({ ok: true, templateVersion: 9, isTemplateKept: true });
  expect(kept.ok && kept.deployment.spec!.template).toEqual({
    spec: {
      serviceAccountName: 'vision',
      containers: [{ name: 'server', image: DEFAULTS.template.image }],
    },
  });
  expect(kept.ok && kept.deployment.metadata!.annotations).toEqual({
    'layercache.io/template-inputs': record,
  });
});

test('a template that breaks is a problem and no Deployment', () => {
  expect(plan(aServiceToPlan({ podTemplate: { metadata: null } }))).toMatchObject({ ok: false });
});

describe('a roll', () => {
  const strategyOf = (spec: Record<string, unknown>): unknown =>
    deploymentOf(aServiceToPlan(spec)).spec!.strategy;
  const rolling = (maxSurge: unknown, maxUnavailable: unknown): unknown => ({
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge, maxUnavailable },
  });
  const GPU = { resources: { limits: { 'nvidia.com/gpu': 1 } } };

  test.each([
    ['without a device surges', {}, 1, 0],
    ['with an extended resource frees one first', { pod: GPU }, 0, 1],
    ['with a claim frees one first', { pod: { resourceClaims: [{ name: 'gpu' }] } }, 0, 1],
    [
      'with a device from podTemplate frees one first',
      {
        podTemplate: {
          spec: { containers: [{ name: 'server', resources: { limits: { 'a.b/c': 1 } } }] },
        },
      },
      0,
      1,
    ],
    ['keeps what is written', { updateStrategy: { maxSurge: '25%', maxUnavailable: 2 } }, '25%', 2],
    ['that may not surge takes one away', { updateStrategy: { maxSurge: 0 } }, 0, 1],
    [
      'that may take none away surges',
      { pod: GPU, updateStrategy: { maxUnavailable: '0%' } },
      1,
      '0%',
    ],
    [
      'with a device that may surge keeps its default',
      { pod: GPU, updateStrategy: { maxSurge: 1 } },
      1,
      1,
    ],
  ])('%s', (_, spec, maxSurge, maxUnavailable) => {
    expect(strategyOf(spec)).toEqual(rolling(maxSurge, maxUnavailable));
  });

  test('that recreates has no amounts', () => {
    expect(strategyOf({ updateStrategy: { type: 'Recreate' } })).toEqual({ type: 'Recreate' });
  });
});

describe('the number of pods', () => {
  const HPA = { autoscaling: { minReplicas: 2, maxReplicas: 8 } };
  const live = (replicas: number | undefined, managedFields: readonly object[]): LiveObject =>
    stored(
      deploymentOf(aServiceToPlan()),
      { managedFields: managedFields },
      { spec: { replicas } },
    );
  const ours = ourFields({ 'f:spec': { 'f:replicas': {} } });
  const autoscalers = {
    manager: 'kube-controller-manager',
    operation: 'Update',
    subresource: 'scale',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  };
  const others = { manager: 'kubectl', operation: 'Update', fieldsV1: { 'f:metadata': {} } };

  test.each([
    [
      'is the spec without an autoscaler',
      { replicas: 3 },
      live(7, [autoscalers]),
      { kind: 'Set', replicas: 3 },
    ],
    [
      'is 0 while suspended, whoever owns it',
      { ...HPA, suspend: true },
      live(7, [autoscalers]),
      { kind: 'Set', replicas: 0 },
    ],
    ['begins at the lower bound', HPA, null, { kind: 'Set', replicas: 2 }],
    [
      'begins at the lower bound where none is said',
      HPA,
      live(undefined, []),
      { kind: 'Set', replicas: 2 },
    ],
    [
      'is repeated under its version while we own it',
      HPA,
      live(5, [ours, others]),
      { kind: 'Set', replicas: 5, resourceVersion: '7' },
    ],
    [
      'returns to the lower bound after a suspension',
      HPA,
      live(0, [ours]),
      { kind: 'Set', replicas: 2, resourceVersion: '7' },
    ],
    ['is left alone once the autoscaler owns it', HPA, live(5, [autoscalers]), { kind: 'Omit' }],
    ['is left alone when both own it', HPA, live(5, [ours, autoscalers]), { kind: 'Omit' }],
    [
      'is left alone at 0 when somebody scaled to it by hand',
      HPA,
      live(0, [autoscalers]),
      { kind: 'Omit' },
    ],
    [
      'is left alone at 0 that nobody owns, as a scale by hand leaves it',
      HPA,
      live(0, [others]),
      { kind: 'Omit' },
    ],
  ])('%s', (_, spec, object, expected) => {
    expect(planReplicas(aServiceToPlan(spec), object)).toEqual(expected);
  });

  test('of an object that has no version is set without one', () => {
    const read = live(5, [ours]);
    const { managedFields = [] } = read.metadata;
    const object = { ...read, metadata: { name: 'vision', managedFields } };
    expect(planReplicas(aServiceToPlan(HPA), object)).toEqual({ kind: 'Set', replicas: 5 });
  });

  test('stands in the Deployment with the version it was read at, or not at all', () => {
    const service = aServiceToPlan(HPA);
    const repeated = deploymentOf(service, live(5, [ours]));
    expect(repeated.spec!.replicas).toBe(5);
    expect(repeated.metadata!.resourceVersion).toBe('7');
    const left = deploymentOf(service, live(5, [autoscalers]));
    expect(left.spec).not.toHaveProperty('replicas');
    expect(left.metadata).not.toHaveProperty('resourceVersion');
  });
});
