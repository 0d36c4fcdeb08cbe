// What users of other systems asked for, as far as only real pods show it. The list of all asks and where each is tested:
// test/unit/house/user-asks.ts. `npm run build` comes first.
import { readFileSync } from 'node:fs';
import {
  afterAll,
  beforeAll,
  describe,
  expect,
  onTestFinished as whenFinished,
  test,
} from 'vitest';
import { operatorRules } from '../../../operator/plan/rbac.ts';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import { sharedRealNode } from '../../support/real-node.ts';
import type { DevicePlugin } from '../harness/node/device-plugin.ts';
import type { TestNamespace } from '../harness/test-namespace.ts';
import { startInnerModelHost } from '../pods/inner-model-host.ts';
import { installOperator, NEXT_SERVER_IMAGE, type Installation } from '../pods/installation.ts';
import { claimModel } from '../pods/model-claim.ts';
import { createObject, deleteObject, readObject, type PodObject } from '../pods/node-objects.ts';
import { runService, type RunningService } from '../pods/running-service.ts';

const node = await sharedRealNode();

/** Pods that no node takes cost nothing. */
const NOWHERE = { nodeSelector: { zone: 'nowhere' } };
const LONGEST_NAME = 'a-name-of-thirty-one-characters';
const NPU = 'vendor.example/npu';
const MODEL_FILE = 'server/examples/fashion-mnist/backbone.onnx';

