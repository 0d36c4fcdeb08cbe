import { sleep } from '../../kube/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { metricSums } from './metric-sums.ts';
import { askPod, MOST_PODS, pageIn, runningPods } from './pod-metrics.ts';

/** What pods count themselves, read through the API server. */
export interface PodTraffic {
  /** Null: fewer than two readings. */
  readonly rowsPerSecond: number | null;
  /** Rows kept for training, in all pods. */
  readonly recordedRows: number;
  /** Rows that all pods can keep; 0: none has a row yet. */
  readonly capacityRows: number;
}

interface Reading {
  readonly rows: number;
  readonly recordedRows: number;
  readonly capacityRows: number;
  readonly pods: number;
}

const APART_MS = 2_000;

/** Reads `/metrics` of the pods twice; null: no pod answers, or this user may not ask (`pods/proxy`). */
export async function readPodTraffic(cluster: Cluster, name: string): Promise<PodTraffic | null> {
  const pods = await runningPods(cluster, name).catch(() => []);
  const asked = pods.slice(0, MOST_PODS).map(({ metadata }) => metadata.name);
  if (asked.length === 0) return null;
  // The rate of a large fleet is that of a part of it, times the rest.
  const scale = pods.length / asked.length;
  const first = await readOnce(cluster, asked);
  if (first === null) return null;
  const startMs = cluster.clock.monotonicMs();
  await sleep(cluster.clock, APART_MS, new AbortController().signal);
  const second = await readOnce(cluster, asked);
  const seconds = (cluster.clock.monotonicMs() - startMs) / 1000;
  const { recordedRows, capacityRows } = second ?? first;
  const isWhole = second !== null && second.pods === first.pods && second.rows >= first.rows;
  return {
    rowsPerSecond: isWhole ? (scale * (second.rows - first.rows)) / seconds : null,
    recordedRows: Math.round(scale * recordedRows),
    capacityRows: Math.round(scale * capacityRows),
  };
}

async function readOnce(cluster: Cluster, pods: readonly string[]): Promise<Reading | null> {
  const answers = await Promise.all(pods.map((pod) => askPod(cluster, pod)));
  const read = answers.map(pageIn).flatMap((page) => (page === null ? [] : [metricSums(page)]));
  if (read.length === 0) return null;
  const sum = (metric: string): number =>
    read.reduce((total, sums) => total + (sums.get(metric) ?? 0), 0);
  return {
    rows: sum('layercache_rows_total'),
    recordedRows: sum('layercache_sample_reservoir_rows'),
    capacityRows: sum('layercache_sample_reservoir_capacity_rows'),
    pods: read.length,
  };
}
