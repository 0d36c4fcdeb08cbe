import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import { comparePair, type Policy } from '../../crds/wire/policy.ts';
import { areSameAnswers } from '../../server/core/known-answer.ts';
import type { PolicyVerdict } from '../plan/status/facts.ts';
import { currentAcknowledgement, isHeard, type PodView } from './fleet-pod.ts';

export interface Expected {
  readonly policy: Policy;
  /** Per head revision that the policy names: the classes that server/core gives, one list per exit. */
  readonly knownAnswers: ReadonlyMap<string, readonly (readonly number[])[]>;
}

type Found = PolicyVerdict | null;

/**
 * Whether a pod has exactly this policy in force. A pod that was never heard, or not for 90 s although it was asked, has not: what
 * it said stands until a call is missed, or an operator that gets too little time to ask would tell of all that they are silent.
 */
export function assessAcknowledgement(
  view: PodView,
  expected: Expected,
  monotonicMs: number,
): PolicyVerdict {
  const acknowledgement =
    view.problem === null ? view.acknowledgement : currentAcknowledgement(view, monotonicMs);
  if (acknowledgement === null) return silent(view, monotonicMs);
  return (
    findOlder(view, acknowledgement, expected) ??
    findMissing(view, acknowledgement, expected) ??
    findWrongAnswer(view, acknowledgement, expected) ?? { code: 'Acknowledged', message: '' }
  );
}

/** Before there is a policy: whether a pod answers at all. Null: it does, or has not been asked yet. */
export function assessAnswering(view: PodView, monotonicMs: number): PolicyVerdict | null {
  if (view.problem === null || isHeard(view, monotonicMs)) return null;
  return silent(view, monotonicMs);
}

function silent({ pod, heardMs, problem, state }: PodView, monotonicMs: number): PolicyVerdict {
  // Never asked yet, or its backbone is being loaded: Available says why, and there is nothing to acknowledge.
  if (problem === null && state?.loaded !== true) {
    return waiting(`Pod ${pod.name} has not loaded its backbone yet.`);
  }
  const since =
    heardMs === null
      ? 'has never answered'
      : `has not answered for ${describeSilence(monotonicMs - heardMs)}`;
  const why = problem === null ? '' : `: ${problem.message}`;
  return {
    code: 'ReplicaUnreachable',
    message: `Pod ${pod.name} ${since} on its admin port${why}`,
  };
}

const SILENCES = [
  [86_400_000, 'a day'],
  [3_600_000, 'an hour'],
  [600_000, '10 min'],
] as const;

/** At least so long, in steps: seconds that count on would write the status each minute for as long as the pod is away. */
function describeSilence(silentMs: number): string {
  return SILENCES.find(([fromMs]) => silentMs >= fromMs)?.[1] ?? '90 s';
}

function findOlder(view: PodView, acknowledgement: Acknowledgement, { policy }: Expected): Found {
  const { result, reason, message, epoch, revision } = acknowledgement;
  if (comparePair(acknowledgement, policy) === 0) return null;
  const name = view.pod.name;
  if (result === 'Rejected') {
    return {
      code: 'PolicyRejected',
      message: `Pod ${name} refused a policy (${reason}): ${message}`,
    };
  }
  return waiting(
    `Pod ${name} has policy ${epoch}.${revision}, not ${policy.epoch}.${policy.revision}.`,
  );
}

function findMissing(
  { pod }: PodView,
  { backboneDigest, headRevisions, result, reason, message }: Acknowledgement,
  { policy }: Expected,
): Found {
  if (backboneDigest !== policy.backboneDigest) {
    return waiting(`Pod ${pod.name} has backbone ${backboneDigest}, not ${policy.backboneDigest}.`);
  }
  if (result === 'Rejected' || reason === 'EngineFailed') {
    return { code: 'PolicyRejected', message: `Pod ${pod.name} (${reason}): ${message}` };
  }
  const missing = namedRevisions(policy).find((revision) => !headRevisions.includes(revision));
  return missing === undefined ? null : waiting(`Pod ${pod.name} lacks head bundle ${missing}.`);
}

function findWrongAnswer(
  { pod }: PodView,
  { knownAnswers }: Acknowledgement,
  { policy, knownAnswers: expected }: Expected,
): Found {
  const wrong = namedRevisions(policy).find((revision) => {
    const told = knownAnswers.find(({ headRevision }) => headRevision === revision);
    const classes = expected.get(revision);
    if (classes === undefined) return false;
    return told === undefined || !areSameAnswers(told.classes, classes);
  });
  if (wrong === undefined) return null;
  return {
    code: 'KnownAnswerMismatch',
    message: `Pod ${pod.name} does not give the known answers of ${wrong}; replace the pod or its node.`,
  };
}

function waiting(message: string): PolicyVerdict {
  return { code: 'WaitingForReplicas', message };
}

/** Head bundles that a policy needs on a pod. */
export function namedRevisions({ stable, candidate }: Policy): string[] {
  return [stable, candidate].flatMap((track) => (track === null ? [] : [track.headRevision]));
}
