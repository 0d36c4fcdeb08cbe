import { describe, expect, test } from 'vitest';

import { serializePolicy } from '../../../../crds/wire/policy.ts';
import { planAdminSecret } from '../../../../operator/plan/admin-secret.ts';
import { planChildren, type ChildrenPlan } from '../../../../operator/plan/children.ts';
import { findForeignInstallation, findNameConflict } from '../../../../operator/plan/conflicts.ts';
import { planPodDisruptionBudget } from '../../../../operator/plan/disruption-budget.ts';
import type { LiveObject } from '../../../../operator/plan/live-object.ts';
import { planHorizontalPodAutoscaler } from '../../../../operator/plan/autoscaler.ts';
import { trainerSecretName } from '../../../../operator/plan/names.ts';
import { namedConfigMaps } from '../../../../operator/plan/named-config-maps.ts';
import { egressPorts } from '../../../../operator/plan/egress-ports.ts';
import { planNetworkPolicies } from '../../../../operator/plan/network-policy.ts';
import {
  planPolicyConfigMap,
  storedEpoch,
  storedPolicy,
} from '../../../../operator/plan/policy-config-map.ts';
import { planRevert } from '../../../../operator/plan/reverts.ts';
import type { ServiceToPlan } from '../../../../operator/plan/service.ts';
import { planServiceAccounts } from '../../../../operator/plan/service-accounts.ts';
import { aPolicy } from '../../crds/documents.ts';
import {
  aServiceToPlan,
  DEFAULTS,
  golden,
  INSTALLATION,
  stored,
  theFullSample,
  toYaml,
  UID,
} from './builders.ts';

function plan(
  service: ServiceToPlan,
  live: readonly LiveObject[] = [],
  isDeploymentHeld = false,
): ChildrenPlan {
  return planChildren({
    service,
    defaults: DEFAULTS,
    installation: INSTALLATION,
    adminGeneration: 1,
    live,
    isDeploymentHeld,
  });
}

