// What users of other systems asked for, as far as an operator process and a control plane without nodes show it. The list of
// all asks and where each is tested: test/unit/house/user-asks.ts. `npm run build` comes first.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operatorRules } from '../../../operator/plan/rbac.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { runOperator, startOperator, type ProxiedOperator } from '../operator/run-operators.ts';
import { deleteObject, patchObject, readObject } from '../pods/node-objects.ts';

const plane = await sharedControlPlane();
const API = 'layercache.io/v1alpha1';
const CRDS = new URL('../../../crds', import.meta.url).pathname;

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly replicas: number;
    readonly strategy: object;
    readonly template: object;
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

const manifest = (namespace: string, name: string, spec: object = {}): object => ({
  apiVersion: API,
  kind: 'CachedModelService',
  metadata: { name, namespace },
  spec: {
    backbone: { uri: 'https://models.example.com/resnet18.onnx' },
    accuracy: { maxDisagreement: '1%' },
    ...spec,
  },
});

async function kubectl(args: readonly string[], input?: object): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl(
    args,
    input === undefined ? {} : { input: JSON.stringify(input) },
  );
  expect(code, stderr).toBe(0);
  return stdout;
}

/** A service in a namespace, as a person sees it. */
async function create(namespace: string, name: string, spec: object = {}) {
  await kubectl(['apply', '-f', '-'], manifest(namespace, name, spec));
  const ref = { kind: 'CachedModelService', namespace, name } as const;
  return {
    patch: (changed: object) => patchObject(plane, ref, { spec: changed }),
    deployment: () =>
      eventually(
        () => readObject<Deployment>(plane, { kind: 'Deployment', namespace, name }),
        20_000,
      ),
    says: (type: string, status: string, reason: string): Promise<Condition> =>
      eventually(async () => {
        const { metadata, status: said } = await readObject<{
          metadata: { generation: number };
          status: { conditions?: Condition[] };
        }>(plane, ref);
        const found = said.conditions?.find((one) => one.type === type);
        const observedGeneration = metadata.generation;
        expect(found).toMatchObject({ status, reason, observedGeneration });
        return found!;
      }, 30_000),
  };
}

