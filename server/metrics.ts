import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  Counter,
  Gauge,
  Histogram,
  Registry,
  collectDefaultMetrics,
  type OpenMetricsContentType,
  type PrometheusContentType,
} from 'prom-client';
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

type AnyContentType = PrometheusContentType | OpenMetricsContentType;
type AnyRegistry = Registry<AnyContentType>;

type ObserveSeries = (
  series: Record<string, string>,
  value: number,
  traceId?: string | null,
) => void;

export interface MetricRegistry {
  readonly metrics: Metrics;
  /** One family at a time with a turn of the event loop between: 2,000 series at once would hold it for 10 ms. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Exits of the heads in force, and segments of the plan: see `LiveSeries`. */
  readonly followExits: LiveSeries['follow'];
  readonly followSegments: LiveSeries['follow'];
}

export interface RegistryOptions {
  /** The page is OpenMetrics, and buckets of request durations name a trace. @defaultValue false */
  readonly hasExemplars?: boolean;
}

/** Registers the catalogue; series of closed label sets start at 0. */
export function createMetricRegistry(
  modelName: string,
  { hasExemplars = false }: RegistryOptions = {},
): MetricRegistry {
  const registry: AnyRegistry = new Registry<AnyContentType>();
  if (hasExemplars) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  registry.setDefaultLabels({ model: modelName });
  collectDefaultMetrics({ register: registry });
  const handles: Record<string, unknown> = {};
  const exits = createLiveSeries('exit', ['backbone']);
  const segments = createLiveSeries('segment', ['backbone', 'whole']);
  for (const [key, family] of Object.entries<MetricFamily>(SERVER_METRICS)) {
    const live = [exits, segments].find(({ label }) => label in family.labels) ?? null;
    handles[key] = register(family, { registry, hasExemplars }, live);
  }
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  // The first page as a whole is where prom-client takes `_total` off the names of counters, which it then writes after them.
  if (hasExemplars) void registry.metrics();
  const [between, end] = hasExemplars ? ['\n', '\n# EOF\n'] : ['\n\n', '\n'];
  return {
    metrics: handles as Metrics,
    followExits: exits.follow,
    followSegments: segments.follow,
    render: async () => {
      const parts: string[] = [];
      for (const name of names) {
        parts.push(await registry.getSingleMetricAsString(name));
        await nextTurn();
      }
      return { contentType: registry.contentType, text: `${parts.join(between)}${end}` };
    },
  };
}

function register(
  family: MetricFamily,
  { registry, hasExemplars }: { readonly registry: AnyRegistry; readonly hasExemplars: boolean },
  live: LiveSeries | null,
): unknown {
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
      const buckets = [...(family.buckets ?? [])];
      const histogram = new Histogram({ ...options, buckets, enableExemplars: hasExemplars });
      const observe: ObserveSeries = hasExemplars
        ? (series, value, traceId) => {
            const exemplarLabels = typeof traceId === 'string' ? { trace_id: traceId } : {};
            histogram.observe({ labels: series, value, exemplarLabels });
          }
        : (series, value) => {
            histogram.observe(series, value);
          };
      if (live === null) return { observe };
      live.add({
        labels,
        start: null,
        remove: (series) => {
          histogram.remove(series);
        },
      });
      return {
        observe: (series: Record<LiveLabel, string>, value: number, traceId?: string | null) => {
          live.used(series[live.label]);
          observe(series, value, traceId);
        },
      };
    }
  }
}
