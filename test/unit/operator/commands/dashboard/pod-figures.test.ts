import { describe, expect, test } from 'vitest';
import {
  fleetPoint,
  type FleetReading,
  type PodReading,
} from '../../../../../operator/commands/dashboard/fleet.ts';
import {
  addHistograms,
  histogramSince,
  modalBound,
  NO_HISTOGRAM,
  quantilesOfHistogram,
  type Histogram,
} from '../../../../../operator/commands/dashboard/histogram.ts';
import { parseMetricSamples } from '../../../../../operator/commands/service/metric-samples.ts';
import { readPodCounts } from '../../../../../operator/commands/dashboard/pod-counts.ts';
import { createMetricRegistry } from '../../../../../server/metrics.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import { createPlayedPod } from '../../../../support/played-pod.ts';

describe('a page of Prometheus', () => {
  test('is read with its labels, whatever stands in them', () => {
    const page = [
      '# HELP a_total text {x="y"} 1',
      'a_total{exit="early",text="a } b, \\"c\\"\\n\\\\"} 12',
      'b 1e-3 1700000000',
      'c_bucket{le="0.5"} 3 # {trace_id="4bf9"} 0.3 1700000000',
      'd NaN',
      'e +Inf',
      'no sample',
      '',
    ].join('\n');
    expect(parseMetricSamples(page)).toEqual([
      { name: 'a_total', labels: { exit: 'early', text: 'a } b, "c"\n\\' }, value: 12 },
      { name: 'b', labels: {}, value: 0.001 },
      { name: 'c_bucket', labels: { le: '0.5' }, value: 3 },
    ]);
  });
});

describe('a histogram', () => {
  const seconds: Histogram = { bounds: [0.01, 0.1, Infinity], counts: [50, 100, 100], sum: 3 };

  test('has quantiles as histogram_quantile of PromQL, and an exact mean', () => {
    // By hand: rank 50 ends the first bucket; rank 95 is 45 of 50 into the second, rank 99 is 49 of 50.
    const { n, mean, p50, p95, p99 } = quantilesOfHistogram(seconds)!;
    expect(n).toBe(100);
    for (const [actual, wanted] of [
      [mean, 30],
      [p50, 10],
      [p95, 91],
      [p99, 98.2],
    ] as const) {
      expectClose(actual, wanted, { rel: 1e-12 });
    }
    expect(quantilesOfHistogram(NO_HISTOGRAM)).toBeNull();
  });

  test('bounds what lies above its last finite bound from below', () => {
    const slow = { bounds: [0.1, Infinity], counts: [1, 100], sum: 500 };
    expect(quantilesOfHistogram(slow)).toMatchObject({ p50: 100, p99: 100 });
  });

  test('adds up bucket by bucket, and leaves out one with other bounds', () => {
    const twice = addHistograms(seconds, seconds);
    expect(twice).toEqual({ bounds: seconds.bounds, counts: [100, 200, 200], sum: 6 });
    expect(addHistograms(NO_HISTOGRAM, seconds)).toBe(seconds);
    expect(addHistograms(seconds, { bounds: [1], counts: [7], sum: 1 })).toBe(seconds);
  });

  test('since an earlier reading has what came; one that began anew counts from its beginning', () => {
    const more = { ...seconds, counts: [60, 130, 131], sum: 5 };
    expect(histogramSince(more, seconds)).toEqual({
      ...seconds,
      counts: [10, 30, 31],
      sum: 2,
    });
    expect(histogramSince(seconds, more)).toBe(seconds);
    expect(histogramSince(seconds, NO_HISTOGRAM)).toBe(seconds);
  });

  test('names the bucket that most are in', () => {
    expect(modalBound({ bounds: [1, 2, 4, Infinity], counts: [1, 9, 12, 12], sum: 0 })).toBe(2);
    expect(modalBound({ bounds: [1, 2, Infinity], counts: [0, 0, 5], sum: 0 })).toBe(2);
    expect(modalBound(NO_HISTOGRAM)).toBeNull();
  });
});