describe.skipIf(plane.unavailable !== null)('as users asked', () => {
  let namespace: string;
  let remove: () => Promise<void>;
  let operator: Awaited<ReturnType<typeof startOperator>>;

  beforeAll(async () => {
    await installDefinitions(plane);
    ({ name: namespace, delete: remove } = await plane.namespace());
    operator = await startOperator(plane, namespace);
    await operator.says('caches full');
  });
  afterAll(async () => {
    await operator.end();
    await remove();
  });

  test('volcano-sh/kthena#839 kubectl scale works on a service, whose selector is set', async () => {
    const service = await create(namespace, 'scaled');
    await kubectl(['scale', '-n', namespace, 'cms/scaled', '--replicas=3']);
    await eventually(async () => {
      expect((await service.deployment()).spec.replicas).toBe(3);
    }, 20_000);
    const path = `/apis/${API}/namespaces/${namespace}/cachedmodelservices/scaled/scale`;
    await eventually(async () => {
      const { body } = await plane.request({ path });
      const selector = 'layercache.io/service=scaled,app.kubernetes.io/component=server';
      expect(body).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 3, selector } });
    }, 20_000);
  });

  test('knative/serving#4153 pods that no node takes are named in the status, in the words of the scheduler', async () => {
    const service = await create(namespace, 'unschedulable');
    const { message } = await service.says('Ready', 'False', 'Unschedulable');
    expect(message).toMatch(/no nodes available|0\/\d+ nodes/);
  });

  test('kserve/kserve#4574 a disruption budget is there while there are pods to spare', async () => {
    const service = await create(namespace, 'budget', { replicas: 2 });
    const budget = (): Promise<object> =>
      readObject(plane, { kind: 'PodDisruptionBudget', namespace, name: 'budget' });
    expect(await eventually(budget, 20_000)).toMatchObject({ spec: { maxUnavailable: 1 } });
    await service.patch({ replicas: 1 });
    await eventually(async () => {
      await expect(budget()).rejects.toThrow('404');
    }, 20_000);
  });

  const metrics = [
    {
      type: 'Pods',
      pods: {
        metric: { name: 'queue_p90' },
        target: { type: 'AverageValue', averageValue: '20m' },
      },
    },
  ];

  test('kserve/kserve#4259 an autoscaler gets its metrics and its behavior as written', async () => {
    const behavior = { scaleDown: { stabilizationWindowSeconds: 7 } };
    const autoscaling = { minReplicas: 1, maxReplicas: 4, metrics, behavior };
    await create(namespace, 'metrics', { autoscaling });
    const made = await eventually(
      () => readObject(plane, { kind: 'HorizontalPodAutoscaler', namespace, name: 'metrics' }),
      20_000,
    );
    expect(made).toMatchObject({ spec: autoscaling });
  });

  /** Scales the Deployment as an autoscaler or a person does, and makes the operator pass over it. */
  async function scaled(name: string, counts: readonly number[]): Promise<void> {
    const service = await create(namespace, name, { autoscaling: { maxReplicas: 4, metrics } });
    await service.says('Valid', 'True', 'Accepted');
    for (const count of counts) {
      await kubectl(['scale', '-n', namespace, `deployment/${name}`, `--replicas=${count}`]);
      await service.patch({ accuracy: { auditRate: `${count + 2}%` } });
      await service.says('Valid', 'True', 'Accepted');
      expect((await service.deployment()).spec.replicas).toBe(count);
    }
    if (counts.at(-1) === 0) await service.says('Available', 'False', 'ScaledToZero');
  }

  test('defilantech/LLMKube#485 nobody fights the autoscaler over the number of pods', () =>
    scaled('elastic', [3, 2, 4]));

  test('kserve/kserve#6001 a count of 0 by hand holds, and is told', () => scaled('resting', [0]));

  test('ray-project/kuberay#2397 each service has an update strategy of its own', async () => {
    const rollingUpdate = { maxSurge: 2, maxUnavailable: 0 };
    const given = { type: 'RollingUpdate', ...rollingUpdate };
    const recreate = await create(namespace, 'recreate', { updateStrategy: { type: 'Recreate' } });
    const rolling = await create(namespace, 'rolling', { updateStrategy: given });
    expect((await recreate.deployment()).spec.strategy).toEqual({ type: 'Recreate' });
    const { strategy } = (await rolling.deployment()).spec;
    expect(strategy).toEqual({ type: 'RollingUpdate', rollingUpdate });
  });

  test('numaproj/numaflow#3585 applying the same manifest again is no difference', async () => {
    const service = await create(namespace, 'gitops', { replicas: 0 });
    await service.says('Ready', 'False', 'ScaledToZero');
    const input = JSON.stringify(manifest(namespace, 'gitops', { replicas: 0 }));
    const diff = await plane.kubectl(['diff', '-f', '-'], { input });
    expect(diff.stdout + diff.stderr).toBe('');
    expect(diff.code).toBe(0);
  });

  test('kserve/kserve#5335 no field is silently ignored: not one that is misspelt, and not one without effect', async () => {
    const refused = async (spec: object, ...flags: readonly string[]): Promise<string> => {
      const input = JSON.stringify(manifest(namespace, 'ignored', spec));
      const { code, stderr } = await plane.kubectl(['apply', ...flags, '-f', '-'], { input });
      expect(code).toBe(1);
      return stderr;
    };
    const misspelt = { exitmode: 'Disabled' };
    expect(await refused(misspelt)).toMatch(/unknown field "spec.exitmode"/);
    expect(await refused(misspelt, '--server-side')).toMatch(/field not declared in schema/);
    const deep = {
      podTemplate: { spec: { containers: [{ name: 'server', imagePulPolicy: 'x' }] } },
    };
    const service = await create(namespace, 'deep', deep);
    const { message } = await service.says('Valid', 'False', 'PodTemplateRejected');
    expect(message).toMatch(/imagePulPolicy/);
    for (const spec of [
      { exits: [], heads: { revision: 'mine' } },
      { updateStrategy: { type: 'Recreate', maxSurge: 1 } },
      { networkPolicy: { mode: 'Disabled', from: [] } },
    ]) {
      expect(await refused(spec)).toMatch(/has no effect|have no effect/);
    }
  });

  test('kserve/kserve#3487 the definitions fit client-side apply, and applying them again changes nothing', async () => {
    for (const outcome of [/configured|unchanged/, /unchanged/]) {
      for (const line of (await kubectl(['apply', '-f', CRDS])).trimEnd().split('\n')) {
        expect(line).toMatch(outcome);
      }
    }
  });

  test('kserve/kserve#3724 the operator reads no Secret but its own identity, whatever services name', async () => {
    const service = await create(namespace, 'secretive', {
      backbone: {
        uri: 'https://models.example.com/resnet18.onnx',
        credentialsSecretName: 'read',
      },
    });
    await service.says('Ready', 'False', 'Unschedulable');
    const reads = operator.proxy.requests.filter(
      ({ method, target }) => method === 'GET' && target.includes('/secrets'),
    );
    const identity = `/api/v1/namespaces/${namespace}/secrets/demo-identity`;
    for (const { target } of reads) expect(target).toBe(identity);
    const rights = operatorRules('demo').services.filter(({ resources }) =>
      resources.includes('secrets'),
    );
    expect(rights.flatMap(({ verbs }) => verbs)).toEqual(['create']);
  });

  /** An operator and a service of the test alone. */
  async function alone(more: Readonly<Record<string, string>> = {}): Promise<ProxiedOperator> {
    const started = await runOperator(plane, own, more);
    await started.says('caches full');
    return started;
  }
  let own: string;

  test('kserve/kserve#5085 a new release of the operator, with other defaults, changes no pod', async () => {
    ({ name: own } = await plane.namespace());
    const first = await alone();
    const service = await create(own, 'steady');
    await service.says('Ready', 'False', 'Unschedulable');
    const before = await service.deployment();
    first.kill('SIGTERM');
    await first.ended;
    await alone({
      LAYERCACHE_SERVER_IMAGE: 'registry.test/server:2',
      LAYERCACHE_SERVER_RESOURCES: '{"limits":{"memory":"900Mi"}}',
    });
    // What is hot proves that the new one has passed over the service.
    await service.patch({ accuracy: { auditRate: '9%' } });
    await service.says('Valid', 'True', 'Accepted');
    const after = await service.deployment();
    expect(after.spec.template).toEqual(before.spec.template);
    expect(after.metadata.generation).toBe(before.metadata.generation);
    // One that is made now begins with the new defaults.
    const fresh = await create(own, 'fresh');
    expect(JSON.stringify((await fresh.deployment()).spec.template)).toContain('server:2');
  });

  test('kserve/kserve#2119 a deletion never hangs, also without an operator', async () => {
    ({ name: own } = await plane.namespace());
    const first = await alone();
    const spec = { autoscaling: { minReplicas: 2, maxReplicas: 3 } };
    const service = await create(own, 'gone', spec);
    await service.says('Ready', 'False', 'Unschedulable');
    first.kill('SIGKILL');
    await first.ended;
    await deleteObject(plane, { kind: 'CachedModelService', namespace: own, name: 'gone' });
    await eventually(async () => {
      const kinds = ['cms', 'deployment', 'pod', 'service', 'hpa', 'pdb', 'sa'].join();
      const left = await kubectl(['get', kinds, '-n', own, '-o', 'name']);
      expect(left.trim()).toBe('serviceaccount/default');
      const secrets = await kubectl(['get', 'secret', '-n', own, '-o', 'name']);
      expect(secrets.trim()).toBe('secret/demo-identity');
    }, 60_000);
  });
});
