// What users of other systems asked for (api.md 12), as far as it does not concern heads and their rollouts, kept by the
// operator as it ships on a real node. `npm run build` comes first.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operatorRules } from '../../../operator/plan/rbac.ts';
import { eventually } from '../../support/eventually.ts';
import { sharedRealNode } from '../../support/real-node.ts';
import type { TestNamespace } from '../harness/test-namespace.ts';
import { installOperator, NEXT_SERVER_IMAGE, type Installation } from '../pods/installation.ts';
import {
  createObject,
  deleteObject,
  patchObject,
  readObject,
  type PodObject,
} from '../pods/node-objects.ts';
import { EXAMPLE, runService, type RunningService } from '../pods/running-service.ts';

const node = await sharedRealNode();

/** Pods that no node takes cost nothing. */
const NOWHERE = { nodeSelector: { zone: 'nowhere' } };
const LONGEST_NAME = 'a-name-of-thirty-one-characters';

interface Deployment {
  readonly metadata: { readonly uid: string; readonly generation: number };
  readonly spec: {
    readonly replicas: number;
    readonly progressDeadlineSeconds: number;
    readonly strategy: object;
    readonly template: object;
  };
}

describe.skipIf(node.unavailable !== null)('as users asked', () => {
  const spaces: TestNamespace[] = [];
  let namespace: string;
  /** For quotas: watched too, without the operator's own pod. */
  let other: string;
  let unwatched: string;
  let installation: Installation;
  let steady: RunningService;

  beforeAll(async () => {
    const made = await Promise.all([1, 2, 3].map(() => node.namespace()));
    spaces.push(...made);
    [namespace, other, unwatched] = made.map(({ name }) => name) as [string, string, string];
    const services = { [other]: operatorRules('demo').services };
    installation = await installOperator(node, {
      ...{ namespace, services },
      isNextReleaseLoaded: true,
    });
    steady = await runService({ node, installation, name: 'steady', namespace: other });
    await steady.says('Ready', 'True', 'Serving');
  }, 120_000);
  afterAll(async () => {
    await Promise.all(spaces.map((space) => space.delete()));
  });

  const run = (name: string, spec: object = {}): Promise<RunningService> =>
    runService({ node, installation, name }, spec);

  const deploymentOf = (service: RunningService): Promise<Deployment> =>
    eventually(
      () =>
        readObject<Deployment>(node, {
          kind: 'Deployment',
          namespace: service.namespace,
          name: service.name,
        }),
      30_000,
    );

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await node.kubectl(args);
    expect(code, stderr).toBe(0);
    return stdout;
  }

  async function scaleOperator(replicas: number): Promise<void> {
    await kubectl(
      'scale',
      '-n',
      namespace,
      'deployment/layercache-operator',
      `--replicas=${replicas}`,
    );
    if (replicas > 0) await installation.operatorReady();
    else {
      await eventually(async () => {
        expect(await installation.operatorPods()).toEqual([]);
      }, 30_000);
    }
  }

  const uids = (pods: readonly PodObject[]): string[] => pods.map(({ metadata }) => metadata.uid);

  test('kubectl get shows a service within 140 columns, with a name of 31 characters', async () => {
    const service = await run(LONGEST_NAME, { pod: NOWHERE });
    await service.says('Ready', 'False', 'Unschedulable');
    const lines = (await kubectl('get', 'cms', '-n', namespace)).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^NAME +READY +REASON +PODS +EXITS +HEADS +EXITED +BOUND +AGE$/);
    expect(lines.find((line) => line.startsWith(LONGEST_NAME))).toMatch(/False +Unschedulable/);
    for (const line of lines) expect(line.trimEnd().length).toBeLessThanOrEqual(140);
  });

  test('kubectl wait ends when the service serves, kubectl describe says what happened', async () => {
    const of = ['-n', other];
    await kubectl('wait', ...of, '--for=condition=Ready', '--timeout=30s', 'cms/steady');
    const described = await kubectl('describe', ...of, 'cms', 'steady');
    expect(described).toMatch(/Reason: +Serving/);
    expect(described).toMatch(/Normal +BackboneLoaded/);
  });

  test('kubectl scale works on a service, whose selector is set (volcano-sh/kthena#839)', async () => {
    const service = await run('scaled', { pod: NOWHERE });
    await service.says('Available', 'False', 'Unschedulable');
    await kubectl('scale', '-n', namespace, 'cms/scaled', '--replicas=3');
    await eventually(async () => {
      expect((await deploymentOf(service)).spec.replicas).toBe(3);
    }, 20_000);
    const path = `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices/scaled/scale`;
    await eventually(async () => {
      const { body } = await node.request({ path });
      const selector = 'layercache.io/service=scaled,app.kubernetes.io/component=server';
      expect(body).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 3, selector } });
    }, 20_000);
  });

  test('a disruption budget is there while there are pods to spare (kserve/kserve#4574)', async () => {
    const service = await run('budget', { replicas: 2, pod: NOWHERE });
    const budget = (): Promise<object> =>
      readObject(node, { kind: 'PodDisruptionBudget', namespace, name: 'budget' });
    expect(await eventually(budget, 20_000)).toMatchObject({ spec: { maxUnavailable: 1 } });
    await service.patch({ replicas: 1 });
    await eventually(async () => {
      await expect(budget()).rejects.toThrow('404');
    }, 20_000);
  });

  test('an autoscaler gets its metrics as written (kserve/kserve#4259), and nobody fights it (defilantech/LLMKube#485); a count of 0 by hand holds (kserve/kserve#6001)', async () => {
    const metrics = [
      {
        type: 'Pods',
        pods: {
          metric: { name: 'queue_p90' },
          target: { type: 'AverageValue', averageValue: '20m' },
        },
      },
    ];
    const service = await run('elastic', {
      pod: NOWHERE,
      autoscaling: { minReplicas: 1, maxReplicas: 4, metrics },
    });
    const autoscaler = await eventually(
      () => readObject(node, { kind: 'HorizontalPodAutoscaler', namespace, name: 'elastic' }),
      20_000,
    );
    expect(autoscaler).toMatchObject({ spec: { minReplicas: 1, maxReplicas: 4, metrics } });
    await service.says('Available', 'False', 'Unschedulable');
    for (const [count, rate] of [
      [3, '3%'],
      [0, '4%'],
    ] as const) {
      await kubectl('scale', '-n', namespace, 'deployment/elastic', `--replicas=${count}`);
      await service.patch({ accuracy: { auditRate: rate } });
      await service.says('Valid', 'True', 'Accepted');
      expect((await deploymentOf(service)).spec.replicas).toBe(count);
    }
    await service.says('Available', 'False', 'ScaledToZero');
  });

  test('each service has an update strategy of its own (ray-project/kuberay#2397), and a deadline after which it says why it is not there (SeldonIO/seldon-core#4224)', async () => {
    const recreate = await run('recreate', { replicas: 0, updateStrategy: { type: 'Recreate' } });
    const rolling = await run('rolling', {
      replicas: 0,
      updateStrategy: { type: 'RollingUpdate', maxSurge: 0, maxUnavailable: 1 },
      server: { ...EXAMPLE.server, startupDeadline: '3m' },
    });
    expect((await deploymentOf(recreate)).spec.strategy).toEqual({ type: 'Recreate' });
    expect((await deploymentOf(rolling)).spec).toMatchObject({
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      progressDeadlineSeconds: 3 * 60 + 300,
    });
  });

  test('applying the same manifest again is no difference (numaproj/numaflow#3585)', async () => {
    const manifest = JSON.stringify({
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      metadata: { name: 'gitops', namespace },
      spec: { ...EXAMPLE, replicas: 0 },
    });
    const apply = await node.kubectl(['apply', '-f', '-'], { input: manifest });
    expect(apply.code, apply.stderr).toBe(0);
    await kubectl('wait', '-n', namespace, '--for=condition=Valid', '--timeout=20s', 'cms/gitops');
    const diff = await node.kubectl(['diff', '-f', '-'], { input: manifest });
    expect(diff.stdout).toBe('');
    expect(diff.code).toBe(0);
  });

  test('the operator reads no Secret of a service (kserve/kserve#3724) and stays in its namespaces (kserve/kserve#3844)', async () => {
    const account = `system:serviceaccount:${namespace}:layercache-operator`;
    for (const verb of ['get', 'list', 'watch']) {
      const may = await node.kubectl([
        'auth',
        'can-i',
        verb,
        'secrets',
        '-n',
        other,
        '--as',
        account,
      ]);
      expect(may.stdout.trim()).toBe('no');
    }
    await createObject(node, {
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      metadata: { name: 'outside', namespace: unwatched },
      spec: EXAMPLE,
    });
    const inside = await run('inside', { replicas: 0 });
    await inside.says('Valid', 'True', 'Accepted');
    const { items } = await readObject<{ items: unknown[] }>(node, {
      kind: 'Deployment',
      namespace: unwatched,
    });
    expect(items).toEqual([]);
  });

  test('an accelerator of any name (kserve/kserve#4505): a roll without a spare one ends (runestack/rune#250), without surge (ai-runway/airunway#400), and a stuck one recovers when it is reverted', async () => {
    const plugin = await node.advertise('vendor.example/npu', 1);
    try {
      const limits = { 'vendor.example/npu': 1, memory: '1Gi' };
      const resources = { limits, requests: { cpu: '20m' } };
      const service = await run('single', { pod: { resources } });
      const [first] = await service.readyPods(1);
      expect((await deploymentOf(service)).spec.strategy).toMatchObject({
        rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
      });
      // Its pod has a node, and so the accelerator that the old pod gave back.
      await service.patch({ server: { image: 'localhost/absent:1' } });
      await service.says('Ready', 'False', 'ImagePullFailed');
      await service.patch({ server: { image: null } });
      await service.says('Ready', 'True', 'Serving');
      const [again] = await service.readyPods(1);
      expect(again!.metadata.uid).not.toBe(first!.metadata.uid);
    } finally {
      await plugin.close();
    }
  }, 120_000);

  test('a new release of the operator restarts no pod (kserve/kserve#5085)', async () => {
    const before = await steady.readyPods(1);
    const { spec } = await deploymentOf(steady);
    const set = ['set', 'env', '-n', namespace, 'deployment/layercache-operator'];
    await kubectl(
      ...set,
      `LAYERCACHE_SERVER_IMAGE=${NEXT_SERVER_IMAGE}`,
      'LAYERCACHE_SERVER_RESOURCES={"limits":{"memory":"900Mi"}}',
    );
    await kubectl(
      'rollout',
      'status',
      '-n',
      namespace,
      'deployment/layercache-operator',
      '--timeout=40s',
    );
    await installation.operatorReady();
    // A change that is hot proves that the new one has passed over the service.
    await steady.patch({ accuracy: { auditRate: '9%' } });
    await steady.says('PolicyApplied', 'True', 'AllReplicas');
    expect((await deploymentOf(steady)).spec.template).toEqual(spec.template);
    expect(uids(await steady.readyPods(1))).toEqual(uids(before));
  });

  test('status is true after operator and pods died (SeldonIO/seldon-core#5032)', async () => {
    await scaleOperator(0);
    await kubectl('create', 'quota', 'none', '-n', other, '--hard=pods=0');
    const [pod] = await steady.readyPods(1);
    await deleteObject(node, { kind: 'Pod', namespace: other, name: pod!.metadata.name });
    const { status } = await steady.read();
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    await scaleOperator(1);
    await steady.says('Ready', 'False', 'Forbidden');
    await kubectl('delete', 'quota', 'none', '-n', other);
    await steady.says('Ready', 'True', 'Serving');
  }, 120_000);

  test('deletion never hangs, also without an operator (kserve/kserve#2119)', async () => {
    await scaleOperator(0);
    try {
      const ref = { kind: 'CachedModelService', namespace: other, name: 'steady' } as const;
      await patchObject(node, ref, { metadata: { labels: { last: 'words' } } });
      await deleteObject(node, ref);
      await eventually(async () => {
        const kinds = ['cms', 'deployment', 'service', 'secret', 'hpa', 'pdb'].join();
        const left = await kubectl('get', kinds, '-n', other, '-o', 'name');
        expect(left).toBe('');
        expect((await steady.pods()).length).toBe(0);
      }, 60_000);
    } finally {
      await scaleOperator(1);
    }
  }, 120_000);
});
