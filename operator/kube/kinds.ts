/** One row of the closed table: all that is needed to build a URL and to read an object of that kind. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Every kind this operator reads or writes. A kind that is not here cannot be reached by accident. */
export const KINDS = {
  CachedModelService: row('layercache.io/v1alpha1', 'CachedModelService', 'cachedmodelservices'),
  CacheHeadRevision: row('layercache.io/v1alpha1', 'CacheHeadRevision', 'cacheheadrevisions'),
  ConfigMap: row('v1', 'ConfigMap', 'configmaps'),
  Secret: row('v1', 'Secret', 'secrets'),
  Service: row('v1', 'Service', 'services'),
  ServiceAccount: row('v1', 'ServiceAccount', 'serviceaccounts'),
  Pod: row('v1', 'Pod', 'pods'),
  Deployment: row('apps/v1', 'Deployment', 'deployments'),
  Job: row('batch/v1', 'Job', 'jobs'),
  HorizontalPodAutoscaler: row(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    'horizontalpodautoscalers',
  ),
  PodDisruptionBudget: row('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  NetworkPolicy: row('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  Lease: row('coordination.k8s.io/v1', 'Lease', 'leases'),
  Event: row('events.k8s.io/v1', 'Event', 'events'),
  TokenReview: {
    ...row('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews'),
    namespaced: false,
  },
  SubjectAccessReview: {
    ...row('authorization.k8s.io/v1', 'SubjectAccessReview', 'subjectaccessreviews'),
    namespaced: false,
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;

function row(apiVersion: string, kind: string, plural: string): Kind {
  return { apiVersion, kind, plural, namespaced: true };
}

/** The API group, empty for the core group. */
export function groupOf({ apiVersion }: Kind): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** Path of a collection, or of one object in it. An absent namespace means all namespaces and goes with no name. */
export function pathOf(
  kind: Kind,
  at: {
    readonly namespace?: string | undefined;
    readonly name?: string;
    readonly subresource?: string;
  },
): string {
  const root = kind.apiVersion.includes('/') ? '/apis' : '/api';
  const parts = [root, kind.apiVersion];
  if (kind.namespaced && at.namespace !== undefined) {
    parts.push('namespaces', encodeURIComponent(at.namespace));
  }
  parts.push(kind.plural);
  if (at.name !== undefined) parts.push(encodeURIComponent(at.name));
  if (at.subresource !== undefined) parts.push(at.subresource);
  return parts.join('/');
}