describe('what a pod counts', () => {
  test('is read from the page that the server itself writes', async () => {
    const pod = createPlayedPod();
    pod.serve({ early: 10_000, late: 200, backbone: 300 });
    pod.fail('queue_full', 3);
    pod.switchOff('late');
    const counts = readPodCounts(await pod.page());
    expect([...counts.rows]).toEqual(
      expect.arrayContaining([
        ['early', 10_000],
        ['late', 200],
        ['backbone', 300],
      ]),
    );
    expect(counts.audits.get('early')).toBe(200);
    expect(counts.lostRows.get('early')).toBe(2);
    const older = (await pod.page()).replaceAll(/^layercache_audit_loss_rows_total.*\n/gm, '');
    expect(readPodCounts(older).lostRows.get('early')).toBe(2);
    expectClose(counts.avoidedSeconds.get('early')!, 110, { rel: 1e-12 });
    expect([...counts.errors]).toEqual([['queue_full', 3]]);
    expect(counts.exitsOff).toEqual(['late']);
    expect(counts).toMatchObject({
      recordedRows: 2_860,
      capacityRows: 0,
      queueCapacity: 1_024,
      engineBytes: 402_000_000,
      optedOut: 0,
    });
    expect(counts.mainBytes).toBeGreaterThan(1_000_000);
    expect(modalBound(counts.batches)).toBe(8);
    expect(quantilesOfHistogram(counts.latency.get('backbone')!)?.n).toBe(300);
  });

  test('is the same on a page with exemplars', async () => {
    const { metrics, render } = createMetricRegistry('vision', { hasExemplars: true });
    metrics.rows.inc({ exit: 'early', track: 'stable' }, 12);
    metrics.requestDuration.observe({ exit: 'early', track: 'stable' }, 0.004, 'a'.repeat(32));
    const counts = readPodCounts((await render()).text);
    expect(counts.rows.get('early')).toBe(12);
    expect(quantilesOfHistogram(counts.latency.get('early')!)).toMatchObject({ n: 1, mean: 4 });
  });

  test('of a page of something else is nothing, with gauges that are not known', () => {
    expect(readPodCounts('<html>')).toMatchObject({
      rows: new Map(),
      exitsOff: [],
      recordedRows: 0,
      capacityRows: 0,
      queueRows: null,
      activations: null,
      batches: NO_HISTOGRAM,
    });
  });
});

describe('a point of a fleet', () => {
  async function aReading(
    atSeconds: number,
    pods: Readonly<Record<string, Readonly<Record<string, number>> | null>>,
  ): Promise<FleetReading> {
    const read = await Promise.all(
      Object.entries(pods).map(async ([name, rows]): Promise<PodReading> => {
        if (rows === null) return { name, isReady: false, counts: null };
        const pod = createPlayedPod();
        pod.serve(rows);
        return { name, isReady: true, counts: readPodCounts(await pod.page()) };
      }),
    );
    const disagreement = { n: 100, k: 1, upper: 0.05 };
    return { atSeconds, pods: read, exits: ['early', 'backbone'], disagreement };
  }

  test('compares each pod with itself: new, silent and restarted ones add no jump', async () => {
    const before = await aReading(10, {
      a: { early: 100, backbone: 50 },
      restarted: { early: 900, backbone: 0 },
      silent: { early: 5, backbone: 5 },
    });
    const now = await aReading(12, {
      a: { early: 160, backbone: 70 },
      restarted: { early: 8, backbone: 0 },
      silent: null,
      new: { early: 7_000, backbone: 7_000 },
    });
    expect(fleetPoint(now, before, before)).toMatchObject({
      atSeconds: 12,
      exitRows: [68, 20],
      rowsPerSecond: 44,
      errorsPerSecond: 0,
      audits: 100,
      disagreement: 0.01,
      upper: 0.05,
    });
  });

  test('without a request in between has no latency, and without audits no disagreement', async () => {
    const reading = await aReading(10, { a: { early: 100 } });
    const later = { ...reading, atSeconds: 12, disagreement: { n: 0, k: 0, upper: 1 } };
    expect(fleetPoint(later, reading, reading)).toMatchObject({
      rowsPerSecond: 0,
      p50: null,
      p99: null,
      disagreement: null,
      upper: null,
    });
  });
});
