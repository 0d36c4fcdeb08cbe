// A service of ten pods on a real API server: the operator's controllers with their real client, budget and admin connections,
// and servers that answer over mutual TLS. Only kubelets are played: a pod is a server that the test starts.
import { expect } from 'vitest';
import { createControllers } from '../../../operator/controllers/create-controllers.ts';
import type { AdminAnswer, AdminCall } from '../../../operator/fleet/admin-client.ts';
import {
  createPodConnections,
  type PodConnections,
} from '../../../operator/fleet/pod-connections.ts';
import { parseAcknowledgement } from '../../../crds/wire/acknowledgement.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import type { Result } from '../../../crds/wire/result.ts';
import type { Api, KubeObject } from '../../../operator/kube/api.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { sleep, systemKubeClock as clock } from '../../../operator/kube/clock.ts';
import { loadAccess } from '../../../operator/kube/cluster-access.ts';
import { createEventRecorder } from '../../../operator/kube/events.ts';
import { createTokenBucket } from '../../../operator/kube/token-bucket.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import { ROOT_KEY, mountAdminKeys } from '../../support/admin-keys.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { NO_LOG, NO_METRICS } from '../../faults/sim/world.ts';
import { DEFAULTS, INSTALLATION } from '../../unit/operator/plan/builders.ts';

export const PODS = 10;
const NAME = 'wide';

/** A server that plays the container of a pod. */
export interface PodServer {
  readonly adminPort: number;
  close(): Promise<void>;
}

export interface TenPodsOptions {
  readonly modelName: string;
  /** Its environment says which pod it is, and where its keys lie. */
  readonly startServer: (environment: Readonly<Record<string, string>>) => Promise<PodServer>;
}

export interface TenPods {
  /** Changes a hot field of the spec; resolves with the time until every pod has acknowledged it by a push. */
  change(maxQueueLength: number): Promise<number>;
  /** `True AllReplicas`. */
  policyApplied(): Promise<string>;
  stop(): Promise<void>;
}

/** Resolves once every pod has its first policy. */
export async function runTenPods(
  plane: ControlPlane,
  namespace: string,
  { modelName, startServer }: TenPodsOptions,
): Promise<TenPods> {
  const access = loadAccess({ from: 'File', path: plane.kubeconfigPath });
  const user = createClient({ access, clock, budget: null });
  const ref = { kind: 'CachedModelService', namespace, name: NAME } as const;
  const { metadata } = await user.create({
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name: NAME, namespace },
    spec: {
      ...{ modelName, replicas: PODS },
      backbone: { uri: 'https://models.example.com/m.onnx' },
      accuracy: { maxDisagreement: '1%' },
    },
  });
  const keys = mountAdminKeys({ serviceUid: metadata.uid ?? '', generation: 1 });
  const servers = new Map<string, PodServer>();
  /** By length of the queue: pods that hold it. */
  const acknowledged = new Map<number, Set<string>>();
  const ended = new AbortController();
  const { signal } = ended;

  const connections = listening(
    createPodConnections(ROOT_KEY, clock, ({ uid }) => servers.get(uid)?.adminPort ?? 1),
    (uid, call, answer) => {
      if (call.path !== '/v1/policy' || !answer.ok) return;
      const read = parseAcknowledgement(Buffer.from(answer.value.body).toString());
      if (!read.ok || !read.value.result.endsWith('Applied')) return;
      const { limits } = JSON.parse(String(call.body)) as Policy;
      const holders = acknowledged.get(limits.maxQueueLength) ?? new Set();
      acknowledged.set(limits.maxQueueLength, holders.add(uid));
    },
  );

  async function startPods(): Promise<void> {
    while (!signal.aborted) {
      const { items } = await user.list('Pod', { namespace });
      const fresh = items.filter((pod) => !servers.has(pod.metadata.uid ?? ''));
      for (const pod of fresh) {
        const uid = pod.metadata.uid ?? '';
        const environment = { LAYERCACHE_POD_UID: uid, LAYERCACHE_ADMIN_DIR: keys.dir };
        servers.set(uid, await startServer(environment));
        await markReady(user, pod, servers.size);
      }
      await sleep(clock, 200, signal);
    }
  }

  const generator = seededRandom(1);
  const random = (): number => generator.uniform();
  const instance = 'operator-under-test';
  const api = createClient({ access, clock, budget: createTokenBucket({ clock }) });
  const running = Promise.all([
    startPods(),
    createControllers({
      ...{ api, readingApi: api, clock, random, signal, connections },
      ...{ installation: INSTALLATION, defaults: DEFAULTS, rootKey: ROOT_KEY },
      events: createEventRecorder({
        ...{ api, clock, random, signal, instance },
        controller: 'layercache.io/operator',
      }),
      ...{ metrics: NO_METRICS, log: NO_LOG, watchNamespaces: [namespace], writer: instance },
      ownsNamespace: () => true,
      leaseTransitions: () => 0,
    }).run(),
  ]);

  const everyPodHas = (maxQueueLength: number, deadlineMs: number): Promise<void> =>
    eventually(() => {
      expect(acknowledged.get(maxQueueLength)?.size).toBe(PODS);
    }, deadlineMs);
  await everyPodHas(DEFAULT_LIMITS.maxQueueLength, 180_000);

  return {
    change: async (maxQueueLength) => {
      const startedMs = performance.now();
      acknowledged.clear();
      await user.mergePatch(ref, { spec: { server: { batching: { maxQueueLength } } } });
      await everyPodHas(maxQueueLength, 60_000);
      return performance.now() - startedMs;
    },
    policyApplied: async () => {
      const { status } = await user.get(ref);
      const { conditions = [] } = status as {
        conditions?: { type: string; status: string; reason: string }[];
      };
      const found = conditions.find(({ type }) => type === 'PolicyApplied');
      return `${found?.status} ${found?.reason}`;
    },
    stop: async () => {
      ended.abort();
      await running;
      await Promise.all([...servers.values()].map((server) => server.close()));
      keys.remove();
      access.close();
    },
  };
}

type Heard = (uid: string, call: AdminCall, answer: Result<AdminAnswer>) => void;

/** Pods have addresses of a cluster, and their servers are on this machine. */
function listening(connections: PodConnections, heard: Heard): PodConnections {
  return {
    open: (serviceUid, pod) => {
      const client = connections.open(serviceUid, { ...pod, ip: '127.0.0.1' });
      return {
        ...client,
        call: async (call) => {
          const answer = await client.call(call);
          heard(pod.uid, call, answer);
          return answer;
        },
      };
    },
  };
}

async function markReady(user: Api, { metadata }: KubeObject, index: number): Promise<void> {
  const ip = `10.99.0.${index}`;
  const lastTransitionTime = new Date(clock.nowMs()).toISOString();
  const conditions = ['PodScheduled', 'ContainersReady', 'Ready'].map((type) => ({
    ...{ type, lastTransitionTime },
    status: 'True',
  }));
  await user.mergePatch(
    { kind: 'Pod', namespace: metadata.namespace ?? '', name: metadata.name },
    { status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions } },
    { subresource: 'status' },
  );
}
