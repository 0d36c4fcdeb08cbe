import type { KubeObject } from '../kube/api.ts';
import type { KindName } from '../kube/kinds.ts';
import type { Component } from '../plan/labels.ts';
import { controllerOf } from '../kube/owner.ts';
import type { ControllerDependencies } from './dependencies.ts';
import { trimPod } from './trim-pod.ts';
import { watchKind, type WatchedKind } from './watched-kind.ts';

/** Kinds of children that are watched; Secrets never are. */
export const CHILD_KINDS = [
  'ServiceAccount',
  'Service',
  'ConfigMap',
  'Deployment',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'Job',
] as const satisfies readonly KindName[];

export type ChildKind = (typeof CHILD_KINDS)[number];

const MANAGED_BY = 'app.kubernetes.io/managed-by=layercache-operator';
export const SERVICE_LABEL = 'layercache.io/service';

/** What all controllers read. Every one of them waits until all are synced. */
export interface Caches {
  readonly services: WatchedKind;
  /** Indexed by `namespace/serviceName`. */
  readonly headRevisions: WatchedKind;
  /** Children by our labels, indexed by the UID of their controller. Of ConfigMaps policies and ledgers, not heads. */
  readonly children: Readonly<Record<ChildKind, WatchedKind>>;
  /** Pods of servers, without what a status does not need; indexed by `namespace/service`. */
  readonly pods: WatchedKind;
  /** Pods of training Jobs, likewise. */
  readonly trainers: WatchedKind;
  readonly all: readonly WatchedKind[];
}

export function createCaches(deps: ControllerDependencies): Caches {
  const services = watchKind({ kind: 'CachedModelService' }, deps);
  const headRevisions = watchKind({ kind: 'CacheHeadRevision', indexBy: serviceOfRevision }, deps);
  const child = (kind: ChildKind): readonly [ChildKind, WatchedKind] => [
    kind,
    watchKind({ kind, select: selectChildren(kind), indexBy: ownerUid }, deps),
  ];
  const children = Object.fromEntries(CHILD_KINDS.map(child)) as Record<ChildKind, WatchedKind>;
  const podsOf = (component: Component): WatchedKind => {
    const labelSelector = `${SERVICE_LABEL},app.kubernetes.io/component=${component}`;
    const watch = { select: { labelSelector }, indexBy: serviceOfPod, trim: trimPod };
    return watchKind({ kind: 'Pod', ...watch }, deps);
  };
  const pods = podsOf('server');
  const trainers = podsOf('trainer');
  return {
    ...{ services, headRevisions, children, pods, trainers },
    all: [services, headRevisions, ...Object.values(children), pods, trainers],
  };
}

/** Bundles in ConfigMaps would fill the memory: they are read one by one. */
function selectChildren(kind: ChildKind): { labelSelector: string; pageSize?: number } {
  if (kind !== 'ConfigMap') return { labelSelector: MANAGED_BY };
  return { labelSelector: `${MANAGED_BY},layercache.io/role in (policy,ledger)`, pageSize: 20 };
}

function ownerUid(object: KubeObject): string | undefined {
  return controllerOf(object)?.uid;
}

export function serviceOfRevision({ metadata, spec }: KubeObject): string | undefined {
  const name = (spec as { readonly serviceName?: unknown } | undefined)?.serviceName;
  return typeof name === 'string' ? `${String(metadata.namespace)}/${name}` : undefined;
}

export function serviceOfPod({ metadata }: KubeObject): string | undefined {
  const name = metadata.labels?.[SERVICE_LABEL];
  return name === undefined ? undefined : `${String(metadata.namespace)}/${name}`;
}
