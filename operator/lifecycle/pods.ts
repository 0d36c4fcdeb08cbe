import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import { areSameAnswers } from '../../server/core/known-answer.ts';
import type { HeadRevisionFacts, LifecycleInput, PodReport } from './types.ts';

/** What a pod's acknowledgement proves about a head revision. */
export type LoadVerdict = 'Loaded' | 'NotLoaded' | 'Mismatch' | 'NoData';

/**
 * Loaded: the pod names the revision, serves this backbone, and its real heads give the known answers that server/core gives.
 * Mismatch: it answers otherwise, so nothing it says about these heads counts. NoData: it did not answer for 90 s.
 */
export function assessLoad(
  acknowledgement: Acknowledgement | null,
  facts: HeadRevisionFacts,
  backboneDigest: string,
): LoadVerdict {
  if (acknowledgement === null) return 'NoData';
  if (acknowledgement.backboneDigest !== backboneDigest) return 'NotLoaded';
  if (!acknowledgement.headRevisions.includes(facts.headRevision)) return 'NotLoaded';
  const answer = acknowledgement.knownAnswers.find(
    (known) => known.headRevision === facts.headRevision,
  );
  if (answer === undefined) return 'NotLoaded';
  return areSameAnswers(answer.classes, facts.knownAnswers) ? 'Loaded' : 'Mismatch';
}

/** Whether the pod runs exactly the policy that was published last. */
export function hasPublished(pod: PodReport, published: LifecycleInput['published']): boolean {
  const said = pod.acknowledgement;
  if (said === null || published === null) return false;
  const isSamePair = said.epoch === published.epoch && said.revision === published.revision;
  return isSamePair && said.result !== 'Rejected' && said.reason !== 'CandidateMissing';
}
