import type { KubeObject, ListOptions } from '../kube/api.ts';
import type { KindName } from '../kube/kinds.ts';
import { createReflector, type Reflector } from '../kube/reflector.ts';
import type { IndexBy, Store, StoreChange } from '../kube/store.ts';
import type { ControllerDependencies } from './dependencies.ts';

export interface WatchOf {
  readonly kind: KindName;
  readonly select?: Pick<
    ListOptions,
    'labelSelector' | 'fieldSelector' | 'pageSize' | 'metadataOnly'
  >;
  readonly indexBy?: IndexBy;
  readonly trim?: (object: KubeObject) => KubeObject;
}

/** One kind in all watched namespaces of the shard, as one store. */
export interface WatchedKind extends Store {
  readonly kind: KindName;
  /** One per watched namespace, or one for all. */
  readonly reflectors: readonly Reflector[];
  /** True once every list is in; false when the process ended before. */
  readonly synced: Promise<boolean>;
  onKey(handler: (change: StoreChange) => void): void;
  /** Resolves when the signal ends it. */
  run(): Promise<void>;
}

type WatchedBy = Pick<
  ControllerDependencies,
  | 'readingApi'
  | 'clock'
  | 'random'
  | 'signal'
  | 'watchNamespaces'
  | 'ownsNamespace'
  | 'metrics'
  | 'log'
>;

export function watchKind({ kind, select, ...how }: WatchOf, by: WatchedBy): WatchedKind {
  const { readingApi: api, clock, random, signal, watchNamespaces, ownsNamespace } = by;
  const scopes =
    watchNamespaces.length === 0 ? [{}] : watchNamespaces.filter(ownsNamespace).map(toScope);
  const reflectors = scopes.map((scope) =>
    createReflector({
      ...{ api, kind, clock, random, signal, ...how },
      // One list of all namespaces holds those of other shards too.
      keeps: ({ metadata }) => ownsNamespace(metadata.namespace ?? ''),
      select: { ...select, ...scope },
      onProblem: (err) => {
        by.log.warn({ component: 'reflector', kind, err }, 'list or watch failed');
      },
    }),
  );
  const watched: WatchedKind = {
    kind,
    reflectors,
    synced: Promise.all(reflectors.map(({ synced }) => synced)).then((all) => all.every(Boolean)),
    get size() {
      return reflectors.reduce((sum, { size }) => sum + size, 0);
    },
    get: (key) => {
      for (const reflector of reflectors) {
        const found = reflector.get(key);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    list: () => reflectors.flatMap((reflector) => reflector.list()),
    listIndexed: (value) => reflectors.flatMap((reflector) => reflector.listIndexed(value)),
    onKey: (handler) => {
      for (const reflector of reflectors) reflector.onKey(handler);
    },
    run: async () => {
      await Promise.all(reflectors.map((reflector) => reflector.run()));
    },
  };
  by.metrics.kindWatched(watched);
  return watched;
}

function toScope(namespace: string): { readonly namespace: string } {
  return { namespace };
}