function namesOf(objects: readonly LiveObject[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

describe('the children', () => {
  test('of the smallest service', async () => {
    const { apply } = plan(aServiceToPlan());
    expect(namesOf(apply)).toEqual([
      'ServiceAccount vision',
      'ServiceAccount vision-trainer',
      'Service vision',
      'Deployment vision',
    ]);
    const others = apply.filter(({ kind }) => kind !== 'Deployment');
    await expect(others.map(toYaml).join('---\n')).toMatchFileSnapshot(golden('children'));
  });

  test('of the sample that sets every block', async () => {
    const { apply, templateVersion } = plan(theFullSample());
    expect(namesOf(apply)).toEqual([
      'ServiceAccount vision',
      'NetworkPolicy vision',
      'NetworkPolicy vision-trainer',
      'Service vision',
      'Deployment vision',
      'HorizontalPodAutoscaler vision',
      'PodDisruptionBudget vision',
    ]);
    expect(templateVersion).toBe(1);
    const others = apply.filter(({ kind }) => kind !== 'Deployment');
    await expect(others.map(toYaml).join('---\n')).toMatchFileSnapshot(golden('children-full'));
  });

  test('all have the service as their only controller, in its namespace', () => {
    for (const child of plan(theFullSample()).apply) {
      expect(child.metadata.namespace).toBe('ml');
      expect(child.metadata.ownerReferences).toEqual([
        {
          apiVersion: 'layercache.io/v1alpha1',
          kind: 'CachedModelService',
          name: 'vision',
          uid: UID,
          controller: true,
          blockOwnerDeletion: true,
        },
      ]);
    }
  });

  test('have names of at most 63 characters, however long the name of the service is', () => {
    const name = 'a'.repeat(40);
    const service = { ...aServiceToPlan(), name };
    const names = [
      ...plan(service).apply.map(({ metadata }) => metadata.name),
      trainerSecretName(name, 1e6),
    ];
    expect(Math.max(...names.map((child) => child.length))).toBeLessThanOrEqual(63);
  });

  test('of a service that is being deleted are left to the garbage collector', () => {
    const service = aServiceToPlan({}, { deletionTimestamp: '2026-11-25T10:00:00Z' });
    const autoscaler = stored(planHorizontalPodAutoscaler(theFullSample())!);
    expect(plan(service, [autoscaler])).toEqual({
      apply: [],
      remove: [],
      conflicts: [],
      templateProblems: [],
      templateVersion: null,
      isTemplateKept: false,
    });
  });

  test('that pods would trip over are held back alone', () => {
    expect(namesOf(plan(aServiceToPlan(), [], true).apply)).not.toContain('Deployment vision');
    expect(namesOf(plan(aServiceToPlan(), [], true).apply)).toContain('Service vision');
  });

  test('keep the template of a newer operator, and say so', () => {
    const service = aServiceToPlan();
    const [desired] = plan(service).apply.filter(({ kind }) => kind === 'Deployment');
    const inputs = JSON.stringify({ templateVersion: 9, inputs: {}, fingerprint: '' });
    const annotations = { 'layercache.io/template-inputs': inputs };
    expect(plan(service, [stored(desired!, { annotations })])).toMatchObject({
      templateProblems: [],
      isTemplateKept: true,
    });
    expect(plan(service)).toMatchObject({ templateProblems: [], isTemplateKept: false });
  });

  test('do not include a Deployment whose template is refused', () => {
    const refused = plan(aServiceToPlan({ podTemplate: { metadata: null } }));
    expect(namesOf(refused.apply)).not.toContain('Deployment vision');
    expect(refused.templateProblems).toHaveLength(2);
    expect(refused.templateVersion).toBeNull();
  });
});

describe('a child that is not wanted any more', () => {
  const full = theFullSample();
  const live = plan(full).apply.map((child) => stored(child));
  const smallest = aServiceToPlan();

  test('is removed when it is ours', () => {
    expect(namesOf(plan(smallest, live).remove)).toEqual([
      'NetworkPolicy vision',
      'NetworkPolicy vision-trainer',
      'HorizontalPodAutoscaler vision',
      'PodDisruptionBudget vision',
    ]);
    expect(plan(full, live).remove).toEqual([]);
  });

  test('of an account is removed when the spec names another', () => {
    const named = aServiceToPlan({ pod: { serviceAccountName: 'of-others' } });
    const accounts = plan(smallest).apply.map((child) => stored(child));
    expect(namesOf(plan(named, accounts).remove)).toEqual(['ServiceAccount vision']);
  });

  test('is left alone when it is not ours, or is going already', () => {
    const foreign = live.map((child) => stored(child, { ownerReferences: [] }));
    const going = live.map((child) => stored(child, { deletionTimestamp: '2026-11-25T10:00:00Z' }));
    expect(plan(smallest, foreign).remove).toEqual([]);
    expect(plan(smallest, going).remove).toEqual([]);
  });

  test('of a kind that is kept for ever is never removed', () => {
    const policy = stored({ apiVersion: 'v1', kind: 'ConfigMap', metadata: live[0]!.metadata });
    expect(plan(smallest, [policy]).remove).toEqual([]);
  });
});

describe('an object of another owner that has the name of a child', () => {
  const service = aServiceToPlan();
  const object = (metadata: Partial<LiveObject['metadata']>): LiveObject =>
    stored({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'vision' } }, metadata);

  test('is named and not touched, and the others are planned', () => {
    const { apply, conflicts } = plan(service, [object({})]);
    expect(namesOf(apply)).toEqual([
      'ServiceAccount vision',
      'ServiceAccount vision-trainer',
      'Deployment vision',
    ]);
    expect(conflicts).toEqual([
      { kind: 'Service', name: 'vision', holder: 'has no owner', isLeaving: false },
    ]);
  });

  test('stands in the way of the child of its own name alone', () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount' };
    const foreign = stored({ ...account, metadata: { name: 'vision-trainer' } });
    const { apply, conflicts } = plan(service, [foreign]);
    expect(conflicts.map(({ name }) => name)).toEqual(['vision-trainer']);
    expect(namesOf(apply)).toContain('ServiceAccount vision');
  });

  const owner = { apiVersion: 'apps/v1', kind: 'Thing', name: 'other', uid: 'x', controller: true };
  test.each([
    ['belongs to another', { ownerReferences: [owner] }, 'belongs to Thing other', false],
    ['is being deleted', { deletionTimestamp: '2026-11-25T10:00:00Z' }, 'has no owner', true],
    [
      'belonged to a deleted service of the same name',
      { ownerReferences: [{ ...owner, kind: 'CachedModelService', name: 'vision' }] },
      'belongs to a deleted service of the same name and is being collected',
      true,
    ],
  ])('%s', (_, metadata, holder, isLeaving) => {
    expect(findNameConflict(service, object(metadata))).toMatchObject({ holder, isLeaving });
  });

  test('is no conflict when it is ours or not there', () => {
    expect(findNameConflict(service, null)).toBeNull();
    expect(
      findNameConflict(service, object({ ownerReferences: [{ ...owner, uid: UID }] })),
    ).toBeNull();
  });
});

