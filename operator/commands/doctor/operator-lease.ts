import type { KubeObject } from '../../kube/api.ts';
import { allLeaseNames, leaseNames } from '../../plan/lease-names.ts';
import { layoutOf } from '../../shards/other-layout.ts';
import type { OperatorFacts } from './check-operator.ts';

/** Of several shards the Lease that is worst kept; undefined: nobody holds it, or none was read. */
export function leaseOfOperator(
  leases: readonly KubeObject[],
  base: string,
): KubeObject | undefined {
  const named = new Map(leases.map((lease) => [lease.metadata.name, lease]));
  const shards = Math.max(1, ...allLeaseNames(base).map((name) => shardsOf(named.get(name))));
  const kept = leaseNames(base, shards).map((name) => named.get(name));
  if (shards > 1 && kept.some((lease) => shardsOf(lease) === 0)) return undefined;
  return kept.toSorted((a, b) => (leaseOf(a).renewedMs ?? 0) - (leaseOf(b).renewedMs ?? 0))[0];
}

/** Of the holder; 0: nobody holds it. */
function shardsOf(lease: KubeObject | undefined): number {
  return lease === undefined ? 0 : Number(layoutOf(lease) ?? 0);
}

const LEASE_SECONDS = 15;

export function leaseOf(
  lease: KubeObject | undefined,
): Pick<OperatorFacts, 'renewedMs' | 'leaseSeconds'> {
  const { renewTime, leaseDurationSeconds } = (lease?.spec ?? {}) as {
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
  const renewedMs = Date.parse(renewTime ?? '');
  return {
    renewedMs: Number.isNaN(renewedMs) ? null : renewedMs,
    leaseSeconds: leaseDurationSeconds ?? LEASE_SECONDS,
  };
}
