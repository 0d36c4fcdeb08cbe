import { ApiStatusError } from '../../kube/api-status-error.ts';
import { sleep } from '../../kube/clock.ts';
import { readPod } from '../../plan/status/read-pod.ts';
import type { Cluster, RawAnswer } from '../cluster/cluster.ts';
import { askPod, METRICS_PORT, MOST_PODS, pageIn, runningPods } from '../service/pod-metrics.ts';
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

/** A pod that hangs must not hold the others up. */
const POD_MS = 4_000;

export async function listPods(cluster: Cluster, service: string): Promise<PodList> {
  try {
    const running = await runningPods(cluster, service);
    const pods = running
      .map((pod) => readPod(pod, null))
      .map(({ name, isReady }) => ({ name, isReady }))
      .sort((a, b) => a.name.localeCompare(b.name));
    return { ok: true, pods };
  } catch (error) {
    if (!(error instanceof ApiStatusError) || !error.isForbidden) throw error;
    return { ok: false, problem: forbidden('list pods', cluster.namespace) };
  }
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
    waiting.add(pod);
    try {
      return await askPod(cluster, pod);
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
  const page = pageIn(answer);
  return page === null ? null : readPodCounts(page);
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
