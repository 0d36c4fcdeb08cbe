import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { MetricFamily } from '../crds/metrics/catalogue.ts';
import {
  closedSeries,
  type CounterHandle,
  type HistogramHandle,
  type Labels,
} from '../crds/metrics/label-types.ts';
import { OPERATOR_METRICS } from '../crds/metrics/operator-catalogue.ts';

// The registration of the catalogue. People read metrics; decisions never do.

type Families = typeof OPERATOR_METRICS;

/** The values of one label, as the catalogue lists them. */
export type LabelOf<K extends keyof Families, L extends keyof Labels<Families[K]>> = Labels<
  Families[K]
>[L];

interface GaugeHandle<L> {
  set(labels: L, value: number): void;
}
interface ZeroableHistogram<L> extends HistogramHandle<L> {
  /** Makes the series, empty. */
  zero(labels: L): void;
}

type Handle<F extends MetricFamily> = F['type'] extends 'counter'
  ? CounterHandle<Labels<F>>
  : F['type'] extends 'gauge'
    ? GaugeHandle<Labels<F>>
    : ZeroableHistogram<Labels<F>>;

/** A service as labels name it. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

export type MetricHandles = {
  readonly [K in keyof Families]: Handle<Families[K]>;
};

/** How much of each service is shown. */
export type ServiceDetail = 'Full' | 'Conditions' | 'Off';

export interface MetricRegistry {
  readonly handles: MetricHandles;
  /** Starts the counters of a service at 0; those that have counted stay. */
  start(service: ServiceName): void;
  /** Removes every series with the labels of this service, of the families that have them. */
  forget(service: ServiceName, families?: readonly (keyof Families)[]): void;
  /** One family at a time with a turn of the event loop between: many services at once would hold it. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** The families that are left of each service with `Conditions`. */
const FEW: readonly string[] = ['serviceInfo', 'serviceCondition'];

/** In place of a family that is not shown. */
const UNSEEN = {
  inc: () => undefined,
  set: () => undefined,
  observe: () => undefined,
  zero: () => undefined,
};

/** Registers the catalogue. Series whose labels are closed lists start at 0; the others when their owner is followed. */
export function createMetricRegistry(detail: ServiceDetail = 'Full'): MetricRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const ofServices = new Map<string, SeriesOfServices>();
  const handles: Record<string, unknown> = {};
  for (const [key, family] of Object.entries<MetricFamily>(OPERATOR_METRICS)) {
    const isOfServices = 'model_namespace' in family.labels;
    if (isOfServices && (detail === 'Off' || (detail === 'Conditions' && !FEW.includes(key)))) {
      handles[key] = UNSEEN;
      continue;
    }
    const metric = register(family, registry);
    if (!isOfServices) {
      handles[key] = metric;
      continue;
    }
    const series = new SeriesOfServices(metric, family);
    ofServices.set(key, series);
    handles[key] = series;
  }
  return {
    handles: handles as MetricHandles,
    start: ({ namespace, name }) => {
      const fixed = { model_namespace: namespace, model: name };
      for (const series of ofServices.values()) series.start(fixed);
    },
    forget: (service, families) => {
      for (const [key, series] of ofServices) {
        if (families === undefined || families.some((family) => family === key)) {
          series.forget(service);
        }
      }
    },
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

type Series = Readonly<Record<string, string>>;

/** A family whose series belong to services: remembers them, since the library cannot remove by one label. */
class SeriesOfServices {
  readonly #metric: Counter | Gauge | Histogram;
  readonly #family: MetricFamily;
  readonly #series = new Map<string, Map<string, Series>>();

  constructor(metric: Counter | Gauge | Histogram, family: MetricFamily) {
    this.#metric = metric;
    this.#family = family;
  }

  start(fixed: Series): void {
    if (this.#family.type !== 'counter') return;
    for (const labels of closedSeries(this.#family.labels, fixed)) this.inc(labels, 0);
  }

  inc(labels: Series, count?: number): void {
    this.#remember(labels);
    if (this.#metric instanceof Counter) this.#metric.inc(labels, count);
  }

  set(labels: Series, value: number): void {
    this.#remember(labels);
    if (this.#metric instanceof Gauge) this.#metric.set(labels, value);
  }

  forget({ namespace, name }: ServiceName): void {
    const key = `${namespace}/${name}`;
    for (const labels of this.#series.get(key)?.values() ?? []) this.#metric.remove(labels);
    this.#series.delete(key);
  }

  #remember(labels: Series): void {
    const key = `${String(labels.model_namespace)}/${String(labels.model)}`;
    const known = this.#series.get(key) ?? new Map<string, Series>();
    this.#series.set(key, known.set(JSON.stringify(labels), labels));
  }
}

function register(family: MetricFamily, registry: Registry): Counter | Gauge | Histogram {
  const { name, help, labels } = family;
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  const closed = closedSeries(labels);
  switch (family.type) {
    case 'counter': {
      const counter = new Counter(options);
      for (const series of closed) counter.inc(series, 0);
      return counter;
    }
    case 'gauge':
      return new Gauge(options);
    case 'histogram': {
      const histogram = new Histogram({ ...options, buckets: [...(family.buckets ?? [])] });
      for (const series of closed) histogram.zero(series);
      return histogram;
    }
  }
}
