// Pods as operator/plan renders them, of the image made from dist/bundle, on a real node. `npm run build` comes first.
import { beforeAll, describe, expect, test } from 'vitest';
import { serializePolicy, type Policy } from '../../../crds/wire/policy.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import type { AdminClient } from '../../../operator/fleet/admin-client.ts';
import { pullPodState, pullState } from '../../../operator/fleet/pull-state.ts';
import { pushPolicy } from '../../../operator/fleet/push-policy.ts';
import { eventually } from '../../support/eventually.ts';
import { sharedRealNode } from '../../support/real-node.ts';
import { aPolicy } from '../../support/test-server.ts';
import { serverImage } from '../harness/image/product-images.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { EXAMPLE_URI, infer, inferBodyOf, startLoad } from './example-model.ts';
import { askInside } from './inside.ts';
import { deleteObject } from './node-objects.ts';
import { killInPod } from './node-processes.ts';
import { SERVER_IMAGE, ipOf, renderService } from './rendered-service.ts';

const node = await sharedRealNode();
const restricted = { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
const EXAMPLE = {
  modelName: 'fashion-mnist',
  backbone: { uri: EXAMPLE_URI },
  accuracy: { maxDisagreement: '1%' },
  server: { warmup: { iterations: 1 }, drain: { delay: '3s', timeout: '10s' } },
};
const MODEL = EXAMPLE.modelName;

async function stateOf(admin: AdminClient): Promise<ServerState> {
  const state = await pullState(admin);
  if (!state.ok) throw new Error(state.message);
  return state.value;
}

describe.skipIf(node.unavailable !== null)('a rendered pod', () => {
  beforeAll(async () => {
    await node.loadImage(await serverImage({ name: SERVER_IMAGE }));
    await installDefinitions(node);
  });

  test('serves in a restricted namespace, takes policies by ConfigMap and by push, and outlives its engine', async () => {
    const { name: namespace } = await node.namespace(restricted);
    const vision = await renderService(node, namespace, EXAMPLE);
    const [pod] = await vision.readyPods(1);
    const endpoint = await vision.endpoint();
    const body = await inferBodyOf(node, endpoint, MODEL);
    expect(await infer(node, endpoint, { model: MODEL, body })).toMatchObject({ status: 200 });

    const admin = await vision.admin(pod!);
    try {
      const { backbone } = await stateOf(admin);
      const policy: Policy = {
        ...aPolicy({ model: MODEL, backboneDigest: backbone.digest, exits: [] }),
        exitsEnabled: false,
      };
      await vision.storePolicy(serializePolicy(policy));
      await eventually(async () => {
        const { acknowledgement } = await stateOf(admin);
        expect(acknowledgement).toMatchObject({ result: 'Applied', epoch: 1, revision: 1 });
      }, 60_000);
      const pushed = await pushPolicy(admin, { ...policy, revision: 2 });
      expect(pushed).toMatchObject({ ok: true, value: { result: 'Applied', revision: 2 } });
    } finally {
      await admin.end();
    }

    expect(killInPod(pod!.metadata.uid, 'engine-host')).toBe(true);
    await eventually(async () => {
      expect(await infer(node, endpoint, { model: MODEL, body })).toMatchObject({ status: 200 });
    }, 20_000);
    const [same] = await vision.readyPods(1);
    expect(same!.metadata.uid).toBe(pod!.metadata.uid);
    expect(same!.status.containerStatuses![0]!.restartCount).toBe(0);
  });

  test('that cannot read its backbone starts, stays up, is not ready and says why', async () => {
    const { name: namespace } = await node.namespace(restricted);
    const backbone = { uri: 'file:///models/absent.onnx' };
    const vision = await renderService(node, namespace, { ...EXAMPLE, backbone });
    const pod = await eventually(async () => {
      const [found] = await vision.pods();
      expect(found?.status.containerStatuses?.[0]).toMatchObject({ started: true });
      return found!;
    }, 60_000);
    expect(pod.status.containerStatuses![0]).toMatchObject({ ready: false, restartCount: 0 });
    const admin = await vision.admin(pod);
    try {
      expect(await pullPodState(admin)).toMatchObject({
        ok: true,
        value: {
          loaded: false,
          state: { loading: { failure: { code: 'BackboneFetchFailed' } } },
        },
      });
    } finally {
      await admin.end();
    }
    const live = await askInside(node, { host: ipOf(pod), port: 9090, path: '/livez' });
    expect(live.status).toBe(200);
  });

  test('takes its admin port for nobody without the key of its service', async () => {
    const { name: namespace } = await node.namespace(restricted);
    const vision = await renderService(node, namespace, EXAMPLE);
    const [pod] = await vision.readyPods(1);
    const plain = askInside(node, { host: ipOf(pod!), port: 8081, path: '/v1/state' });
    await expect(plain).rejects.toThrow();
  });

  test('no request is lost when pods are deleted under load', async () => {
    const { name: namespace } = await node.namespace(restricted);
    const vision = await renderService(node, namespace, { ...EXAMPLE, replicas: 2 });
    const before = await vision.readyPods(2);
    const load = await startLoad(node, await vision.endpoint(), MODEL);
    const [first] = before;
    await deleteObject(node, { kind: 'Pod', namespace, name: first!.metadata.name });
    await eventually(async () => {
      const names = (await vision.pods()).map(({ metadata }) => metadata.name);
      expect(names).not.toContain(first!.metadata.name);
    }, 60_000);
    await vision.readyPods(2);
    const { answered, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(50);
  });

  test('gets the accelerator that it asks for', async () => {
    const { name: namespace } = await node.namespace(restricted);
    const resources = { limits: { 'nvidia.com/gpu': 1, memory: '1Gi' }, requests: { cpu: '50m' } };
    const vision = await renderService(node, namespace, { ...EXAMPLE, pod: { resources } });
    const [pod] = await vision.readyPods(1);
    const { stdout } = await node.kubectl([
      ...['exec', '-n', namespace, pod!.metadata.name, '--'],
      ...['/usr/bin/node', '-p', 'process.env.NVIDIA_VISIBLE_DEVICES'],
    ]);
    expect(stdout).toMatch(/^device-[01]\n$/);
  });
});