describe('the policy ConfigMap', () => {
  const service = aServiceToPlan();
  const content = {
    policy: '{"epoch":3}',
    stableBundle: 'TENIQg==',
    epoch: 3,
    writer: 'op-1',
  };
  const map = (installation = INSTALLATION, fields: Partial<typeof content> = {}): LiveObject =>
    stored(planPolicyConfigMap({ service, installation, stored: { ...content, ...fields } }));

  test('holds policy, bundle, epoch and writer', async () => {
    const object = planPolicyConfigMap({
      service,
      installation: INSTALLATION,
      stored: content,
    });
    await expect(toYaml(object)).toMatchFileSnapshot(golden('policy-config-map'));
  });

  test('holds no policy before a backbone is known', () => {
    const empty = { policy: null, stableBundle: null, epoch: 1, writer: 'op-1' };
    const object = planPolicyConfigMap({ service, installation: INSTALLATION, stored: empty });
    expect(object).not.toHaveProperty('data');
    expect(object).not.toHaveProperty('binaryData');
  });

  test('is read back as it was written; what cannot be read is none', () => {
    const policy = aPolicy();
    expect(storedPolicy(map(INSTALLATION, { policy: serializePolicy(policy) }))).toEqual(policy);
    expect(storedPolicy(map(INSTALLATION, { policy: '{"epoch":3}' }))).toBeNull();
    expect(storedPolicy(stored({ ...map(), data: undefined }))).toBeNull();
    expect(storedPolicy(null)).toBeNull();
  });

  test('says which epoch it claims; nonsense claims none', () => {
    expect(storedEpoch(map())).toBe(3);
    expect(storedEpoch(map(INSTALLATION, { epoch: -1 }))).toBe(0);
    expect(storedEpoch(map(INSTALLATION, { epoch: 0.5 }))).toBe(0);
    expect(storedEpoch(null)).toBe(0);
    expect(storedEpoch(stored({ ...map(), metadata: { name: 'x' } }))).toBe(0);
  });

  test('of another installation makes this one the foreign one', () => {
    const other = { ...INSTALLATION, release: 'second' };
    expect(findForeignInstallation(service, map(other), INSTALLATION)).toBe(
      'layercache-system/second',
    );
  });

  test('of this installation, of nobody, and one that is not ours do not', () => {
    expect(findForeignInstallation(service, map(), INSTALLATION)).toBeNull();
    expect(findForeignInstallation(service, null, INSTALLATION)).toBeNull();
    const foreign = stored(map({ ...INSTALLATION, release: 'second' }), { ownerReferences: [] });
    expect(findForeignInstallation(service, foreign, INSTALLATION)).toBeNull();
    const plain = stored(map(), { annotations: {} });
    expect(findForeignInstallation(service, plain, INSTALLATION)).toBeNull();
  });
});

test('the Secret of the admin keys is made once and cannot change', async () => {
  const keys = { privateKey: 'KEY', certificate: 'CERT', peers: '{}' };
  const secret = planAdminSecret(aServiceToPlan(), 2, keys);
  await expect(toYaml(secret)).toMatchFileSnapshot(golden('admin-secret'));
});

describe('accounts', () => {
  const accountsOf = (spec: Record<string, unknown>): (string | undefined)[] =>
    planServiceAccounts(aServiceToPlan(spec)).map(({ metadata }) => metadata?.name);

  test.each([
    ['are made for pods and trainer', {}, ['vision', 'vision-trainer']],
    [
      'of the user are not made',
      { pod: { serviceAccountName: 'a' }, heads: { training: { serviceAccountName: 'b' } } },
      [],
    ],
    ['of a trainer are not made without exits', { exits: [] }, ['vision']],
    [
      'of a trainer are not made without training',
      { heads: { training: { mode: 'Off' } } },
      ['vision'],
    ],
    ['of a trainer are not made without tuning', { tuning: { mode: 'Off' } }, ['vision']],
  ])('%s', (_, spec, names) => {
    expect(accountsOf(spec)).toEqual(names);
  });
});

