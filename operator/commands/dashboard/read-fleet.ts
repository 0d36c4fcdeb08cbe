import { ApiStatusError } from '../../kube/api-status-error.ts';
import type { KubeObject } from '../../kube/api.ts';
import { sleep } from '../../kube/clock.ts';
import { selectorText } from '../../plan/labels.ts';
import type { Cluster, RawAnswer } from '../cluster/cluster.ts';
import type { FleetFacts } from './dashboard-facts.ts';
import type { PodReading } from './fleet.ts';
import { readPodCounts } from './pod-counts.ts';

/** Running pods of a service, by name; a sentence instead where this user may not list them. */
export type PodList =
  | { readonly ok: true; readonly pods: readonly ListedPod[] }
  | { readonly ok: false; readonly problem: string };

interface ListedPod {
  readonly name: string;
  readonly isReady: boolean;
}

const METRICS_PORT = 9090;
/** Every page passes through the API server, which is not ours alone. */
const MOST_PODS = 10;
/** A pod that hangs must not hold the others up. */
const POD_MS = 4_000;

export async function listPods(cluster: Cluster, service: string): Promise<PodList> {
  const { api, namespace } = cluster;
  try {
    const { items } = await api.list('Pod', { namespace, labelSelector: selectorText(service) });
    const pods = items.flatMap(toListedPod).sort((a, b) => a.name.localeCompare(b.name));
    return { ok: true, pods };
  } catch (error) {
    if (!(error instanceof ApiStatusError) || !error.isForbidden) throw error;
    return { ok: false, problem: forbidden('list pods', namespace) };
  }
}

interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

function toListedPod({ metadata, status }: KubeObject): ListedPod[] {
  const { phase, conditions = [] } = (status ?? {}) as PodStatus;
  if (phase !== 'Running') return [];
  const isReady = conditions.some((one) => one.type === 'Ready' && one.status === 'True');
  return [{ name: metadata.name, isReady }];
}

function forbidden(right: string, namespace: string): string {
  return `This user may not ${right} in namespace ${namespace}, so what pods count is not shown. ClusterRole edit there has that right.`;
}

/** Asks the metric ports of pods through the API server, each at most once at a time. */
export interface FleetReader {
  read(list: PodList): Promise<FleetFacts>;
}

/** @param ended waits for no pod any longer */
export function createFleetReader(cluster: Cluster, ended: AbortSignal): FleetReader {
  const waiting = new Set<string>();

  async function answerOf(pod: string): Promise<RawAnswer | null> {
    const place = `/api/v1/namespaces/${cluster.namespace}/pods/${pod}:${METRICS_PORT}/proxy/metrics`;
    waiting.add(pod);
    try {
      return await cluster.raw('GET', place);
    } catch {
      // One pod alone proves nothing: that the API server is lost, the next call of its own tells.
      return null;
    } finally {
      waiting.delete(pod);
    }
  }

  const ask = (pod: string): Promise<RawAnswer | null> =>
    waiting.has(pod)
      ? Promise.resolve(null)
      : Promise.race([answerOf(pod), sleep(cluster.clock, POD_MS, ended).then(() => null)]);

  return {
    read: async (list) => {
      if (!list.ok) return { pods: [], podCount: 0, problem: list.problem };
      const asked = list.pods.slice(0, MOST_PODS);
      const answers = await Promise.all(asked.map(({ name }) => ask(name)));
      const pods = asked.map((pod, i): PodReading => ({
        ...pod,
        counts: countsOf(answers[i] ?? null),
      }));
      return {
        pods,
        podCount: list.pods.length,
        problem: problemOf(pods, answers, cluster.namespace),
      };
    },
  };
}

function countsOf(answer: RawAnswer | null): PodReading['counts'] {
  return answer?.status === 200 ? readPodCounts(answer.text) : null;
}

function problemOf(
  pods: readonly PodReading[],
  answers: readonly (RawAnswer | null)[],
  namespace: string,
): string | null {
  if (pods.length === 0) return 'No pod of this service runs, so there is no traffic to show.';
  if (pods.some(({ counts }) => counts !== null)) return null;
  return answers.some((answer) => answer?.status === 403)
    ? forbidden('get pods/proxy', namespace)
    : `No pod answers the API server on port ${METRICS_PORT}, so what pods count is not shown. A network policy has to let the API server in.`;
}
