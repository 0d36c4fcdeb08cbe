import {
  FAMILIES,
  originOf,
  type FamilyKey,
  type KeyOf,
  type LabelsOf,
  type Matcher,
  type Matchers,
  type Origin,
} from './families.ts';
import { SERVICE, type Service, type ServiceObject } from './label-sets.ts';

/**
 * PromQL whose metrics and labels the compiler knows: they come from the catalogue. `L` are the labels of the result; what a
 * legend or a further aggregation names must be among them.
 */
export interface Query<in out L extends string> {
  readonly text: string;
  /** The labels again, for checks at run time; null: whatever the family has. */
  readonly labels: readonly L[] | null;
  /** Never there: a query of more labels is no query of fewer. */
  readonly takes?: (label: L) => void;
}

/** Series of a counter. They are no query: a counter is never shown raw. */
export interface CounterSeries<in out L extends string> {
  readonly selector: string;
  /** What is said behind a rate of it; empty: nothing. */
  readonly only: string;
  readonly counted: readonly L[] | null;
  readonly takes?: (label: L) => void;
}

export interface HistogramSeries<in out L extends string> {
  readonly bucket: string;
  readonly count: string;
  readonly sum: string;
  readonly only: string;
  readonly observed: readonly L[] | null;
  readonly takes?: (label: L) => void;
}

/** Matchers that every selector gets, by who writes the family. */
export type Scope = Readonly<Record<Origin, string>>;

export const NO_SCOPE: Scope = {
  server: '',
  service: '',
  operator: '',
  process: '',
  alerts: '',
  gpu: '',
};

export interface Series {
  readonly gauge: <K extends KeyOf<'gauge'>>(key: K, matchers?: Matchers<K>) => Query<LabelsOf<K>>;
  readonly counter: <K extends KeyOf<'counter'>>(
    key: K,
    matchers?: Matchers<K>,
  ) => CounterSeries<LabelsOf<K>>;
  readonly histogram: <K extends KeyOf<'histogram'>>(
    key: K,
    matchers?: Matchers<K>,
  ) => HistogramSeries<LabelsOf<K>>;
}

/** @param writers a query of the pods that are meant, where families are such as other programs of the cluster write too */
export function seriesIn(scope: Scope, writers: string | null = null): Series {
  const onlyOf = (key: FamilyKey): string =>
    writers === null || FAMILIES[key].name.startsWith('layercache_')
      ? ''
      : ` and on (namespace, pod) ${writers}`;
  const within = (key: FamilyKey, matchers: object, suffix = ''): string => {
    const own = Object.entries(matchers as Readonly<Record<string, Matcher<string>>>);
    const all = [scope[originOf(key)], ...own.map(matcherText)].filter((one) => one !== '');
    return `${FAMILIES[key].name}${suffix}${all.length === 0 ? '' : `{${all.join(',')}}`}`;
  };
  return {
    gauge: (key, matchers = {}) => ({
      text: `${within(key, matchers)}${onlyOf(key)}`,
      labels: null,
    }),
    counter: (key, matchers = {}) => ({
      ...{ selector: within(key, matchers), only: onlyOf(key) },
      counted: null,
    }),
    histogram: (key, matchers = {}) => ({
      bucket: within(key, matchers, '_bucket'),
      count: within(key, matchers, '_count'),
      sum: within(key, matchers, '_sum'),
      only: onlyOf(key),
      observed: null,
    }),
  };
}

function matcherText([label, matcher]: [string, Matcher<string>]): string {
  if (typeof matcher === 'string') return `${label}="${matcher}"`;
  if ('not' in matcher) return `${label}!="${matcher.not}"`;
  return `${label}=~"${'oneOf' in matcher ? matcher.oneOf.join('|') : matcher.like}"`;
}

/** The range that Grafana picks so that four scrapes are in it. */
const RATE_INTERVAL = '$__rate_interval';

export function rate<L extends string>(
  { selector, only, counted }: CounterSeries<L>,
  range = RATE_INTERVAL,
): Query<L> {
  return { text: `rate(${selector}[${range}])${only}`, labels: counted };
}

