import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Api, KubeObject } from '../../../operator/kube/api.ts';
import type { ApiStatusError } from '../../../operator/kube/api-status-error.ts';
import { createApplier } from '../../../operator/kube/apply.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { loadAccess, type ClusterAccess } from '../../../operator/kube/cluster-access.ts';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import { createEventRecorder } from '../../../operator/kube/events.ts';
import { interceptApi, isWrite } from '../../../operator/kube/intercept-api.ts';
import { ownerReferenceTo } from '../../../operator/kube/owner.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { fakeKubeClock } from '../../support/kube-clock.ts';
import { installDefinitions } from './definitions.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('writes to a real API server', () => {
  let namespace: string;
  let proxy: FaultProxy;
  let access: ClusterAccess;
  let api: Api;
  let writes: number;

  beforeAll(() => installDefinitions(plane));

  beforeEach(async () => {
    namespace = (await plane.namespace()).name;
    proxy = await startFaultProxy(plane);
    access = loadAccess({ from: 'Text', kubeconfig: proxy.kubeconfig });
    writes = 0;
    api = interceptApi(createClient({ access, clock: systemKubeClock, budget: null }), {
      after: (call) => {
        if (isWrite(call)) writes += 1;
      },
    });
    return async () => {
      access.close();
      await proxy.close();
    };
  });

  const object = (
    apiVersion: string,
    kind: string,
    fields: Readonly<Record<string, unknown>>,
  ): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name: 'a', namespace, labels: { app: 'a' } },
    ...fields,
  });
  const live = async (body: KubeObject): Promise<KubeObject | null> => {
    const ref = { kind: body.kind as 'ConfigMap', namespace, name: body.metadata.name };
    return api.get(ref).catch((error: unknown) => {
      if ((error as ApiStatusError).isNotFound) return null;
      throw error;
    });
  };

  /** Bodies as a controller has them, with values that the API server spells differently. */
  const bodies = (): readonly KubeObject[] => [
    object('v1', 'ConfigMap', { data: { x: '1' } }),
    object('v1', 'ServiceAccount', { automountServiceAccountToken: false }),
    object('v1', 'Service', {
      spec: { selector: { app: 'a' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    }),
    object('apps/v1', 'Deployment', {
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'a' } },
        template: {
          metadata: { labels: { app: 'a' } },
          spec: {
            containers: [
              {
                name: 'server',
                image: 'example.com/server:1',
                env: [{ name: 'A', value: '1' }],
                ports: [{ name: 'http', containerPort: 8080 }],
                resources: { limits: { cpu: '1000m', memory: '0.5Gi' } },
              },
            ],
          },
        },
      },
    }),
    object('policy/v1', 'PodDisruptionBudget', {
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'a' } } },
    }),
    object('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' },
        maxReplicas: 3,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
          },
        ],
      },
    }),
    object('networking.k8s.io/v1', 'NetworkPolicy', {
      spec: {
        podSelector: { matchLabels: { app: 'a' } },
        policyTypes: ['Ingress'],
        ingress: [{ ports: [{ port: 8080 }] }],
      },
    }),
  ];

  test('each kind of child is created once, and then nothing is written', async () => {
    const applier = createApplier(api, 'layercache-operator');
    for (const body of bodies()) {
      expect((await applier.apply(body, { live: await live(body) })).outcome, body.kind).toBe(
        'Created',
      );
    }
    for (let pass = 0; pass < 3; pass++) {
      for (const body of bodies()) {
        expect((await applier.apply(body, { live: await live(body) })).outcome, body.kind).toBe(
          'Skipped',
        );
      }
    }
    expect(writes).toBe(bodies().length);
  });

  test('after a restart a child is written at most once more, and that changes nothing', async () => {
    const first = createApplier(api, 'layercache-operator');
    for (const body of bodies()) await first.apply(body, { live: await live(body) });
    const second = createApplier(api, 'layercache-operator');
    const outcomes = new Map<string, string>();
    for (const body of bodies()) {
      outcomes.set(body.kind, (await second.apply(body, { live: await live(body) })).outcome);
      expect((await second.apply(body, { live: await live(body) })).outcome).toBe('Skipped');
    }
    // Quantities and numbers that the API server spells in its own way show only then that they are the same.
    expect(Object.fromEntries(outcomes)).toEqual({
      ConfigMap: 'Skipped',
      ServiceAccount: 'Skipped',
      Service: 'Skipped',
      Deployment: 'Unchanged',
      PodDisruptionBudget: 'Skipped',
      HorizontalPodAutoscaler: 'Skipped',
      NetworkPolicy: 'Skipped',
    });
  });

  test('a child edited by hand is put back, fields of others are left', async () => {
    const applier = createApplier(api, 'layercache-operator');
    const body = bodies()[3]!;
    await applier.apply(body, { live: null });
    const image =
      '{"spec":{"template":{"spec":{"containers":[{"name":"server","image":"example.com/other:2"}]}}}}';
    expect(
      (await plane.kubectl(['patch', 'deployment', 'a', '-n', namespace, '-p', image])).code,
    ).toBe(0);
    await plane.kubectl(['annotate', 'deployment', 'a', '-n', namespace, 'note=theirs']);
    const applied = await applier.apply(body, { live: await live(body) });
    expect(applied.outcome).toBe('Reverted');
    expect(applied.object.metadata.annotations).toMatchObject({ note: 'theirs' });
    expect(JSON.stringify(applied.object.spec)).toContain('example.com/server:1');
    expect((await applier.apply(body, { live: await live(body) })).outcome).toBe('Skipped');
  });

  test('a count that an autoscaler scaled is left to it once the body leaves it out', async () => {
    const applier = createApplier(api, 'layercache-operator');
    const body = bodies()[3]!;
    await applier.apply(body, { live: null });
    expect(
      (await plane.kubectl(['scale', 'deployment', 'a', '--replicas=4', '-n', namespace])).code,
    ).toBe(0);
    const without = { ...body, spec: { ...(body.spec as object), replicas: undefined } };
    const { object: applied } = await applier.apply(without, { live: await live(body) });
    expect(applied.spec).toMatchObject({ replicas: 4 });
  });

  test('a foreign object of that name is neither changed nor adopted', async () => {
    await plane.kubectl(['create', 'configmap', 'a', '--from-literal=theirs=1', '-n', namespace]);
    const applier = createApplier(api, 'layercache-operator');
    const body = bodies()[0]!;
    await expect(applier.apply(body, { live: null })).rejects.toMatchObject({ isConflict: true });
    expect((await live(body))!.data).toEqual({ theirs: '1' });
  });

  test('a create and an apply whose answers were lost exist once, and reading shows it', async () => {
    const applier = createApplier(api, 'layercache-operator');
    const body = bodies()[0]!;
    proxy.onRequest = ({ method }) => (method === 'GET' ? null : { kind: 'LoseAnswer' });
    await expect(applier.apply(body, { live: null })).rejects.toMatchObject({
      isUncertain: true,
      reason: 'NoAnswer',
    });
    const secret = { ...object('v1', 'Secret', {}), metadata: { name: 's', namespace } };
    await expect(api.create(secret)).rejects.toMatchObject({ isUncertain: true });
    proxy.onRequest = () => null;
    expect((await applier.apply(body, { live: await live(body) })).outcome).toBe('Skipped');
    await expect(api.create(secret)).rejects.toMatchObject({ isAlreadyExists: true });
  });

  test('what the schema does not allow is the body at fault, told with its path, and never a server in trouble', async () => {
    const typo = bodies()[3]!;
    const spec = { ...(typo.spec as object), replicaz: 1 };
    const undeclared = await api
      .apply({ ...typo, spec }, { fieldManager: 'x', dryRun: true })
      .catch((error: unknown) => error as ApiStatusError);
    expect(undeclared).toMatchObject({
      isSchemaMismatch: true,
      isInvalid: true,
      isUncertain: false,
    });
    expect((undeclared as ApiStatusError).message).toContain(
      '.spec.replicaz: field not declared in schema',
    );
    const mistyped = await api
      .apply(
        { ...typo, spec: { ...(typo.spec as object), replicas: 'many' } },
        { fieldManager: 'x', dryRun: true },
      )
      .catch((error: unknown) => error as ApiStatusError);
    expect(mistyped).toMatchObject({ isSchemaMismatch: true, isInvalid: true, isUncertain: false });
    expect((mistyped as ApiStatusError).message).toContain('.spec.replicas: expected numeric');
  });

  test('an event is found by kubectl describe, and repeats become its count', async () => {
    const clock = fakeKubeClock();
    const regarding = await api.create(object('v1', 'ConfigMap', {}));
    const recorder = createEventRecorder({
      api,
      clock,
      random: Math.random,
      signal: new AbortController().signal,
      controller: 'layercache.io/operator',
      instance: 'test',
    });
    const event = {
      regarding,
      type: 'Warning',
      reason: 'LoadFailed',
      action: 'Loading',
      note: 'the digest differs',
    } as const;
    recorder.record(event);
    await recorder.settled();
    recorder.record(event);
    recorder.record(event);
    await clock.pass(300_000);
    await recorder.settled();
    expect(recorder.counters).toEqual({ recorded: 3, written: 2, dropped: 0 });
    const { stdout } = await plane.kubectl([
      'get',
      'events.events.k8s.io',
      '-n',
      namespace,
      '-o',
      'json',
    ]);
    const { items } = JSON.parse(stdout) as {
      items: { reason: string; note: string; series: { count: number } }[];
    };
    expect(items.filter(({ reason }) => reason === 'LoadFailed')).toMatchObject([
      { note: 'the digest differs', series: { count: 3 } },
    ]);
    const described = await plane.kubectl(['events', '-n', namespace, '--for', 'configmap/a']);
    expect(described.stdout).toContain('the digest differs');
  });

  test('a child goes with its owner', async () => {
    const owner = await api.create(object('v1', 'ConfigMap', {}));
    const child = object('v1', 'Secret', {});
    await api.create({
      ...child,
      metadata: { ...child.metadata, ownerReferences: [ownerReferenceTo(owner)] },
    });
    expect(
      await api.delete(
        { kind: 'ConfigMap', namespace, name: 'a' },
        { uid: owner.metadata.uid ?? '' },
      ),
    ).toBe('Deleted');
    await expect.poll(() => live(child), { timeout: 15_000 }).toBeNull();
  });

  test('nothing can be created in a namespace that is going, and the error says why', async () => {
    await plane.kubectl(['create', '-f', '-'], {
      input: JSON.stringify({
        ...object('v1', 'ConfigMap', {}),
        metadata: { name: 'hold', namespace, finalizers: ['example.com/hold'] },
      }),
    });
    await plane.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    await expect
      .poll(
        () =>
          api.create(object('v1', 'Secret', {}), { dryRun: true }).then(
            () => null,
            (error: unknown) => (error as ApiStatusError).isNamespaceTerminating,
          ),
        { timeout: 15_000 },
      )
      .toBe(true);
    await api.mergePatch(
      { kind: 'ConfigMap', namespace, name: 'hold' },
      { metadata: { finalizers: null } },
    );
  });
});
