import { allLeaseNames, leaseNames } from './lease-names.ts';

/** One rule as RBAC writes it. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** All that the operator may do. A test runs it with exactly these and looks for a call too many and a right too many. */
export interface OperatorRules {
  /** Where services live: in every namespace, or in each that is watched. */
  readonly services: readonly PolicyRule[];
  /** In its own namespace. */
  readonly installation: readonly PolicyRule[];
}

const WATCH = ['list', 'watch'];
/** An object of somebody else under a child's name is in no cache: it is read to be told from ours. */
const READ = ['get', ...WATCH];
/** A server-side apply of an object that does not exist yet needs both. */
const APPLY = ['create', 'patch'];

/**
 * @param release the Helm release, which names the Leases and the Secret of the installation
 * @param shards how many leaders divide the namespaces
 */
export function operatorRules(release: string, shards = 1): OperatorRules {
  const lease = `${release}-operator`;
  // A leader alone keeps its Lease until those of shards have taken its place.
  const kept = new Set([lease, ...leaseNames(lease, shards)]);
  return {
    services: [
      rule('layercache.io', ['cachedmodelservices'], READ),
      rule('layercache.io', ['cacheheadrevisions'], [...READ, 'create', 'delete']),
      rule('layercache.io', ['cachedmodelservices/status', 'cacheheadrevisions/status'], ['patch']),
      // Owner references that block a deletion ask for it under the admission plugin that guards them; we set no finalizer.
      rule('layercache.io', ['cachedmodelservices/finalizers'], ['update']),
      rule('', ['configmaps'], [...READ, ...APPLY]),
      rule('', ['services'], [...READ, ...APPLY]),
      rule('', ['serviceaccounts'], [...READ, ...APPLY, 'delete']),
      rule('apps', ['deployments'], [...READ, ...APPLY]),
      rule('autoscaling', ['horizontalpodautoscalers'], [...READ, ...APPLY, 'delete']),
      rule('policy', ['poddisruptionbudgets'], [...READ, ...APPLY, 'delete']),
      rule('networking.k8s.io', ['networkpolicies'], [...READ, ...APPLY, 'delete']),
      // Trainings that nobody waits for any more are ended.
      rule('batch', ['jobs'], [...WATCH, 'create', 'delete']),
      rule('', ['pods'], WATCH),
      // Keys of admin ports are made and never read: no right to read any Secret of a namespace.
      rule('', ['secrets'], ['create']),
      rule('events.k8s.io', ['events'], ['create', 'patch']),
    ],
    installation: [
      // The names of what does not exist yet cannot be a condition.
      rule('coordination.k8s.io', ['leases'], ['create']),
      // Those of other numbers of shards are read before one leads.
      rule('coordination.k8s.io', ['leases'], ['get'], allLeaseNames(lease)),
      rule('coordination.k8s.io', ['leases'], ['update'], [...kept]),
      rule('', ['secrets'], ['create']),
      rule('', ['secrets'], ['get'], [`${release}-identity`]),
    ],
  };
}

function rule(
  apiGroup: string,
  resources: readonly string[],
  verbs: readonly string[],
  resourceNames?: readonly string[],
): PolicyRule {
  const names = resourceNames === undefined ? {} : { resourceNames };
  return { apiGroups: [apiGroup], resources, ...names, verbs };
}
