import { SERVER_METRICS } from '../../../crds/metrics/catalogue.ts';
import { OPERATOR_METRICS } from '../../../crds/metrics/operator-catalogue.ts';
import { GPU_FAMILIES, PUBLIC_FAMILIES } from './public-families.ts';

/** Everything that a query may name, by key. */
export const FAMILIES = { ...SERVER_METRICS, ...OPERATOR_METRICS, ...PUBLIC_FAMILIES } as const;

export type Families = typeof FAMILIES;
export type FamilyKey = keyof Families;

/** Keys of the families of one type: a rate of a gauge does not compile. */
export type KeyOf<T extends 'counter' | 'gauge' | 'histogram'> = {
  [K in FamilyKey]: Families[K]['type'] extends T ? K : never;
}[FamilyKey];

/** Labels that the scrape adds. */
export type ScrapeLabel = 'job' | 'namespace' | 'pod';

/** Labels of the series of a family, those of the scrape and the server's default label too. */
export type LabelsOf<K extends FamilyKey> =
  | (keyof Families[K]['labels'] & string)
  | ScrapeLabel
  | (K extends keyof typeof SERVER_METRICS ? 'model' : never);

type ValueOf<K extends FamilyKey, L> = L extends keyof Families[K]['labels']
  ? Families[K]['labels'][L] extends readonly string[]
    ? Families[K]['labels'][L][number]
    : string
  : string;

/** What a label must be: equal, unlike, or one of several. */
export type Matcher<V extends string> =
  V | { readonly not: V } | { readonly oneOf: readonly V[] } | { readonly like: string };

export type Matchers<K extends FamilyKey> = {
  readonly [L in LabelsOf<K>]?: Matcher<ValueOf<K, L>>;
};

/** Which program writes a family: its series are narrowed by other labels. */
export type Origin = 'server' | 'service' | 'operator' | 'process' | 'alerts' | 'gpu';

export function originOf(key: FamilyKey): Origin {
  if (key in SERVER_METRICS) return 'server';
  if (key === 'alerts') return 'alerts';
  if (key in GPU_FAMILIES) return 'gpu';
  if (key in PUBLIC_FAMILIES) return 'process';
  return 'model_namespace' in FAMILIES[key].labels ? 'service' : 'operator';
}
