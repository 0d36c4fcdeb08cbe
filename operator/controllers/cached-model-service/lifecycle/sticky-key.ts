import { createHmac } from 'node:crypto';
import type { PolicyContent } from '../../../lifecycle/types.ts';
import type { ServiceToPlan } from '../../../plan/service.ts';
import type { ServicePass } from '../service-pass.ts';

/**
 * The header that picks the track, with a key per rollout, so that a client who was unlucky once is not always. The key comes
 * from the root key: a new leader gives the same one, and clients cannot choose their track.
 */
export function withStickyKey(
  { shell }: ServicePass,
  { uid, spec }: ServiceToPlan,
  content: PolicyContent,
): PolicyContent {
  const { stickyHeader } = spec.rollout;
  const { candidate } = content;
  if (candidate === null || stickyHeader === undefined) return content;
  const stickyKey = createHmac('sha256', shell.deps.rootKey)
    .update(`sticky ${uid} ${candidate.headRevision}`)
    .digest('hex')
    .slice(0, 32);
  return { ...content, candidate: { ...candidate, stickyHeader, stickyKey } };
}
