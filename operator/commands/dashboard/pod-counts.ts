import { SERVER_METRICS, type MetricFamily } from '../../../crds/metrics/catalogue.ts';
import { parseMetricSamples, type MetricSample } from '../service/metric-samples.ts';
import { NO_HISTOGRAM, type Histogram } from './histogram.ts';

/** What one pod counts since it started; gauges are of now, null where its page has none. */
export interface PodCounts {
  /** By the exit that answered; `backbone` is one of them. */
  readonly rows: ReadonlyMap<string, number>;
  readonly audits: ReadonlyMap<string, number>;
  /** What these lose, as the agreement counts it. */
  readonly lostRows: ReadonlyMap<string, number>;
  /** Seconds of requests by their deepest exit. */
  readonly latency: ReadonlyMap<string, Histogram>;
  /** Engine seconds that rows did without because they left, by exit; gross of heads and audits. */
  readonly avoidedSeconds: ReadonlyMap<string, number>;
  /** Exits that may not answer for stable in this pod. */
  readonly exitsOff: readonly string[];
  /** Requests by code, without those that were answered. */
  readonly errors: ReadonlyMap<string, number>;
  readonly optedOut: number;
  readonly recordedRows: number;
  /** 0 before the first row, and of a pod that does not count it. */
  readonly capacityRows: number;
  readonly batches: Histogram;
  readonly queueRows: number | null;
  readonly queueCapacity: number | null;
  readonly mainBytes: number | null;
  readonly engineBytes: number | null;
  readonly activations: number | null;
}

/** A page of a pod's metrics as figures. */
export function readPodCounts(page: string): PodCounts {
  const byName = groupByName(parseMetricSamples(page));
  const named = (name: string): readonly MetricSample[] => byName.get(name) ?? [];
  const of = ({ name }: MetricFamily): readonly MetricSample[] => named(name);
  const m = SERVER_METRICS;
  const audits = of(m.audits).filter(({ labels }) => labels.result !== 'error');
  const told = of(m.auditLoss);
  // A server that is older than the series tells rows that disagree: of each as if it were wholly wrong.
  const lostRows =
    told.length > 0 ? told : audits.filter(({ labels }) => labels.result === 'disagree');
  return {
    rows: sumBy(of(m.rows), 'exit'),
    audits: sumBy(audits, 'exit'),
    lostRows: sumBy(lostRows, 'exit'),
    latency: histogramsBy('exit', m.requestDuration, named),
    avoidedSeconds: sumBy(of(m.computeAvoided), 'exit'),
    exitsOff: of(m.exitEnabled)
      .filter(({ labels, value }) => labels.track === 'stable' && value === 0)
      .map(({ labels }) => labels.exit ?? ''),
    errors: sumBy(
      of(m.requests).filter(({ labels, value }) => labels.code !== 'ok' && value > 0),
      'code',
    ),
    optedOut: sum(of(m.rowsForced).filter(({ labels }) => labels.reason === 'opt_out')),
    recordedRows: sum(of(m.sampleReservoir)),
    capacityRows: sum(of(m.sampleReservoirCapacity)),
    batches: histogramsBy('', m.batchRows, named).get('') ?? NO_HISTOGRAM,
    queueRows: gauge(of(m.queueRows)),
    queueCapacity: gauge(of(m.queueCapacity)),
    mainBytes: gauge(named('process_resident_memory_bytes')),
    engineBytes: gauge(of(m.engineMemory)),
    activations: gauge(of(m.engineActivations)),
  };
}

function groupByName(samples: readonly MetricSample[]): ReadonlyMap<string, MetricSample[]> {
  const byName = new Map<string, MetricSample[]>();
  for (const sample of samples) {
    const known = byName.get(sample.name);
    if (known === undefined) byName.set(sample.name, [sample]);
    else known.push(sample);
  }
  return byName;
}

function sum(samples: readonly MetricSample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}

function gauge(samples: readonly MetricSample[]): number | null {
  return samples.length === 0 ? null : Math.max(0, sum(samples));
}

function sumBy(samples: readonly MetricSample[], label: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { labels, value } of samples) {
    const key = labels[label] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}

/** Histograms of a family added up over all labels but one; a label that no series has gives one, under ''. */
function histogramsBy(
  label: string,
  { name }: MetricFamily,
  named: (name: string) => readonly MetricSample[],
): ReadonlyMap<string, Histogram> {
  const sums = sumBy(named(`${name}_sum`), label);
  const buckets = new Map<string, Map<number, number>>();
  for (const { labels, value } of named(`${name}_bucket`)) {
    const key = labels[label] ?? '';
    const bound = Number((labels.le ?? '').replace('+Inf', 'Infinity'));
    const counts = buckets.get(key) ?? new Map<number, number>();
    buckets.set(key, counts.set(bound, (counts.get(bound) ?? 0) + value));
  }
  return new Map(
    [...buckets].map(([key, counts]) => {
      const sorted = [...counts].sort(([a], [b]) => a - b);
      const histogram = {
        bounds: sorted.map(([bound]) => bound),
        counts: sorted.map(([, count]) => count),
        sum: sums.get(key) ?? 0,
      };
      return [key, histogram];
    }),
  );
}
