import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operatorRules, type PolicyRule } from '../../../operator/plan/rbac.ts';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startOperatorProcess, type OperatorProcess } from '../../support/operator-process.ts';
import type { AuditEvent } from '../harness/audit-events.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { rightsOf, rightsUsed, type Right } from './used-rights.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordRights = openRecord('rights');

const unavailable = await whyUnavailable('control-plane');
const HOME = 'layercache-system';
const RULES = operatorRules('demo');
const API = 'layercache.io/v1alpha1';

/** Rights that this run cannot show in the audit log, and where they are shown. */
const SHOWN_ELSEWHERE: Readonly<Record<Right, string>> = {
  'services: update layercache.io/cachedmodelservices/finalizers':
    'asked for by admission, not by a request: the last test here',
  'services: create batch/jobs':
    'heads are trained on samples of real pods: cluster/loop/loop.long.ts, under these rules',
  'services: create layercache.io/cacheheadrevisions': 'the same',
  'services: delete batch/jobs':
    'a training that nobody waits for any more: faults/loop/stale-training.test.ts',
  'services: patch events.k8s.io/events':
    'an event that comes again is counted after five minutes: unit/operator/kube/events.test.ts',
};

describe.skipIf(unavailable !== null)('the rights of the operator', () => {
  let plane: OwnControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane({
      auditLog: true,
      apiServerFlags: [
        '--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement',
      ],
    });
    await installDefinitions(plane);
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: HOME } });
  });
  afterAll(() => plane.stop());

  async function apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    const { code, stderr } = await plane.kubectl(['apply', '--server-side', '-f', '-'], {
      input: JSON.stringify(list),
    });
    expect(stderr).toBe('');
    expect(code).toBe(0);
  }

  /** An account with these rules: those for services in all namespaces, or in the named one. */
  async function account(
    name: string,
    services: readonly PolicyRule[],
    within?: string,
  ): Promise<void> {
    const rbac = 'rbac.authorization.k8s.io/v1';
    const subjects = [{ kind: 'ServiceAccount', name, namespace: HOME }];
    const role = (kind: string, namespace: string | undefined, rules: readonly PolicyRule[]) => {
      const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
      return [
        { apiVersion: rbac, kind, metadata, rules },
        { apiVersion: rbac, kind: `${kind}Binding`, metadata, roleRef, subjects },
      ];
    };
    await apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: HOME } },
      ...role('Role', HOME, RULES.installation),
      ...(within === undefined
        ? role('ClusterRole', undefined, services)
        : role('Role', within, services)),
    );
  }

  async function runAs(
    name: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<OperatorProcess> {
    return startOperatorProcess({
      LAYERCACHE_KUBECONFIG: await plane.serviceAccountKubeconfig(HOME, name),
      LAYERCACHE_NAMESPACE: HOME,
      LAYERCACHE_RELEASE: 'demo',
      LAYERCACHE_SERVER_IMAGE: 'registry.test/server:1',
      // Everything that a controller does once shows up in one run.
      LAYERCACHE_LEASE_RETRY_PERIOD: '500ms',
      ...more,
    });
  }

  async function end(operator: OperatorProcess): Promise<void> {
    operator.kill('SIGTERM');
    expect(await operator.ended).toEqual({ code: 0, signal: null });
  }

  const callsOf = (name: string): readonly AuditEvent[] =>
    plane
      .auditEvents()
      .filter(({ user }) => user.username === `system:serviceaccount:${HOME}:${name}`);

  const denied = (calls: readonly AuditEvent[]): readonly string[] =>
    calls
      .filter(({ responseStatus }) => responseStatus?.code === 403)
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`);

  const service = (namespace: string, name: string, spec: object = {}): object => ({
    apiVersion: API,
    kind: 'CachedModelService',
    metadata: { namespace, name },
    spec: {
      backbone: { uri: 'https://models.example.com/resnet18.onnx' },
      accuracy: { maxDisagreement: '1%' },
      ...spec,
    },
  });

  async function names(path: string): Promise<readonly string[]> {
    const { body } = await plane.request({ path });
    return (body as { items: { metadata: { name: string } }[] }).items.map(
      ({ metadata }) => metadata.name,
    );
  }

  async function reasonOf(namespace: string, name: string, type: string): Promise<string> {
    const path = `/apis/${API}/namespaces/${namespace}/cachedmodelservices/${name}`;
    const { body } = await plane.request({ path });
    const { conditions = [] } =
      (body as { status?: { conditions?: { type: string; reason: string }[] } }).status ?? {};
    return conditions.find((condition) => condition.type === type)?.reason ?? 'none';
  }

  const CHILDREN = (namespace: string) =>
    ({
      deployments: `/apis/apps/v1/namespaces/${namespace}/deployments`,
      services: `/api/v1/namespaces/${namespace}/services`,
      accounts: `/api/v1/namespaces/${namespace}/serviceaccounts`,
      autoscalers: `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`,
      budgets: `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`,
      policies: `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
    }) as const;

  const all = {
    autoscaling: { minReplicas: 2, maxReplicas: 3 },
    networkPolicy: { mode: 'Enabled' },
  };

  /** Children come, and go when the spec no longer asks for them. */
  async function growAndShrink(): Promise<void> {
    const { name } = await plane.namespace();
    const paths = CHILDREN(name);
    await apply(service(name, 'vision', all));
    for (const path of Object.values(paths)) {
      await eventually(async () => {
        expect(await names(path), path).toContain('vision');
      }, 20_000);
    }
    await apply(service(name, 'vision', { replicas: 1, pod: { serviceAccountName: 'default' } }));
    for (const path of [paths.accounts, paths.autoscalers, paths.budgets, paths.policies]) {
      await eventually(async () => {
        expect(await names(path), path).not.toContain('vision');
      }, 20_000);
    }
  }

  /** Names of children are taken by objects of somebody else, which are read and left alone. */
  async function meetStrangers(): Promise<void> {
    const { name } = await plane.namespace();
    const selector = { matchLabels: { app: 'x' } };
    const template = {
      metadata: { labels: { app: 'x' } },
      spec: { containers: [{ name: 'x', image: 'x' }] },
    };
    const foreign = (apiVersion: string, kind: string, spec: object = {}, as = 'taken') => ({
      ...{ apiVersion, kind, metadata: { namespace: name, name: as } },
      ...(Object.keys(spec).length === 0 ? {} : { spec }),
    });
    await apply(
      foreign('v1', 'ServiceAccount'),
      foreign('v1', 'ConfigMap', {}, 'taken-policy'),
      foreign('v1', 'Service', { ports: [{ port: 1 }] }),
      foreign('apps/v1', 'Deployment', { replicas: 0, selector, template }, 'taken-too'),
      foreign('autoscaling/v2', 'HorizontalPodAutoscaler', {
        ...{
          maxReplicas: 2,
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
        },
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
          },
        ],
      }),
      foreign('policy/v1', 'PodDisruptionBudget', { minAvailable: 1, selector }),
      foreign('networking.k8s.io/v1', 'NetworkPolicy', { podSelector: {} }),
      service(name, 'taken', all),
      service(name, 'taken-too'),
    );
    for (const one of ['taken', 'taken-too']) {
      await eventually(async () => {
        expect(await reasonOf(name, one, 'Valid')).toBe('NameConflict');
      }, 20_000);
    }
  }

  /** Revisions beyond the history limit go; a pin and a named ConfigMap are looked up. */
  async function tidyRevisions(): Promise<void> {
    const { name } = await plane.namespace();
    await apply(
      service(name, 'heads', {
        heads: { historyLimit: 1 },
        server: { warmup: { inputsConfigMapName: 'inputs' } },
      }),
    );
    await eventually(async () => {
      expect(await reasonOf(name, 'heads', 'Valid')).toBe('ConfigMapNotFound');
    }, 20_000);
    const path = `/apis/${API}/namespaces/${name}/cachedmodelservices/heads`;
    const { body } = await plane.request({ path });
    const { uid } = (body as { metadata: { uid: string } }).metadata;
    const owner = {
      apiVersion: API,
      kind: 'CachedModelService',
      name: 'heads',
      uid,
      controller: true,
    };
    const revision = (digit: string) => ({
      apiVersion: API,
      kind: 'CacheHeadRevision',
      metadata: { namespace: name, name: `heads-${digit}`, ownerReferences: [owner] },
      spec: {
        serviceName: 'heads',
        backboneDigest: `sha256:${'0'.repeat(64)}`,
        bundle: {
          digest: `sha256:${digit.repeat(64)}`,
          sizeBytes: 3,
          configMapName: `heads-${digit}`,
        },
        exits: [{ name: 'early', tensor: 'x', pool: 2, hidden: 64 }],
        classCount: 10,
      },
    });
    const blob = (digit: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        namespace: name,
        name: `heads-${digit}`,
        labels: { 'layercache.io/role': 'head' },
      },
      binaryData: { bundle: 'AAAA' },
    });
    await apply(blob('1'), blob('2'), revision('1'), revision('2'));
    const revisions = `/apis/${API}/namespaces/${name}/cacheheadrevisions`;
    await eventually(async () => {
      expect(await names(revisions)).toHaveLength(1);
    }, 20_000);
  }

  test('are enough for all it does, and none is too many', async () => {
    await account('operator', RULES.services);
    const operator = await runAs('operator');
    await operator.says('caches full');
    await Promise.all([growAndShrink(), meetStrangers(), tidyRevisions()]);
    await end(operator);

    const calls = callsOf('operator');
    expect(new Set(calls.map(({ userAgent }) => userAgent))).toEqual(
      new Set(['layercache-operator']),
    );
    const given = [
      ...rightsOf('services', RULES.services),
      ...rightsOf('home', RULES.installation),
    ];
    const named = new Set(
      rightsOf(
        'home',
        RULES.installation.filter((one) => one.resourceNames !== undefined),
      ),
    );
    const scopeOf = (namespace: string) => (namespace === HOME ? 'home' : 'services');
    const used = new Set(calls.flatMap((call) => rightsUsed(call, scopeOf, named)));
    recordRights({
      denied: denied(calls).length,
      notGiven: [...used].filter((one) => !given.includes(one)).length,
      neverUsed: given.filter((one) => !used.has(one) && !(one in SHOWN_ELSEWHERE)).length,
    });
    expect(denied(calls)).toEqual([]);
    expect([...used].filter((one) => !given.includes(one))).toEqual([]);
    expect(given.filter((one) => !used.has(one)).sort()).toEqual(
      Object.keys(SHOWN_ELSEWHERE).sort(),
    );
  }, 120_000);

  test('kserve/kserve#3844 are enough in one namespace for an operator that watches it alone', async () => {
    const { name } = await plane.namespace();
    await account('narrow', RULES.services, name);
    const operator = await runAs('narrow', {
      LAYERCACHE_WATCH_NAMESPACES: name,
      LAYERCACHE_LEASE_NAME: 'demo-operator',
    });
    await operator.says('caches full', 30_000);
    await apply(service(name, 'vision'));
    await eventually(async () => {
      expect(await names(CHILDREN(name).deployments)).toEqual(['vision']);
    }, 20_000);
    await end(operator);
    expect(denied(callsOf('narrow'))).toEqual([]);
  }, 60_000);

  test('hold the finalizers of a service because owner references that block a deletion need it', async () => {
    const { name } = await plane.namespace();
    await account(
      'without',
      RULES.services.filter(
        ({ resources }) => !resources.includes('cachedmodelservices/finalizers'),
      ),
    );
    await apply(service(name, 'owner'));
    const path = `/apis/${API}/namespaces/${name}/cachedmodelservices/owner`;
    const { body } = await plane.request({ path });
    const { uid } = (body as { metadata: { uid: string } }).metadata;
    const owner = { apiVersion: API, kind: 'CachedModelService', name: 'owner', uid };
    const child = (ownerReference: object) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { namespace: name, name: 'child', ownerReferences: [ownerReference] },
      });
    const create = async (account: string, ownerReference: object) =>
      plane.kubectl(['create', '--dry-run=server', '-f', '-'], {
        input: child(ownerReference),
        kubeconfigPath: await plane.serviceAccountKubeconfig(HOME, account),
      });
    const blocking = { ...owner, blockOwnerDeletion: true };
    expect((await create('without', blocking)).stderr).toContain('cannot set blockOwnerDeletion');
    expect((await create('operator', blocking)).code).toBe(0);
  });
});
