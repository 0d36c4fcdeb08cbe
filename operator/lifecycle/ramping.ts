// Ramping: a certified candidate takes a rising share. Pass of every check advances, Fail takes it back, Inconclusive holds.
import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import { invariant } from '../../server/core/invariant.ts';
import { abort, nextShare, promote } from './candidates.ts';
import { assessStep, candidateRequests, startStep, type CheckResult } from './checks.ts';
import { podTicks } from './baseline.ts';
import { change, say, type Draft } from './draft.ts';
import type { CandidateRecord, Ledger, RampRecord } from './ledger.ts';
import { hasPublished } from './pods.ts';
import { loadedPods } from './staging.ts';
import { count, percent } from './text.ts';
import type { Tick } from './tick.ts';
import type { Decision } from './types.ts';

/** Evaluates the step of a candidate. */
export function ramping(
  draft: Draft,
  candidate: CandidateRecord,
  ramp: RampRecord,
  tick: Tick,
): Draft {
  const isFresh = candidateRequests(podTicks(candidate, tick)) > 0;
  const checks = assess(draft.ledger, candidate, ramp, { tick, isFresh });
  const failed = isFresh
    ? checks.filter(({ verdict }) => verdict === 'Fail').map(({ type }) => type)
    : ramp.failing;
  // Looking twice at the same figures is no second failure.
  const culprit = checks.find(
    ({ type, verdict }) =>
      verdict === 'Fail' && (type === 'Disagreement' || (isFresh && ramp.failing.includes(type))),
  );
  if (culprit !== undefined) return abort(draft, candidate, tick, failure(culprit, ramp));
  if (isPassed(checks, candidate, ramp, tick)) return advance(draft, candidate, ramp, tick);
  const held = change(draft, { candidate: { ...candidate, ramp: { ...ramp, failing: failed } } });
  return isOverdue(ramp, tick)
    ? overdue(held, candidate, { ...ramp, failing: failed }, tick)
    : held;
}

/** The verdicts of a step as they stand now. */
function assess(
  { stable }: Ledger,
  candidate: CandidateRecord,
  ramp: RampRecord,
  { tick, isFresh }: { readonly tick: Tick; readonly isFresh: boolean },
): readonly CheckResult[] {
  invariant(candidate.certificate !== null, 'a candidate that takes traffic is certified');
  return assessStep(ramp, {
    settings: tick.input.settings,
    dispersion: candidate.certificate.dispersion,
    isFresh,
    saving: candidate.paired?.saving ?? null,
    isFirst: stable?.off !== null,
  });
}

function failure(
  check: CheckResult,
  ramp: RampRecord,
): { reason: 'RolloutAborted'; message: string; details: Decision['details'] } {
  return {
    reason: 'RolloutAborted',
    message: `${checkText(check)} The candidate is taken back from ${percent(ramp.share)} of the traffic.`,
    details: { ...check, share: ramp.share },
  };
}

/** One sentence with the figures of a check. */
function checkText({ type, samples, value, limit }: CheckResult): string {
  invariant(value !== null && limit !== null, 'a failed check has figures');
  const isLatency = type === 'LatencyP50' || type === 'LatencyP99';
  const against = isLatency
    ? `above ${(limit / 1000).toPrecision(3)} ms`
    : `against ${percent(limit)}`;
  return `${type} failed on ${count(samples)} samples: ${percent(value)} ${against}.`;
}

function isPassed(
  checks: readonly CheckResult[],
  candidate: CandidateRecord,
  ramp: RampRecord,
  tick: Tick,
): boolean {
  const { settings, pods, published, nowMs } = tick.input;
  const { ready, loaded } = loadedPods(candidate.headRevision, tick);
  const isAcknowledged =
    ready > 0 &&
    loaded === ready &&
    pods.every((pod) => !pod.ready || hasPublished(pod, published));
  return (
    !settings.paused &&
    isAcknowledged &&
    nowMs >= holdEndMs(ramp, settings) &&
    ramp.requests >= settings.minRequests &&
    checks.every(({ verdict }) => verdict === 'Pass')
  );
}

/** When the hold of a step ends; a step that the settings no longer name has none. */
export function holdEndMs(
  { share, sinceMs }: RampRecord,
  { steps }: Pick<ServiceSettings, 'steps'>,
): number {
  const step = steps.find((named) => named.share === share);
  return sinceMs + (step?.holdMs ?? 0);
}

function advance(draft: Draft, candidate: CandidateRecord, ramp: RampRecord, tick: Tick): Draft {
  const share = nextShare(tick.input.settings.steps, ramp.share);
  if (share === null) return promote(draft, candidate, tick);
  const next = startStep(share, ramp.detector.budget, tick.nowMs);
  return say(change(draft, { candidate: { ...candidate, ramp: next } }), tick.nowMs, {
    reason: 'RolloutStepAdvanced',
    message: `Every check passed on ${count(ramp.requests)} requests: the candidate takes ${percent(share)} of the traffic.`,
    headRevision: candidate.headRevision,
    details: { share, requests: ramp.requests, audits: ramp.audits },
  });
}

function isOverdue(ramp: RampRecord, { nowMs, input }: Tick): boolean {
  const { paused, exitMode, stepDeadlineMs } = input.settings;
  const isHeldByRequest = paused || exitMode !== 'Active';
  return !isHeldByRequest && !ramp.isOverdue && nowMs - ramp.sinceMs >= stepDeadlineMs;
}

function overdue(draft: Draft, candidate: CandidateRecord, ramp: RampRecord, tick: Tick): Draft {
  const message = `The step at ${percent(ramp.share)} got no verdict in time, on ${count(ramp.requests)} requests.`;
  const details = { share: ramp.share, requests: ramp.requests };
  if (tick.input.settings.onInconclusive === 'Abort') {
    return abort(draft, candidate, tick, { reason: 'Inconclusive', message, details });
  }
  const told = change(draft, { candidate: { ...candidate, ramp: { ...ramp, isOverdue: true } } });
  return say(told, tick.nowMs, {
    reason: 'Inconclusive',
    message: `${message} It holds.`,
    headRevision: candidate.headRevision,
    details,
  });
}