export function increase<L extends string>(
  { selector, only, counted }: CounterSeries<L>,
  range = RATE_INTERVAL,
): Query<L> {
  return { text: `increase(${selector}[${range}])${only}`, labels: counted };
}

/** Observations a second. */
export function observations<L extends string>(
  { count, only, observed }: HistogramSeries<L>,
  range = RATE_INTERVAL,
): Query<L> {
  return { text: `rate(${count}[${range}])${only}`, labels: observed };
}

/** Buckets a second, for a heat map. */
export function buckets<L extends string>(
  { bucket, only }: HistogramSeries<L>,
  range = RATE_INTERVAL,
): Query<'le'> {
  return { text: `sum by (le) (rate(${bucket}[${range}])${only})`, labels: ['le'] };
}

export function quantile<L extends string, B extends L = never>(
  q: number,
  { bucket, only }: HistogramSeries<L>,
  by: readonly B[] = [],
  range = RATE_INTERVAL,
): Query<B> {
  const labels = ['le', ...by].join(', ');
  return {
    text: `histogram_quantile(${q}, sum by (${labels}) (rate(${bucket}[${range}])${only}))`,
    labels: by,
  };
}

type Aggregation = 'sum' | 'max' | 'min' | 'avg' | 'count';

/** `by` may only name labels that the query has. */
export function aggregate<L extends string, B extends L = never>(
  how: Aggregation,
  query: Query<L>,
  by: readonly B[] = [],
): Query<B> {
  const clause = by.length === 0 ? '' : ` by (${by.join(', ')})`;
  return { text: `${how}${clause} (${query.text})`, labels: by };
}

export function sum<L extends string, B extends L = never>(
  query: Query<L>,
  by: readonly B[] = [],
): Query<B> {
  return aggregate('sum', query, by);
}

/** The k largest, to keep a panel readable. */
export function top<L extends string>(k: number, query: Query<L>): Query<L> {
  return { text: `topk(${k}, ${query.text})`, labels: query.labels };
}

/** A gauge over a range. */
export function overTime<L extends string>(
  how: 'max' | 'avg',
  query: Query<L>,
  range: string,
): Query<L> {
  return { text: `${how}_over_time(${query.text}[${range}])`, labels: query.labels };
}

/** Parts of the same labels put together by PromQL's own operators; each part stands in parentheses. */
export function formula<L extends string>(
  text: TemplateStringsArray,
  ...parts: readonly (Query<L> | number)[]
): Query<L> {
  const queries = parts.filter((part) => typeof part !== 'number');
  const written = text.reduce((done, piece, i) => {
    const part = parts[i - 1];
    return `${done}${typeof part === 'object' ? `(${part.text})` : String(part)}${piece}`;
  });
  return { text: written, labels: queries.find(({ labels }) => labels !== null)?.labels ?? null };
}

/** A share; where there is nothing to share there is no answer, instead of NaN. */
export function ratio<L extends string>(part: Query<L>, whole: Query<L>): Query<L> {
  return { text: `(${part.text}) / ((${whole.text}) > 0)`, labels: part.labels };
}

/** 0 where there is the whole and nothing of the part. */
export function orNone<L extends string>(part: Query<L>, whole: Query<L>): Query<L> {
  return { text: `(${part.text}) or 0 * (${whole.text})`, labels: part.labels };
}

/** What is counted is 0 when there is none of it. */
export function orZero(query: Query<never>): Query<never> {
  return { text: `(${query.text}) or vector(0)`, labels: [] };
}

/** Seconds since a time; a page tells of what happened since its scrape began, and that is now. */
export function age<L extends string>(query: Query<L>): Query<L> {
  return { text: `clamp_min(time() - (${query.text}), 0)`, labels: query.labels };
}

/** The operator's series under the labels of the servers, to stand beside them; `more` of its labels stay. */
export function asServerLabels<L extends string, B extends L = never>(
  query: Query<ServiceObject | L>,
  more: readonly B[] = [],
): Query<Service | B> {
  const renamed = `label_replace(${query.text}, "namespace", "$1", "model_namespace", "(.*)")`;
  return aggregate('max', { text: renamed, labels: null }, [...SERVICE, ...more]);
}
