import type { PinnedHeads } from '../../../lifecycle/types.ts';
import { assessPin } from '../../../plan/status/assess-pin.ts';
import type { ServiceToPlan } from '../../../plan/service.ts';
import { bundleDigestOf } from '../../bundle-digest-of.ts';
import type { Gathered } from '../gather.ts';

/** What `heads.revision` asks of the lifecycle; null: nothing. */
export function readPin(
  { pinned }: Pick<Gathered, 'pinned'>,
  { name, spec }: Pick<ServiceToPlan, 'name' | 'spec'>,
  backboneDigest: string,
): PinnedHeads | null {
  const verdict = assessPin({ serviceName: name, spec, pinned, backboneDigest });
  if (verdict === null) return null;
  const isUsable = verdict.code === 'Usable' && pinned !== null;
  return { headRevision: isUsable ? (bundleDigestOf(pinned) ?? null) : null };
}
