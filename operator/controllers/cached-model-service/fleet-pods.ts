import type { FleetPod } from '../../fleet/fleet-pod.ts';
import type { KubeObject } from '../../kube/api.ts';
import { adminGenerationOf } from './admin-generation-of.ts';

/** Pods that can be asked: running, with an address, with keys of this service. One that is leaving still serves. */
export function toFleetPods(pods: readonly KubeObject[], serviceName: string): FleetPod[] {
  return pods
    .flatMap((pod) => {
      const { phase, podIP } = statusOf(pod);
      const adminGeneration = adminGenerationOf(pod, serviceName);
      const { uid, name } = pod.metadata;
      if (phase !== 'Running' || podIP === undefined || adminGeneration === null) return [];
      return uid === undefined ? [] : [{ uid, name, ip: podIP, adminGeneration }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether containers of the pod have run: what its volumes name was there then. */
export function hasStarted(pod: KubeObject): boolean {
  return statusOf(pod).phase === 'Running';
}

/** Whether a pod has a node and waits for its containers: so does one whose volumes name what is not there. */
export function mayMissVolume(pod: KubeObject): boolean {
  const { phase, conditions = [], containerStatuses = [] } = statusOf(pod);
  const isScheduled = conditions.some(
    ({ type, status }) => type === 'PodScheduled' && status === 'True',
  );
  const isCreating = containerStatuses.every(({ state }) => ON_THE_WAY.has(state?.waiting?.reason));
  return phase === 'Pending' && isScheduled && isCreating;
}

const ON_THE_WAY: ReadonlySet<unknown> = new Set(['ContainerCreating', 'PodInitializing']);

interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly conditions?: readonly { readonly type?: unknown; readonly status?: unknown }[];
  readonly containerStatuses?: readonly {
    readonly state?: { readonly waiting?: { readonly reason?: unknown } };
  }[];
}

function statusOf({ status }: KubeObject): PodStatus {
  return status ?? {};
}
