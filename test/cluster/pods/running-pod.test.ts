// The product as it ships, on a real node: operator and servers as pods of images made from dist/bundle, which `npm run build`
// makes first. Only what needs real pods is here; conditions by their causes are in test/cluster/service.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { comparePair, serializePolicy, type Policy } from '../../../crds/wire/policy.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import type { AdminClient } from '../../../operator/fleet/admin-client.ts';
import { pullState } from '../../../operator/fleet/pull-state.ts';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import { sharedRealNode } from '../../support/real-node.ts';
import type { TestNamespace } from '../harness/test-namespace.ts';
import { infer, inferBodyOf, startLoad } from './example-model.ts';
import { askInside } from './inside.ts';
import { installOperator, NEXT_SERVER_IMAGE, type Installation } from './installation.ts';
import { deleteObject, patchObject } from './node-objects.ts';
import { killInPod } from './node-processes.ts';
import { MODEL, ipOf, runService, type RunningService } from './running-service.ts';
import { storedPolicy } from './stored-policy.ts';

const node = await sharedRealNode();

async function stateOf(admin: AdminClient): Promise<ServerState> {
  const state = await pullState(admin);
  if (!state.ok) throw new Error(state.message);
  return state.value;
}

describe.skipIf(node.unavailable !== null)('services as pods', () => {
  let space: TestNamespace;
  let installation: Installation;
  let vision: RunningService;
  beforeAll(async () => {
    space = await node.namespace({
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    });
    installation = await installOperator(node, {
      namespace: space.name,
      isNextReleaseLoaded: true,
    });
    vision = await run('vision');
    await vision.says('Ready', 'True', 'Serving');
  });
  afterAll(() => space.delete());

  const run = (name: string, spec: object = {}): Promise<RunningService> =>
    runService({ node, installation, name }, spec);

  async function policyOf({ namespace, name }: RunningService): Promise<Policy> {
    const read = await storedPolicy(node, { namespace, name });
    if (!read.ok) throw new Error(read.message);
    return read.value;
  }

  test('a service answers through its address, and its pods take policies by push and by ConfigMap', async () => {
    await vision.says('PolicyApplied', 'True', 'AllReplicas');
    const endpoint = await vision.endpoint();
    const body = await inferBodyOf(node, endpoint, MODEL);
    const answer = await infer(node, endpoint, { model: MODEL, body });
    expect(answer.status, answer.body).toBe(200);

    const [pod] = await vision.readyPods(1);
    const admin = await vision.admin(pod!);
    const stored = await policyOf(vision);
    const { acknowledgement } = await stateOf(admin);
    expect(acknowledgement).toMatchObject({
      result: expect.stringMatching(/Applied$/) as string,
      epoch: stored.epoch,
      revision: stored.revision,
    });
    expect(answer.headers['layercache-policy']).toBe(`${stored.epoch}.${stored.revision}`);

    // Pushed: long before a kubelet would bring the ConfigMap.
    await vision.patch({ server: { policyMaxAge: '7m' } });
    await vision.says('PolicyApplied', 'True', 'AllReplicas');
    const next = await policyOf(vision);
    expect(next.maxAgeSeconds).toBe(420);
    expect(comparePair(next, stored)).toBeGreaterThan(0);

    // A pod that starts while there is no operator reads what is mounted.
    await scaleOperator(0);
    try {
      await deleteObject(node, { kind: 'Pod', namespace: space.name, name: pod!.metadata.name });
      const [fresh] = await vision.readyPods(1);
      const { acknowledgement: mounted } = await stateOf(await vision.admin(fresh!));
      expect(mounted).toMatchObject({ epoch: next.epoch, revision: next.revision });
      expect(serializePolicy(await policyOf(vision))).toBe(serializePolicy(next));
    } finally {
      await scaleOperator(1);
    }
  });

  async function scaleOperator(replicas: number): Promise<void> {
    await patchObject(
      node,
      { kind: 'Deployment', namespace: space.name, name: 'layercache-operator' },
      { spec: { replicas } },
    );
    if (replicas > 0) {
      await installation.operatorReady();
      return;
    }
    await eventually(async () => {
      expect(await installation.operatorPods()).toEqual([]);
    }, NODE_WAIT_MS);
  }

  test('a pod outlives its engine, without a restart', async () => {
    const [pod] = await vision.readyPods(1);
    const endpoint = await vision.endpoint();
    const body = await inferBodyOf(node, endpoint, MODEL);
    expect(killInPod(pod!.metadata.uid, 'engine-host')).toBe(true);
    await eventually(async () => {
      expect((await infer(node, endpoint, { model: MODEL, body })).status).toBe(200);
    }, NODE_WAIT_MS);
    const [same] = await vision.readyPods(1);
    expect(same!.metadata.uid).toBe(pod!.metadata.uid);
    expect(same!.status.containerStatuses![0]!.restartCount).toBe(0);
  });

  test('nobody without a key of the service is served on an admin port', async () => {
    const [pod] = await vision.readyPods(1);
    const plain = askInside(node, { host: ipOf(pod!), port: 8081, path: '/v1/state' });
    await expect(plain).rejects.toThrow();
  });

  test('kserve/kserve#3375 no request is lost when a pod is deleted, the operator is killed and an image is rolled under load', async () => {
    const busy = await run('load', { replicas: 2 });
    const [first] = await busy.readyPods(2);
    await busy.says('Ready', 'True', 'Serving');
    const load = await startLoad(node, await busy.endpoint(), MODEL);

    await deleteObject(node, { kind: 'Pod', namespace: space.name, name: first!.metadata.name });
    const operator = await installation.operatorReady();
    expect(killInPod(operator.metadata.uid, 'operator.mjs')).toBe(true);
    await eventually(async () => {
      const names = (await busy.pods()).map(({ metadata }) => metadata.name);
      expect(names).not.toContain(first!.metadata.name);
    }, NODE_WAIT_MS);
    const before = await busy.readyPods(2);

    await busy.patch({ server: { image: NEXT_SERVER_IMAGE } });
    await eventually(async () => {
      const names = (await busy.pods()).map(({ metadata }) => metadata.name);
      for (const { metadata } of before) expect(names).not.toContain(metadata.name);
    }, NODE_WAIT_MS);
    const after = await busy.readyPods(2);
    await busy.says('Ready', 'True', 'Serving');
    const images = (pods: typeof after) =>
      new Set(pods.map(({ status }) => status.containerStatuses![0]!.imageID));
    expect(images(after)).not.toEqual(images(before));
    const { answered, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(50);
  }, 600_000);

  test('a pod gets the accelerator that it asks for', async () => {
    const resources = { limits: { 'nvidia.com/gpu': 1, memory: '1Gi' }, requests: { cpu: '20m' } };
    const graphics = await run('gpu', { pod: { resources } });
    const [pod] = await graphics.readyPods(1);
    const { stdout } = await node.kubectl([
      ...['exec', '-n', space.name, pod!.metadata.name, '--'],
      ...['/usr/bin/node', '-p', 'process.env.NVIDIA_VISIBLE_DEVICES'],
    ]);
    expect(stdout).toMatch(/^device-[01]\n$/);
  });
});
