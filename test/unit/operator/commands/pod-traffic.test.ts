import { describe, expect, test } from 'vitest';
import type { Cluster, RawAnswer } from '../../../../operator/commands/cluster/cluster.ts';
import { metricSums } from '../../../../operator/commands/service/metric-sums.ts';
import { readPodTraffic } from '../../../../operator/commands/service/read-pod-traffic.ts';
import type { Api } from '../../../../operator/kube/api.ts';

/** Pods whose counters go up by `perSecond` in the time of a clock that jumps when somebody waits. */
function aCluster(pods: number, pageOf: (seconds: number, pod: string) => RawAnswer): Cluster {
  let nowMs = 0;
  const items = Array.from({ length: pods }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `vision-${i}`, namespace: 'ml' },
    status: { phase: i === 0 ? 'Pending' : 'Running' },
  }));
  return {
    api: { list: () => Promise.resolve({ items, resourceVersion: '1' }) } as unknown as Api,
    clock: {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      schedule: (delayMs, fire) => {
        nowMs += delayMs;
        queueMicrotask(fire);
        return () => undefined;
      },
    },
    server: '',
    context: '',
    namespace: 'ml',
    listNamespace: 'ml',
    raw: (_, target) => {
      const pod = /pods\/([^:]+):9090\/proxy\/metrics$/.exec(target)?.[1] ?? '';
      return Promise.resolve(pageOf(nowMs / 1000, pod));
    },
    close: () => undefined,
  };
}

const page = (rows: number, recorded: number): RawAnswer => ({
  status: 200,
  serverMs: null,
  text: [
    '# TYPE layercache_rows_total counter',
    `layercache_rows_total{model="m",exit="early"} ${rows / 2}`,
    `layercache_rows_total{model="m",exit="backbone"} ${rows / 2}`,
    'layercache_rows_total_more 5',
    `layercache_sample_reservoir_rows ${recorded}`,
    'layercache_sample_reservoir_capacity_rows 800',
    '',
  ].join('\n'),
});

describe('traffic as pods count it', () => {
  test('is what came between two readings of the pods that run', async () => {
    const cluster = aCluster(3, (seconds) => page(1_000 + 20 * seconds, 700));
    expect(await readPodTraffic(cluster, 'vision')).toEqual({
      rowsPerSecond: 40,
      recordedRows: 1_400,
      capacityRows: 1_600,
    });
  });

  test('of a large fleet is that of ten pods, times the rest', async () => {
    const cluster = aCluster(21, (seconds) => page(20 * seconds, 100));
    expect(await readPodTraffic(cluster, 'vision')).toEqual({
      rowsPerSecond: 400,
      recordedRows: 2_000,
      capacityRows: 16_000,
    });
  });

  test('is not known when a counter began anew or a pod fell silent in between', async () => {
    const restarted = aCluster(2, (seconds) => page(seconds === 0 ? 500 : 3, 9));
    expect(await readPodTraffic(restarted, 'vision')).toEqual({
      rowsPerSecond: null,
      recordedRows: 9,
      capacityRows: 800,
    });
    const silent = aCluster(3, (seconds, pod) =>
      seconds > 0 && pod === 'vision-1' ? { ...page(0, 0), status: 503 } : page(100, 9),
    );
    expect((await readPodTraffic(silent, 'vision'))?.rowsPerSecond).toBeNull();
  });

  test('is not asked for in vain: without a pod or the right to ask there is none', async () => {
    expect(
      await readPodTraffic(
        aCluster(1, () => page(1, 1)),
        'vision',
      ),
    ).toBeNull();
    expect(
      await readPodTraffic(
        aCluster(2, () => ({ ...page(1, 1), status: 403 })),
        'vision',
      ),
    ).toBeNull();
  });
});

test('the sum of a metric has no other metric that begins alike', () => {
  expect(metricSums(page(10, 3).text).get('layercache_rows_total')).toBe(10);
  expect(metricSums('')).toEqual(new Map());
});
