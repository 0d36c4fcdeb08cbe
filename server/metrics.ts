import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { SERVER_METRICS, type MetricFamily } from '../crds/metrics/catalogue.ts';
import {
  closedSeries,
  type CounterHandle,
  type HistogramHandle,
  type Labels,
} from '../crds/metrics/label-types.ts';

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
}

/** Registers the catalogue; series of closed label sets start at 0. */
export function createMetricRegistry(modelName: string): MetricRegistry {
  const registry = new Registry();
  registry.setDefaultLabels({ model: modelName });
  collectDefaultMetrics({ register: registry });
  const handles: Record<string, unknown> = {};
  for (const [key, family] of Object.entries(SERVER_METRICS))
    handles[key] = register(family, registry);
  return {
    metrics: handles as Metrics,
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

function register(family: MetricFamily, registry: Registry): unknown {
  const { name, help, labels } = family;
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  switch (family.type) {
    case 'counter': {
      const counter = new Counter(options);
      for (const series of closedSeries(labels)) counter.inc(series, 0);
      return counter;
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
    case 'histogram':
      return new Histogram({ ...options, buckets: [...(family.buckets ?? [])] });
  }
}
