import { sleep } from '../../kube/clock.ts';
import { selectorText } from '../../plan/labels.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { sumOfMetric } from './metric-sum.ts';

/** What pods count themselves, read through the API server. */
export interface PodTraffic {
  /** Null: fewer than two readings. */
  readonly rowsPerSecond: number | null;
  /** Rows kept for training, in all pods. */
  readonly recordedRows: number;
}

interface Reading {
  readonly rows: number;
  readonly recordedRows: number;
  readonly pods: number;
}

const METRICS_PORT = 9090;
const APART_MS = 2_000;
/** The rate of a large fleet is that of a part of it, times the rest. */
const MOST_PODS = 10;

/** Reads `/metrics` of the pods twice; null: no pod answers, or this user may not ask (`pods/proxy`). */
export async function readPodTraffic(cluster: Cluster, name: string): Promise<PodTraffic | null> {
  const pods = await readyPods(cluster, name);
  const asked = pods.slice(0, MOST_PODS);
  if (asked.length === 0) return null;
  const scale = pods.length / asked.length;
  const first = await readOnce(cluster, asked);
  if (first === null) return null;
  const startMs = cluster.clock.monotonicMs();
  await sleep(cluster.clock, APART_MS, new AbortController().signal);
  const second = await readOnce(cluster, asked);
  const seconds = (cluster.clock.monotonicMs() - startMs) / 1000;
  const isWhole = second !== null && second.pods === first.pods && second.rows >= first.rows;
  return {
    rowsPerSecond: isWhole ? (scale * (second.rows - first.rows)) / seconds : null,
    recordedRows: Math.round(scale * (second ?? first).recordedRows),
  };
}

async function readyPods(cluster: Cluster, name: string): Promise<readonly string[]> {
  const { api, namespace } = cluster;
  const { items } = await api
    .list('Pod', { namespace, labelSelector: selectorText(name) })
    .catch(() => ({ items: [] }));
  return items
    .filter(
      ({ status }) => (status as { readonly phase?: string } | undefined)?.phase === 'Running',
    )
    .map(({ metadata }) => metadata.name);
}

async function readOnce(cluster: Cluster, pods: readonly string[]): Promise<Reading | null> {
  const texts = await Promise.all(pods.map((pod) => metricsOf(cluster, pod)));
  const read = texts.filter((text) => text !== null);
  if (read.length === 0) return null;
  const sum = (metric: string): number =>
    read.reduce((total, text) => total + sumOfMetric(text, metric), 0);
  return {
    rows: sum('layercache_rows_total'),
    recordedRows: sum('layercache_sample_reservoir_rows'),
    pods: read.length,
  };
}

async function metricsOf(cluster: Cluster, pod: string): Promise<string | null> {
  const place = `/api/v1/namespaces/${cluster.namespace}/pods/${pod}:${METRICS_PORT}/proxy/metrics`;
  const answer = await cluster.raw('GET', place).catch(() => null);
  return answer?.status === 200 ? answer.text : null;
}