test('an autoscaler without metrics goes by CPU at 70 %', () => {
  const service = aServiceToPlan({ autoscaling: { maxReplicas: 4 } });
  expect(planHorizontalPodAutoscaler(service)!.spec).toEqual({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'vision' },
    minReplicas: 1,
    maxReplicas: 4,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
      },
    ],
  });
});

describe('a disruption budget', () => {
  const budgetOf = (spec: Record<string, unknown>): object | undefined =>
    planPodDisruptionBudget(aServiceToPlan(spec))?.spec;

  test.each([
    ['is not made for one pod', {}, undefined],
    [
      'is not made when disabled',
      { replicas: 3, podDisruptionBudget: { mode: 'Disabled' } },
      undefined,
    ],
    ['allows one eviction', { replicas: 2 }, { maxUnavailable: 1 }],
    [
      'allows what is written',
      { replicas: 2, podDisruptionBudget: { maxUnavailable: '50%' } },
      { maxUnavailable: '50%' },
    ],
    [
      'keeps what is written',
      { replicas: 2, podDisruptionBudget: { minAvailable: 1 } },
      { minAvailable: 1 },
    ],
    ['goes by the lower bound of an autoscaler', { autoscaling: { maxReplicas: 4 } }, undefined],
  ])('%s', (_, spec, limit) => {
    if (limit === undefined) expect(budgetOf(spec)).toBeUndefined();
    else
      expect(budgetOf(spec)).toMatchObject({ ...limit, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  });
});

describe('network policies', () => {
  const policiesOf = (
    networkPolicy: Record<string, unknown>,
    {
      ofChart = 'Disabled',
      installation = INSTALLATION,
      spec = {},
    }: {
      readonly ofChart?: 'Enabled' | 'Disabled';
      readonly installation?: typeof INSTALLATION;
      readonly spec?: Readonly<Record<string, unknown>>;
    } = {},
  ) =>
    planNetworkPolicies({
      service: aServiceToPlan({ networkPolicy, ...spec }),
      defaults: { ...DEFAULTS, networkPolicy: ofChart },
      installation,
    });
  const ofPods = (...args: Parameters<typeof policiesOf>) => policiesOf(...args)[0]!.spec!;

  test('are made when spec or chart ask for them', () => {
    expect(policiesOf({})).toEqual([]);
    expect(policiesOf({}, { ofChart: 'Enabled' })).toHaveLength(2);
    expect(policiesOf({ mode: 'Enabled' })).toHaveLength(2);
    expect(policiesOf({ mode: 'Disabled' }, { ofChart: 'Enabled' })).toEqual([]);
  });

  test.each([
    [{ tuning: { mode: 'Off' } }],
    [{ heads: { training: { mode: 'Off' } } }],
    [{ exits: [] }],
  ])('hold no trainer where nothing is trained: %j', (spec) => {
    const policies = policiesOf({ mode: 'Enabled' }, { spec });
    expect(policies.map(({ metadata }) => metadata?.name)).toEqual(['vision']);
  });

  test('let everybody in to the data port unless peers are named', () => {
    expect(ofPods({ mode: 'Enabled' }).ingress![0]).not.toHaveProperty('from');
    expect(ofPods({ mode: 'Enabled', from: [] }).ingress![0]).toHaveProperty('from', []);
  });

  test('let Prometheus in from its namespace, or any namespace when that is not known', () => {
    const installation = { ...INSTALLATION, monitoringNamespace: 'monitoring' };
    const peers = (spec: ReturnType<typeof ofPods>): unknown => spec.ingress![2]!.from;
    expect(peers(ofPods({ mode: 'Enabled' }))).toEqual([{ namespaceSelector: {} }]);
    expect(peers(ofPods({ mode: 'Enabled' }, { installation }))).toEqual([
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
    ]);
  });

  test('take egress as written, beside the way of a trainer to its pods', () => {
    const egress = [{ ports: [{ port: 9000 }] }];
    const [pods, trainer] = policiesOf({ mode: 'Enabled', egress });
    expect(pods!.spec!.egress).toEqual(egress);
    expect(trainer!.spec!.egress).toEqual([
      {
        ports: [{ protocol: 'TCP', port: 'admin' }],
        to: [
          {
            podSelector: {
              matchLabels: {
                'layercache.io/service': 'vision',
                'app.kubernetes.io/component': 'server',
              },
            },
          },
        ],
      },
      ...egress,
    ]);
  });
});

describe('ports that pods fetch from', () => {
  const portsOf = (spec: Readonly<Record<string, unknown>>, template = {}): readonly number[] =>
    egressPorts(aServiceToPlan(spec), { template: { ...DEFAULTS.template, ...template } });
  const proxy = (env: readonly object[]) => ({
    spec: { containers: [{ name: 'server', env }, { name: 'other' }] },
  });
  const digest = `sha256:${'a'.repeat(64)}`;

  test.each([
    ['are 80 and 443 when nothing names another', {}, {}, [80, 443]],
    [
      'are those of backbone and companions',
      {
        backbone: { uri: 'https://models.example.com:8443/a:1/b' },
        exits: [
          { name: 'small', model: { uri: 'http://[2001:db8::1]:8080/m', digest } },
          { name: 'late', tensor: 'relu' },
        ],
      },
      {},
      [80, 443, 8080, 8443],
    ],
    [
      'are those of the registry of heads',
      { heads: { store: { oci: { repository: 'r.example:5000/heads' } } } },
      {},
      [80, 443, 5000],
    ],
    [
      'are those that the chart names',
      {},
      { store: { uri: 'oci://r.example:5001/heads' }, allowedHosts: ['minio:9000', '*.a', 'b:0'] },
      [80, 443, 5001, 9000],
    ],
    [
      'are those of proxies, of pods and of trainers',
      {
        podTemplate: proxy([
          { name: 'HTTPS_PROXY', value: 'http://me:1@proxy:3128' },
          { name: 'OTHER', value: 'http://other:1' },
          { value: 'http://unnamed:2' },
        ]),
        heads: {
          training: { podTemplate: proxy([{ name: 'https_proxy', value: 'http://p:3129/' }]) },
        },
      },
      {},
      [80, 443, 3128, 3129],
    ],
    [
      'are not guessed from a Secret or from what is no port',
      {
        backbone: { uri: 'https://me:1@models.example.com/m.onnx' },
        podTemplate: proxy([{ name: 'HTTPS_PROXY', valueFrom: {} }]),
      },
      { allowedHosts: ['far:70000'] },
      [80, 443],
    ],
  ])('%s', (_, spec, template, ports) => {
    expect(portsOf(spec, template)).toEqual(ports);
  });
});

test('every ConfigMap that a spec names is listed with its field', () => {
  expect(namedConfigMaps(aServiceToPlan())).toEqual([]);
  expect(namedConfigMaps(theFullSample())).toEqual([
    { field: 'spec.backbone.caBundleConfigMapName', name: 'corp-ca' },
    { field: 'spec.server.warmup.inputsConfigMapName', name: 'vision-warmup' },
  ]);
  const store = { s3: { uri: 's3://a/b', caBundleConfigMapName: 'c' } };
  expect(namedConfigMaps(aServiceToPlan({ heads: { store } }))).toHaveLength(1);
  const oci = { oci: { repository: 'r', caBundleConfigMapName: 'c' } };
  expect(namedConfigMaps(aServiceToPlan({ heads: { store: oci } }))).toHaveLength(1);
});

describe('putting an edited child right', () => {
  const MINUTE = 60_000;
  const times = [0, 1, 2, 3, 4].map((minute) => minute * MINUTE);

  test('happens at once', () => {
    expect(planRevert([], 5)).toEqual({
      isDue: true,
      retryAtMs: null,
      revertTimesMs: [5],
      isRepeated: false,
    });
  });
  test('backs off to five minutes after five times in ten', () => {
    expect(planRevert(times, 5 * MINUTE)).toEqual({
      isDue: false,
      retryAtMs: 9 * MINUTE,
      revertTimesMs: times,
      isRepeated: true,
    });
    expect(planRevert(times, 9 * MINUTE)).toMatchObject({ isDue: true, isRepeated: true });
  });
  test('forgets what is ten minutes old', () => {
    expect(planRevert(times, 10 * MINUTE)).toMatchObject({
      isDue: true,
      isRepeated: false,
      revertTimesMs: [...times.slice(1), 10 * MINUTE],
    });
  });
});
