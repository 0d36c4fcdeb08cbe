import type { Acknowledgement } from '../crds/wire/acknowledgement.ts';
import type { HeadBundle } from '../crds/wire/head-bundle.ts';
import type { Policy, PolicyTrack } from '../crds/wire/policy.ts';
import type { ModelDescription } from './engine/segment-engine.ts';
import type { PolicyProblem } from './policy-checks.ts';

/** What became of a policy, in the words of its acknowledgement. */
export type Verdict = Pick<Acknowledgement, 'result' | 'reason' | 'message'>;

export const APPLIED: Verdict = { result: 'Applied', reason: '', message: '' };

export function verdictOf(
  { backboneDigest, candidate }: Policy,
  model: ModelDescription,
  found: ReadonlyMap<string, HeadBundle>,
): Verdict {
  if (backboneDigest !== model.digest) {
    return {
      result: 'Applied',
      reason: 'BackboneMismatch',
      message: `The policy is for backbone ${backboneDigest}, loaded is ${model.digest}; exits are off here until a policy names this backbone.`,
    };
  }
  if (model.outputProblem !== null) {
    const { code: reason, message } = model.outputProblem;
    return { result: 'Applied', reason, message };
  }
  if (candidate === null || found.has(candidate.headRevision)) return APPLIED;
  return {
    result: 'Applied',
    reason: 'CandidateMissing',
    message: `Head bundle ${candidate.headRevision} of the candidate is not here; its share is 0 until ${comingFrom(candidate)}.`,
  };
}

/** A policy for another backbone, or one whose class output is known elsewhere: its limits hold here, no exit, head, audit or sample does. */
export function forThisBackbone(policy: Policy, model: ModelDescription): Policy {
  if (policy.backboneDigest === model.digest && model.outputProblem === null) return policy;
  return {
    ...policy,
    exitsEnabled: false,
    exits: [],
    stable: null,
    candidate: null,
    auditRate: 0,
  };
}

export function headMissing(stable: PolicyTrack): PolicyProblem {
  return {
    reason: 'HeadMissing',
    message: `Head bundle ${stable.headRevision} of stable is not here; the policy waits until ${comingFrom(stable)}.`,
  };
}

function comingFrom({ bundleUri }: PolicyTrack): string {
  return bundleUri === undefined ? 'it is PUT to /v1/heads' : `it has come from ${bundleUri}`;
}

export const PLAN_FAILED: PolicyProblem = {
  reason: 'EngineFailed',
  message: 'The engine no longer prepares the heads; exits are off until the next policy.',
};

export function crashed({ epoch, revision }: Policy): PolicyProblem {
  return {
    reason: 'PolicyCrashed',
    message: `Policy ${epoch}.${revision} ended this server or its engine twice while it was applied; publish another one.`,
  };
}

export function rejected({ reason, message }: PolicyProblem): Verdict {
  return { result: 'Rejected', reason, message: message.slice(0, 1024) };
}

export function stale(next: Policy, inForce: Policy | null): Verdict {
  return {
    result: 'Stale',
    reason: '',
    message: `Policy ${next.epoch}.${next.revision} is older than the one in force, ${inForce?.epoch ?? 0}.${inForce?.revision ?? 0}.`,
  };
}
