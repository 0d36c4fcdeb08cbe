// How a candidate comes, takes traffic, and goes.
import type { PolicyCertificate } from '../../crds/wire/policy.ts';
import type { Reason } from '../../crds/v1alpha1/reasons.ts';
import { invariant } from '../../server/core/invariant.ts';
import { scaleAfter, startAttempt } from './attempts.ts';
import { startStep } from './checks.ts';
import { freshDetector } from './count-stable.ts';
import { change, enter, say, type Draft } from './draft.ts';
import { addFailed } from './failed-heads.ts';
import { chooseFirst } from './first-pod.ts';
import {
  NO_LOST,
  NO_REQUESTS,
  NO_SAVINGS,
  type Attempt,
  type CandidateKind,
  type CandidateRecord,
  type Ledger,
  type StableRecord,
} from './ledger.ts';
import { percent } from './text.ts';
import type { Tick } from './tick.ts';
import type { Decision, HeadRevisionFacts, LifecycleStage } from './types.ts';

/** A certified lambda. */
export interface CertifiedLambda {
  readonly lambdaIndex: number;
  readonly certificate: PolicyCertificate;
}

const NO_BASELINE = { older: NO_REQUESTS, newer: NO_REQUESTS };
const NO_LOADS = { loads: [], crashes: 0, first: null };

/** Fresh heads: the next attempt of the episode begins, in the ledger before any row counts. */
export function stageNew(draft: Draft, facts: HeadRevisionFacts, tick: Tick): Draft {
  const { episode } = draft.ledger;
  const attempt = episode.attempts + 1;
  const exitCount = facts.exits.length;
  const start = { attempt, exitCount, lookScale: episode.lookScale, nowMs: tick.nowMs };
  const candidate: CandidateRecord = {
    kind: 'New',
    headRevision: facts.headRevision,
    exits: facts.exits,
    lambdaIndex: null,
    certificate: null,
    evidence: startAttempt(tick.input.settings, start),
    paired: null,
    ramp: null,
    baseline: NO_BASELINE,
    loads: [],
    crashes: 0,
    first: chooseFirst(tick),
  };
  const staged = change(draft, { candidate, episode: { ...episode, attempts: attempt } });
  return enter(staged, tick.nowMs, 'Staging');
}

/** Stable's own heads at another certified lambda; they take the ramp without a new shadow. */
export function stageSameHeads(
  stable: StableRecord,
  kind: Exclude<CandidateKind, 'New'>,
  certified: CertifiedLambda,
): CandidateRecord {
  const { headRevision, exits } = stable;
  const shared = { headRevision, exits, evidence: null, paired: null, ramp: null };
  return { kind, ...shared, ...certified, ...NO_LOADS, baseline: NO_BASELINE };
}

/** Begins the first step of the ramp. */
export function startRamp(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  const share = nextShare(tick.input.settings.steps, 0);
  invariant(share !== null, 'a rollout has a step');
  const { budget } = evidenceOf(draft.ledger, candidate);
  const ramp = startStep(share, budget, tick.nowMs);
  const ramped = change(draft, { candidate: { ...candidate, ramp } });
  return say(enter(ramped, tick.nowMs, 'Ramping'), tick.nowMs, {
    reason: 'RolloutStarted',
    message: `The candidate takes ${percent(share)} of the traffic.`,
    headRevision: candidate.headRevision,
    details: { share, lambdaIndex: candidate.lambdaIndex },
  });
}

/** The first step above this share; null after the last. */
export function nextShare(
  steps: readonly { readonly share: number }[],
  share: number,
): number | null {
  return steps.find((step) => step.share > share)?.share ?? null;
}

/** The evidence that a candidate stands on: its own, or stable's for the same heads. */
export function evidenceOf(ledger: Ledger, candidate: CandidateRecord): Attempt {
  const evidence = candidate.evidence ?? ledger.stable?.evidence;
  invariant(evidence !== undefined, 'a candidate without evidence has the heads of stable');
  return evidence;
}

/** The candidate becomes stable; a new certificate ends the episode. */
export function promote(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  const { ledger } = draft;
  const { headRevision, exits, lambdaIndex, certificate, kind } = candidate;
  const evidence = evidenceOf(ledger, candidate);
  const stable: StableRecord = {
    headRevision,
    exits,
    lambdaIndex,
    certificate,
    evidence,
    detector: freshDetector(evidence.budget),
    off: null,
    savingBefore: null,
    raiseBlocked: false,
    day: { sinceMs: tick.nowMs, audits: 0 },
  };
  const promoted = change(draft, {
    stable,
    candidate: null,
    previous: previousOf(ledger, headRevision, tick.nowMs),
    episode: kind === 'Raise' ? ledger.episode : { attempts: 0, lookScale: 1 },
    training: { ...ledger.training, waiting: null },
    saving: NO_SAVINGS,
    lost: NO_LOST,
    hint: { strikes: 0, untilMs: 0 },
  });
  return say(enter(promoted, tick.nowMs, 'Serving'), tick.nowMs, {
    reason: 'RolloutPromoted',
    message: 'The candidate passed its last step and serves all traffic.',
    headRevision,
    details: { lambdaIndex },
  });
}

/** Other heads that served until now can come back; the same heads at another lambda replace nothing. */
function previousOf(
  { stable, previous }: Ledger,
  headRevision: string,
  retiredAtMs: number,
): Ledger['previous'] {
  if (stable === null || stable.headRevision === headRevision) return previous;
  return { stable, retiredAtMs };
}

/** Why a candidate goes. */
export interface Abort {
  readonly reason: Reason;
  readonly message: string;
  readonly details?: Decision['details'];
}

/** Share 0 in the next policy, and the digest is remembered: heads that failed are not tried again. */
export function abort(draft: Draft, candidate: CandidateRecord, tick: Tick, why: Abort): Draft {
  const { headRevision } = candidate;
  const { ledger } = draft;
  const failed = addFailed(ledger.failed, { headRevision, reason: why.reason, atMs: tick.nowMs });
  const fields = ((): Partial<Ledger> => {
    switch (candidate.kind) {
      case 'New':
        return { failed, episode: { ...ledger.episode, lookScale: scaleOf(candidate) } };
      case 'Raise':
        return { stable: ledger.stable && { ...ledger.stable, raiseBlocked: true } };
      case 'Recertified':
        return { failed, stable: null };
    }
  })();
  const gone = change(draft, { ...fields, candidate: null });
  const rested = enter(gone, tick.nowMs, restStage(gone.ledger));
  return say(rested, tick.nowMs, { ...why, headRevision });
}

function scaleOf({ evidence }: CandidateRecord): number {
  invariant(evidence !== null, 'fresh heads have evidence of their own');
  return scaleAfter(evidence);
}

/** The candidate goes because something else changed: it is not failed. */
export function supersede(
  draft: Draft,
  candidate: CandidateRecord,
  tick: Tick,
  message: string,
): Draft {
  return say(change(draft, { candidate: null }), tick.nowMs, {
    reason: 'Superseded',
    message,
    headRevision: candidate.headRevision,
  });
}

/** Where a service is without candidate and without training. */
export function restStage({ stable }: Ledger): LifecycleStage {
  if (stable === null) return 'Collecting';
  return stable.certificate === null ? 'Recertifying' : 'Serving';
}
