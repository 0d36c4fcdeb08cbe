import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { SERVER_METRICS, type MetricFamily } from '../crds/metrics/catalogue.ts';
import {
  closedSeries,
  type CounterHandle,
  type HistogramHandle,
  type Labels,
} from '../crds/metrics/label-types.ts';
import { createLiveSeries, type LiveLabel, type LiveSeries } from './live-series.ts';

interface GaugeHandle<L> {
  set(labels: L, value: number): void;
  /** Series of exits or revisions that are gone vanish with them. */
  clear(): void;
}
type Handle<F extends MetricFamily> = F['type'] extends 'counter'
  ? CounterHandle<Labels<F>>
  : F['type'] extends 'gauge'
    ? GaugeHandle<Labels<F>>
    : HistogramHandle<Labels<F>>;

/** `metrics.rows.inc({ exit, track }, n)`. */
export type Metrics = {
  readonly [K in keyof typeof SERVER_METRICS]: Handle<(typeof SERVER_METRICS)[K]>;
};

export interface MetricRegistry {
  readonly metrics: Metrics;
  /** One family at a time with a turn of the event loop between: 2,000 series at once would hold it for 10 ms. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Exits of the heads in force, and segments of the plan: see `LiveSeries`. */
  readonly followExits: LiveSeries['follow'];
  readonly followSegments: LiveSeries['follow'];
}

/** Registers the catalogue; series of closed label sets start at 0. */
export function createMetricRegistry(modelName: string): MetricRegistry {
  const registry = new Registry();
  registry.setDefaultLabels({ model: modelName });
  collectDefaultMetrics({ register: registry });
  const handles: Record<string, unknown> = {};
  const exits = createLiveSeries('exit', ['backbone']);
  const segments = createLiveSeries('segment', ['backbone', 'whole']);
  for (const [key, family] of Object.entries<MetricFamily>(SERVER_METRICS)) {
    const live = [exits, segments].find(({ label }) => label in family.labels) ?? null;
    handles[key] = register(family, registry, live);
  }
  return {
    metrics: handles as Metrics,
    followExits: exits.follow,
    followSegments: segments.follow,
    render: async () => {
      const parts: string[] = [];
      for (const { name } of registry.getMetricsAsArray()) {
        parts.push(await registry.getSingleMetricAsString(name));
        await nextTurn();
      }
      return { contentType: registry.contentType, text: `${parts.join('\n\n')}\n` };
    },
  };
}

function register(family: MetricFamily, registry: Registry, live: LiveSeries | null): unknown {
  const { name, help, labels } = family;
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  switch (family.type) {
    case 'counter': {
      const counter = new Counter(options);
      for (const series of closedSeries(labels)) counter.inc(series, 0);
      if (live === null) return counter;
      live.add({
        labels,
        start: (series) => {
          counter.inc(series, 0);
        },
        remove: (series) => {
          counter.remove(series);
        },
      });
      return {
        inc: (series: Record<LiveLabel, string>, count?: number) => {
          live.used(series[live.label]);
          counter.inc(series, count);
        },
      };
    }
    case 'gauge': {
      const gauge = new Gauge(options);
      return {
        set: (series: Record<string, string>, value: number) => {
          gauge.set(series, value);
        },
        clear: () => {
          gauge.reset();
        },
      };
    }
    case 'histogram': {
      const histogram = new Histogram({ ...options, buckets: [...(family.buckets ?? [])] });
      if (live === null) return histogram;
      live.add({
        labels,
        start: null,
        remove: (series) => {
          histogram.remove(series);
        },
      });
      return {
        observe: (series: Record<LiveLabel, string>, value: number) => {
          live.used(series[live.label]);
          histogram.observe(series, value);
        },
      };
    }
  }
}