describe.skipIf(node.unavailable !== null)('as users asked, on a node', () => {
  const spaces: TestNamespace[] = [];
  let namespace: string;
  /** For quotas: watched too, without the operator's own pod. */
  let other: string;
  let installation: Installation;
  let steady: RunningService;
  let plugin: DevicePlugin;
  let single: RunningService;

  beforeAll(async () => {
    const made = await Promise.all([1, 2].map(() => node.namespace()));
    spaces.push(...made);
    [namespace, other] = made.map(({ name }) => name) as [string, string];
    const services = { [other]: operatorRules('demo').services };
    installation = await installOperator(node, {
      ...{ namespace, services },
      isNextReleaseLoaded: true,
    });
    plugin = await node.advertise(NPU, 1);
    const resources = { limits: { [NPU]: 1, memory: '1Gi' }, requests: { cpu: '20m' } };
    const place = { node, installation };
    [steady, single] = await Promise.all([
      runService({ ...place, name: 'steady', namespace: other }),
      runService({ ...place, name: 'single' }, { pod: { resources } }),
    ]);
    await steady.says('Ready', 'True', 'Serving');
  });
  afterAll(async () => {
    await plugin.close();
    await Promise.all(spaces.map((space) => space.delete()));
  });

  type WhenFinished = typeof whenFinished;

  const run = (
    name: string,
    spec: object = {},
    onTestFinished: WhenFinished = whenFinished,
  ): Promise<RunningService> => runService({ node, installation, name, onTestFinished }, spec);

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await node.kubectl(args);
    expect(code, stderr).toBe(0);
    return stdout;
  }

  const identities = (pods: readonly PodObject[]): unknown[] =>
    pods.map(({ metadata, status }) => [
      metadata.uid,
      status.containerStatuses!.map(({ restartCount }) => restartCount),
    ]);

  // These wait for kubelets more than they work.
  describe.concurrent('side by side', () => {
    test('kubectl get shows a service within 140 columns, with a name of 31 characters', async ({
      onTestFinished,
    }) => {
      const service = await run(LONGEST_NAME, { pod: NOWHERE }, onTestFinished);
      await service.says('Ready', 'False', 'Unschedulable');
      const lines = (await kubectl('get', 'cms', '-n', namespace)).trimEnd().split('\n');
      expect(lines[0]).toMatch(/^NAME +READY +REASON +PODS +EXITS +HEADS +EXITED +BOUND +AGE$/);
      expect(lines.find((line) => line.startsWith(LONGEST_NAME))).toMatch(/False +Unschedulable/);
      for (const line of lines) expect(line.trimEnd().length).toBeLessThanOrEqual(140);
    });

    test('kubectl wait ends when the service serves, kubectl describe says what happened', async () => {
      const of = ['-n', other];
      await kubectl('wait', ...of, '--for=condition=Ready', '--timeout=30s', 'cms/steady');
      // Ready is what endpoints say; the backbone is told once the pods have been asked.
      await eventually(async () => {
        const described = await kubectl('describe', ...of, 'cms', 'steady');
        expect(described).toMatch(/Reason: +Serving/);
        expect(described).toMatch(/Normal +BackboneLoaded/);
      }, NODE_WAIT_MS);
    });

    test('SeldonIO/MLServer#2056 a pod that has loaded no model is not Ready, and gets no traffic', async ({
      onTestFinished,
    }) => {
      const backbone = { uri: 'file:///models/absent.onnx' };
      const service = await run('unloaded', { backbone }, onTestFinished);
      await service.says('Ready', 'False', 'BackboneFetchFailed');
      // The server tells its state before the kubelet has asked the startup probe.
      await eventually(async () => {
        const [pod] = await service.pods();
        expect(pod!.status.phase).toBe('Running');
        expect(pod!.status.containerStatuses).toMatchObject([{ started: true, ready: false }]);
      }, NODE_WAIT_MS);
      const of = ['-n', namespace, '-l', 'kubernetes.io/service-name=unloaded'];
      const slices = await kubectl('get', 'endpointslices', ...of, '-o', 'json');
      const { items } = JSON.parse(slices) as {
        items: { endpoints: { conditions: { ready: boolean } }[] | null }[];
      };
      const endpoints = items.flatMap((item) => item.endpoints ?? []);
      expect(endpoints.filter(({ conditions }) => conditions.ready)).toEqual([]);
    });

    test('kserve/kserve#1859 a pod that crashes again and again is not Ready, between its crashes too', async ({
      onTestFinished,
    }) => {
      const env = [{ name: 'LAYERCACHE_DATA_PORT', value: 'none' }];
      const podTemplate = { spec: { containers: [{ name: 'server', env }] } };
      const service = await run('crashing', { podTemplate }, onTestFinished);
      const { message } = await service.says('Ready', 'False', 'CrashLooping');
      expect(message).toMatch(/exit code 2/);
      const restarts = async (): Promise<number> =>
        (await service.pods())[0]!.status.containerStatuses![0]!.restartCount;
      const before = await restarts();
      await eventually(async () => {
        const { status } = await service.read();
        const ready = status.conditions?.find(({ type }) => type === 'Ready');
        expect(ready?.status).toBe('False');
        expect(await restarts()).toBeGreaterThan(before);
      }, NODE_WAIT_MS);
    });

    test('kserve/kserve#1766 a backbone comes from a host whose CA only a ConfigMap knows', async ({
      onTestFinished,
    }) => {
      const { uri, ca } = await startInnerModelHost(node, namespace);
      const name = 'corp-ca';
      const data = { 'ca.crt': ca };
      const configMap = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace },
        data,
      };
      const service = await run('private', { backbone: { uri } }, onTestFinished);
      const { message } = await service.says('Ready', 'False', 'BackboneFetchFailed');
      expect(message).toMatch(/caBundleConfigMapName/);
      await createObject(node, configMap);
      await service.patch({ backbone: { caBundleConfigMapName: name } });
      await service.says('Ready', 'True', 'Serving');
    });

    test('NVIDIA/k8s-nim-operator#663 a cluster without a way out runs a service from its own images and a claim', async ({
      onTestFinished,
    }) => {
      const route = await node.runInNetwork('ip', ['route', 'get', '203.0.113.1']);
      expect(route.code).not.toBe(0);
      const { uri, digest, remove } = await claimModel(node, namespace, readFileSync(MODEL_FILE));
      onTestFinished(remove);
      const backbone = { uri, digest };
      const service = await run('inland', { backbone }, onTestFinished);
      await service.says('Ready', 'True', 'Serving');
      // Ready is what endpoints say; the backbone is told once the pods have been asked.
      await eventually(async () => {
        expect((await service.read()).status.backbone).toMatchObject({ digest });
      }, NODE_WAIT_MS);
    });

    test('kserve/kserve#3683 a change of the image reaches the pods', async ({
      onTestFinished,
    }) => {
      const service = await run('imaged', {}, onTestFinished);
      const imageOf = async (): Promise<string> =>
        (await service.readyPods(1))[0]!.status.containerStatuses![0]!.imageID;
      const before = await imageOf();
      await service.patch({ server: { image: NEXT_SERVER_IMAGE } });
      await service.says('Ready', 'True', 'Serving');
      expect(await imageOf()).not.toBe(before);
    });

    test('defilantech/LLMKube#856 hot fields reach the pods and restart nothing', async () => {
      const before = identities(await steady.readyPods(1));
      const hot = {
        accuracy: { auditRate: '9%', confidence: '90%' },
        exitMode: 'Shadow',
        server: {
          batching: { maxBatchSize: 7 },
          limits: { maxRequestSize: '1Mi' },
          policyMaxAge: '2m',
          logLevel: 'Debug',
        },
        rollout: { paused: true },
        tuning: { mode: 'Recommend' },
      };
      const was = (await steady.read()).status.policy;
      await steady.patch(hot);
      await steady.says('PolicyApplied', 'True', 'AllReplicas');
      expect((await steady.read()).status.policy).not.toEqual(was);
      expect(identities(await steady.readyPods(1))).toEqual(before);
    });
  });

  describe('with one accelerator', () => {
    test('kserve/kserve#4505 an accelerator of any name is asked for and given', async () => {
      await single.says('Ready', 'True', 'Serving');
      const [pod] = await single.readyPods(1);
      const { spec } = await readObject<{
        spec: { containers: { resources: { limits: Record<string, string> } }[] };
      }>(node, { kind: 'Pod', namespace, name: pod!.metadata.name });
      expect(spec.containers[0]!.resources.limits[NPU]).toBe('1');
    });

    test('ai-runway/airunway#400 one replica rolls without surge', async () => {
      await single.readyPods(1);
      let most = 0;
      await single.patch({ pod: { annotations: { roll: '1' } } });
      await eventually(async () => {
        const living = (await single.pods()).filter(
          ({ metadata }) => metadata.deletionTimestamp === undefined,
        );
        most = Math.max(most, living.length);
        const { status, metadata } = await single.read();
        const ready = status.conditions?.find(({ type }) => type === 'Ready');
        const observedGeneration = metadata.generation;
        expect(ready).toMatchObject({ status: 'True', observedGeneration });
      }, NODE_WAIT_MS);
      expect(most).toBe(1);
    });

    test('runestack/rune#250 a roll without a spare accelerator ends, and reverting a stuck one recovers', async () => {
      const [first] = await single.readyPods(1);
      await single.patch({ server: { image: NEXT_SERVER_IMAGE } });
      await single.says('Ready', 'True', 'Serving');
      const [second] = await single.readyPods(1);
      expect(second!.metadata.uid).not.toBe(first!.metadata.uid);
      // Its pod has a node, and so the accelerator that the old pod gave back.
      await single.patch({ server: { image: 'localhost/absent:1' } });
      await single.says('Ready', 'False', 'ImagePullFailed');
      await single.patch({ server: { image: NEXT_SERVER_IMAGE } });
      await single.says('Ready', 'True', 'Serving');
      const [third] = await single.readyPods(1);
      expect(third!.metadata.uid).not.toBe(second!.metadata.uid);
      await single.remove();
    }, 600_000);
  });

  test('SeldonIO/seldon-core#5032 status is true after operator and pods died', async () => {
    const scaleOperator = async (replicas: number): Promise<void> => {
      const of = ['-n', namespace, 'deployment/layercache-operator', `--replicas=${replicas}`];
      await kubectl('scale', ...of);
    };
    await scaleOperator(0);
    await eventually(async () => {
      expect(await installation.operatorPods()).toEqual([]);
    }, NODE_WAIT_MS);
    await kubectl('create', 'quota', 'none', '-n', other, '--hard=pods=0');
    const [pod] = await steady.readyPods(1);
    await deleteObject(node, { kind: 'Pod', namespace: other, name: pod!.metadata.name });
    const { status } = await steady.read();
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    await scaleOperator(1);
    await steady.says('Ready', 'False', 'Forbidden');
    await kubectl('delete', 'quota', 'none', '-n', other);
    await steady.says('Ready', 'True', 'Serving');
  });
});
