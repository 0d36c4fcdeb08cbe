/** So many leaders may divide the namespaces: the rights of the operator name the Lease of each. */
export const MAX_SHARDS = 8;

/** Names of the Leases of all shards; one alone has the plain name. */
export function leaseNames(name: string, shards: number): readonly string[] {
  if (shards === 1) return [name];
  return Array.from({ length: shards }, (_, shard) => `${name}-${shard}`);
}

/** Names of every Lease that operators of whatever number of shards may hold. */
export function allLeaseNames(name: string): readonly string[] {
  return [name, ...leaseNames(name, MAX_SHARDS)];
}
