import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { SERVER_METRICS, type MetricFamily } from '../crds/metrics/catalogue.ts';
import {
  closedSeries,
  type CounterHandle,
  type HistogramHandle,
  type Labels,
} from '../crds/metrics/label-types.ts';
import { createExitSeries, type ExitSeries } from './exit-series.ts';

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
  /** The exits of the heads in force: see `ExitSeries`. */
  readonly followExits: ExitSeries['follow'];
}

/** Registers the catalogue; series of closed label sets start at 0. */
export function createMetricRegistry(modelName: string): MetricRegistry {
  const registry = new Registry();
  registry.setDefaultLabels({ model: modelName });
  collectDefaultMetrics({ register: registry });
  const handles: Record<string, unknown> = {};
  const exits = createExitSeries();
  for (const [key, family] of Object.entries(SERVER_METRICS))
    handles[key] = register(family, registry, exits);
  return {
    metrics: handles as Metrics,
    followExits: exits.follow,
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

function register(family: MetricFamily, registry: Registry, exits: ExitSeries): unknown {
  const { name, help, labels } = family;
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  switch (family.type) {
    case 'counter': {
      const counter = new Counter(options);
      for (const series of closedSeries(labels)) counter.inc(series, 0);
      if (!('exit' in labels)) return counter;
      exits.add({
        labels,
        start: (series) => {
          counter.inc(series, 0);
        },
        remove: (series) => {
          counter.remove(series);
        },
      });
      return {
        inc: (series: Record<'exit', string>, count?: number) => {
          exits.used(series.exit);
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
      if (!('exit' in labels)) return histogram;
      exits.add({
        labels,
        start: null,
        remove: (series) => {
          histogram.remove(series);
        },
      });
      return {
        observe: (series: Record<'exit', string>, value: number) => {
          exits.used(series.exit);
          histogram.observe(series, value);
        },
      };
    }
  }
}
