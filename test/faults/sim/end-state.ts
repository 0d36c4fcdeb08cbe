// What counts of a world: everything that is stored, without what differs from run to run by nature.
import type { KubeObject } from '../../../operator/kube/api.ts';
import { oncePerObject } from '../../../operator/plan/once-per-object.ts';
import type { SimulatedCluster } from '../../support/simulated-api.ts';

/** Times, versions and identities; the pair of a policy, which a new leader raises; keys, which follow the UID. */
const MASKED: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'managedFields',
  'generation',
  'lastTransitionTime',
  'observedGeneration',
  'appliedTime',
  'epoch',
  'revision',
  'hash',
  'layercache.io/epoch',
  'layercache.io/writer',
  'stringData',
  'data',
]);

/** The objects of a service and its children by `kind/name`, masked. */
export function endState(cluster: SimulatedCluster): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    cluster
      .objects()
      .filter(({ kind }) => !['Event', 'Pod'].includes(kind))
      .map((object) => [`${object.kind}/${object.metadata.name}`, maskObject(object)]),
  );
}

/** Most objects are those of the last look. */
const maskObject = oncePerObject((object: KubeObject): unknown => {
  const masked = mask(object) as Readonly<Record<string, unknown>>;
  if (object.kind === 'ConfigMap') return { ...masked, policy: policyOf(object) };
  if (object.kind !== 'CachedModelService') return masked;
  // What was decided last tells of the way, not of where it led.
  return { ...masked, status: { ...(masked.status as object | undefined), tuning: '*' } };
});

function policyOf({ data }: KubeObject): unknown {
  const text = (data as Readonly<Record<string, string>> | undefined)?.['policy.json'];
  if (text === undefined) return null;
  try {
    return mask(JSON.parse(text));
  } catch {
    return text;
  }
}

function mask(value: unknown): unknown {
  if (Array.isArray(value)) return inOrder(value.map(mask));
  if (typeof value === 'string') return value.replaceAll(/policy \d+\.\d+/g, 'policy E.R');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, MASKED.has(name) ? '*' : mask(field)]),
  );
}

/** A list of named things is a map to the API server: it keeps the order in which they came. */
function inOrder(items: readonly unknown[]): readonly unknown[] {
  const names = items.map((item) => (item as { readonly name?: unknown } | null)?.name);
  if (!names.every((name) => typeof name === 'string')) return items;
  return items
    .map((item, i) => ({ item, name: names[i]! }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ item }) => item);
}
