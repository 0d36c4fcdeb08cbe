import type { KubeObject } from '../../kube/api.ts';
import { selectorText } from '../../plan/labels.ts';
import type { Cluster, RawAnswer } from '../cluster/cluster.ts';

/** Every page passes through the API server, which is not ours alone: of a large fleet no more pods than these are asked. */
export const MOST_PODS = 10;
/** Where pods serve their metrics. */
export const METRICS_PORT = 9090;

/** Pods of a service that run, ready or not. */
export async function runningPods(
  { api, namespace }: Cluster,
  service: string,
): Promise<readonly KubeObject[]> {
  const { items } = await api.list('Pod', { namespace, labelSelector: selectorText(service) });
  return items.filter(
    ({ status }) => (status as { readonly phase?: string } | undefined)?.phase === 'Running',
  );
}

/** What a pod's metric port says through the API server; null: no answer at all. */
export async function askPod(cluster: Cluster, pod: string): Promise<RawAnswer | null> {
  const place = `/api/v1/namespaces/${cluster.namespace}/pods/${pod}:${METRICS_PORT}/proxy/metrics`;
  // One pod alone proves nothing: that the API server is lost, the next call of its own tells.
  return await cluster.raw('GET', place).catch(() => null);
}

/** The page of metrics in an answer; null: there is none. */
export function pageIn(answer: RawAnswer | null): string | null {
  return answer?.status === 200 ? answer.text : null;
}
