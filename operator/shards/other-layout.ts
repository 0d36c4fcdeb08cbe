import type { Api, KubeObject } from '../kube/api.ts';
import { ApiStatusError } from '../kube/api-status-error.ts';
import { sleep, type KubeClock } from '../kube/clock.ts';
import { getOrNull } from '../kube/get-or-null.ts';

/** On Leases: how many shards there are for the operator that holds it. */
export const SHARDS_ANNOTATION = 'layercache.io/shards';

export interface LayoutOptions {
  readonly api: Api;
  readonly clock: KubeClock;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  readonly namespace: string;
  /** Of every Lease that an operator of whatever number of shards may hold. */
  readonly leases: readonly string[];
  /** Of this process. */
  readonly shards: number;
  /** A Lease without change for so long is nobody's. */
  readonly leaseMs: number;
  readonly retryMs: number;
  /** With each look that finds one, and each that fails. */
  readonly onWait: (
    why: { readonly lease: string; readonly shards: string } | ApiStatusError,
  ) => void;
}

/**
 * Waits until no operator with another number of shards leads: it divides namespaces otherwise, and both would write to some. To be
 * called while this process holds its own Lease, so that of two that begin at once at least one sees the other.
 */
export async function waitForOtherLayouts(options: LayoutOptions): Promise<void> {
  const { clock, signal, retryMs, onWait } = options;
  const seen = new Map<string, Seen>();
  while (!signal.aborted) {
    try {
      const other = await findOther(options, seen);
      if (other === null) return;
      onWait(other);
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      onWait(error);
    }
    await sleep(clock, retryMs, signal);
  }
}

interface Seen {
  readonly record: string;
  readonly sinceMs: number;
}

async function findOther(
  { api, clock, namespace, leases, shards, leaseMs }: LayoutOptions,
  seen: Map<string, Seen>,
): Promise<{ readonly lease: string; readonly shards: string } | null> {
  for (const name of leases) {
    const lease = await getOrNull(api, { kind: 'Lease', namespace, name });
    const layout = lease === null ? null : layoutOf(lease);
    if (lease === null || layout === null || layout === String(shards)) continue;
    const record = JSON.stringify(lease.spec);
    const before = seen.get(name);
    const sinceMs = before?.record === record ? before.sinceMs : clock.monotonicMs();
    seen.set(name, { record, sinceMs });
    if (clock.monotonicMs() - sinceMs < leaseMs) return { lease: name, shards: layout };
  }
  return null;
}

/** How many shards there are for its holder; null: nobody holds it. Operators of versions before shards have one. */
export function layoutOf({ metadata, spec }: KubeObject): string | null {
  const { holderIdentity = '' } = (spec ?? {}) as { readonly holderIdentity?: string };
  return holderIdentity === '' ? null : (metadata.annotations?.[SHARDS_ANNOTATION] ?? '1');
}
