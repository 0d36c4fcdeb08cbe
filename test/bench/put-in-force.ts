import { pushHeads } from '../../operator/fleet/push-heads.ts';
import { pushPolicy } from '../../operator/fleet/push-policy.ts';
import { policyFor, type RandomHeads } from './random-heads.ts';
import type { ServedModel } from './served-model.ts';

/** Brings heads to a server and lets all of them answer. */
export async function putInForce(
  served: ServedModel,
  heads: RandomHeads,
  revision: number,
): Promise<void> {
  const stored = await pushHeads(served.server.admin, heads.headRevision, heads.bytes);
  if (!stored.ok) throw new Error(stored.message);
  const applied = await pushPolicy(served.server.admin, policyFor(served.state, heads, revision));
  if (!applied.ok) throw new Error(applied.message);
  if (applied.value.result !== 'Applied')
    throw new Error(`${applied.value.reason}: ${applied.value.message}`);
}
