// Plays the kubelets and the servers of a cluster without nodes: pods that the real Deployment controller makes are reported as
// running and ready, and answer on their admin port from memory.
import type { FleetPod } from '../../../operator/fleet/fleet-pod.ts';
import type { PodConnections } from '../../../operator/fleet/pod-connections.ts';
import type { Api, KubeObject } from '../../../operator/kube/api.ts';
import { ApiStatusError } from '../../../operator/kube/api-status-error.ts';
import { sleep, systemKubeClock } from '../../../operator/kube/clock.ts';
import { fakePod, SILENT, type FakePod } from '../../support/fake-pod.ts';

export interface FakedKubelet {
  /** By UID. */
  readonly pods: ReadonlyMap<string, FakePod>;
  readonly connections: PodConnections;
  /** Until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 200;

export function createFakedKubelet(api: Api, namespace: string): FakedKubelet {
  const pods = new Map<string, FakePod>();
  async function start({ metadata }: KubeObject): Promise<void> {
    const { uid = '', name } = metadata;
    if (pods.has(uid)) return;
    const ip = `10.99.0.${pods.size + 1}`;
    // First, or the operator, told of the address before this request is answered, would keep a connection to nobody.
    const fake = fakePod(uid, { name, ip });
    fake.companions = [];
    pods.set(uid, fake);
    try {
      await api.mergePatch(
        { kind: 'Pod', namespace, name },
        { status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: readyNow() } },
        { subresource: 'status' },
      );
    } catch (error) {
      pods.delete(uid);
      throw error;
    }
  }
  return {
    pods,
    connections: { open: (_, pod) => clientOf(pods, pod) },
    run: async (signal) => {
      while (!signal.aborted) {
        const { items } = await api.list('Pod', { namespace }).catch(nothingWhileAway);
        for (const pod of items) await start(pod).catch(ignoreGone);
        await sleep(systemKubeClock, LOOK_MS, signal);
      }
    },
  };
}

function readyNow(): readonly object[] {
  const lastTransitionTime = new Date(systemKubeClock.nowMs()).toISOString();
  return ['PodScheduled', 'ContainersReady', 'Ready'].map((type) => ({
    ...{ type, lastTransitionTime },
    status: 'True',
  }));
}

function clientOf(
  pods: ReadonlyMap<string, FakePod>,
  { uid }: FleetPod,
): ReturnType<FakePod['client']> {
  const silent = { baseUrl: '', call: () => Promise.resolve(SILENT), close: () => undefined };
  return pods.get(uid)?.client() ?? silent;
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ApiStatusError && (error.isNotFound || error.isConflict))) throw error;
}

/** A kubelet outlives its API server. */
function nothingWhileAway(error: unknown): { readonly items: readonly KubeObject[] } {
  if (error instanceof ApiStatusError && (error.status === 0 || error.status >= 500)) {
    return { items: [] };
  }
  throw error;
}
