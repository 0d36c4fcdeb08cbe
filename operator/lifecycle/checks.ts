// The checks of a ramp step (exits.md 9.2). Inconclusive (no, stale, too few or void figures) is never a pass and never a fail.
import type { AgreementName } from '../../crds/wire/agreement.ts';
import type { RolloutCheck, ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import { AGREEMENTS } from '../../server/core/agreement.ts';
import { createDetector, isAlarm } from '../../server/core/detector.ts';
import { countAbove, countAll, quantile } from '../../server/core/latency-digest.ts';
import {
  assessWealth,
  isBeyond,
  logFactors,
  MEDIAN_SHARE,
  TAIL_SHARE,
  tailShare,
  wealthOf,
  type GuardedShare,
  type Verdict,
} from '../stats/guards.ts';
import type { SavingLimits } from '../stats/paired.ts';
import { watch } from './count-stable.ts';
import type { GuardedCheck, GuardRecord, RampRecord, TrackCounters } from './ledger.ts';

/** Verdict of one check with the figures it stands on. */
export interface CheckResult {
  readonly type: RolloutCheck['type'] | 'Disagreement';
  readonly verdict: Verdict;
  readonly samples: number;
  readonly value: number | null;
  readonly limit: number | null;
}

/** A step before its first request. */
export function startStep(share: number, budget: number, nowMs: number): RampRecord {
  return {
    share,
    sinceMs: nowMs,
    requests: 0,
    audits: 0,
    disagreements: 0,
    detector: { budget, ...createDetector(budget) },
    guards: {},
    failing: [],
    isOverdue: false,
  };
}

/** Requests of both tracks on one pod in one tick. */
export interface PodTick {
  readonly candidate: TrackCounters;
  readonly stable: TrackCounters;
}

/** What a tick brought for the candidate. */
export interface StepTick {
  /** Pods that serve it. */
  readonly pods: readonly PodTick[];
  /** Stable's figures up to the previous tick. */
  readonly baseline: TrackCounters;
  /** Audited rows by what the candidate's answers at its lambda lose: [11], 0 to 10 tenths; with D and the agreement of its certificate. */
  readonly audits: readonly number[];
  readonly dispersion: number;
  readonly agreement: AgreementName;
}

/** Adds a tick to the figures of a step. */
export function updateStep(
  ramp: RampRecord,
  tick: StepTick,
  checks: readonly RolloutCheck[],
): RampRecord {
  const { unitsOf, rowUnits } = AGREEMENTS[tick.agreement];
  const audits = tick.audits.reduce((sum, rows) => sum + rows, 0);
  const units = tick.audits.reduce((sum, rows, tenths) => sum + rows * unitsOf(tenths), 0);
  const requests = candidateRequests(tick.pods);
  return {
    ...ramp,
    requests: ramp.requests + requests,
    audits: ramp.audits + audits,
    disagreements: ramp.disagreements + units / rowUnits,
    detector: watch(ramp.detector, tick),
    guards: updateGuards(ramp.guards, tick, checks),
  };
}

/** The candidate's own requests of a tick. */
export function candidateRequests(pods: readonly PodTick[]): number {
  return pods.reduce((sum, { candidate }) => sum + candidate.requests, 0);
}

const MIN_BASELINE_REQUESTS = 1_000;

function updateGuards(
  guards: RampRecord['guards'],
  tick: StepTick,
  checks: readonly RolloutCheck[],
): RampRecord['guards'] {
  if (tick.baseline.requests < MIN_BASELINE_REQUESTS || candidateRequests(tick.pods) === 0)
    return guards;
  const entries = checks.flatMap(({ type, maxRegression }) => {
    if (type === 'Saving') return [];
    const measured = measure(type, maxRegression, tick);
    return [[type, addMeasured(guards[type], measured)] as const];
  });
  return { ...guards, ...Object.fromEntries(entries) };
}

interface Measured {
  readonly above: number;
  readonly requests: number;
  readonly limit: number;
  readonly guard: GuardedShare;
}

/** An error share of 0 with no regression allowed still allows one request in a million. */
const LEAST_ERROR_SHARE = 1e-6;
const LARGEST_ERROR_SHARE = 0.8;

/**
 * The candidate's requests above the limit, on pods whose stable requests of the same tick keep it: a pod on which both tracks are
 * slow or failing says nothing of the candidate. What is left out depends on stable alone, so the odds stay what they are.
 */
function measure(type: GuardedCheck, maxRegression: number, tick: StepTick): Measured {
  const { limit, guard, count } = ruleOf(type, maxRegression, tick.baseline);
  const counted = tick.pods
    .filter(({ stable }) => {
      const { above, requests } = count(stable);
      return !isBeyond(above, requests, guard);
    })
    .map(({ candidate }) => count(candidate));
  const above = counted.reduce((sum, pod) => sum + pod.above, 0);
  const requests = counted.reduce((sum, pod) => sum + pod.requests, 0);
  return { above, requests, limit, guard };
}

interface Rule {
  readonly limit: number;
  readonly guard: GuardedShare;
  readonly count: (of: TrackCounters) => { readonly above: number; readonly requests: number };
}

function ruleOf(type: GuardedCheck, maxRegression: number, baseline: TrackCounters): Rule {
  if (type === 'ErrorRate') {
    const limit = baseline.errors / baseline.requests + maxRegression;
    const allowed = Math.min(LARGEST_ERROR_SHARE, Math.max(LEAST_ERROR_SHARE, limit));
    const count: Rule['count'] = ({ errors: above, requests }) => ({ above, requests });
    return { limit: allowed, guard: tailShare(allowed), count };
  }
  const [q, guard] = type === 'LatencyP50' ? [0.5, MEDIAN_SHARE] : [0.99, TAIL_SHARE];
  const limit = (1 + maxRegression) * quantile(baseline.latency, q);
  const count: Rule['count'] = ({ latency }) => ({
    above: countAbove(latency, limit),
    requests: countAll(latency),
  });
  return { limit, guard, count };
}

function addMeasured(record: GuardRecord | undefined, measured: Measured): GuardRecord {
  const { above, requests, limit, guard } = measured;
  const factors = logFactors(above, requests, guard);
  return {
    above: above + (record?.above ?? 0),
    requests: requests + (record?.requests ?? 0),
    limit,
    logs: factors.map((factor, index) => factor + (record?.logs[index] ?? 0)),
  };
}

/**
 * Alarm level of a step: gross failure only, the guarantee is the certificate. Past 50 audits it grows with them, since at a level that
 * stands a detector alarms sooner or later: of good heads (at 0.77 of the budget) 1,000 failed 60 % of steps with 5,000 audits, and
 * this fails 0.5 %; at five budgets it takes 139 audits where 1,000 took 120 (simulated).
 */
const STEP_ALARM = 1_000;
const STEP_ALARM_PER_AUDIT = 20;

/** What the checks stand against. */
export interface CheckTerms {
  readonly settings: ServiceSettings;
  readonly dispersion: number;
  /** Candidate requests came in this tick; without, nothing passes. */
  readonly isFresh: boolean;
  /** Limits of the saving against stable; null before the first look at 500 paired rows. */
  readonly saving: SavingLimits | null;
  /** Stable lets nothing leave: the certificate's saving counts instead. */
  readonly isFirst: boolean;
}

/** All verdicts of a step, Disagreement first. */
export function assessStep(ramp: RampRecord, terms: CheckTerms): readonly CheckResult[] {
  const checks = terms.settings.checks.map((check) =>
    check.type === 'Saving'
      ? assessSaving(check.maxRegression, terms)
      : assessGuard(check.type, ramp, terms),
  );
  return [assessDisagreement(ramp, terms), ...checks].map((result) =>
    result.verdict === 'Pass' && !terms.isFresh ? { ...result, verdict: 'Inconclusive' } : result,
  );
}

function assessDisagreement(ramp: RampRecord, { dispersion }: CheckTerms): CheckResult {
  const { detector, audits, disagreements } = ramp;
  const level = Math.max(STEP_ALARM, STEP_ALARM_PER_AUDIT * audits);
  const calm: Verdict = audits > 0 ? 'Pass' : 'Inconclusive';
  return {
    type: 'Disagreement',
    verdict: isAlarm(detector, level, dispersion) ? 'Fail' : calm,
    samples: audits,
    value: audits > 0 ? disagreements / audits : null,
    limit: detector.budget,
  };
}

function assessGuard(type: GuardedCheck, ramp: RampRecord, { settings }: CheckTerms): CheckResult {
  const record = ramp.guards[type];
  if (record === undefined || record.requests === 0) {
    return { type, verdict: 'Inconclusive', samples: 0, value: null, limit: null };
  }
  return {
    type,
    verdict: assessWealth(wealthOf(record.logs), record.requests, settings.minRequests),
    samples: record.requests,
    value: record.above / record.requests,
    limit: record.limit,
  };
}

function assessSaving(maxRegression: number, { saving, isFirst }: CheckTerms): CheckResult {
  const shared = { type: 'Saving', limit: -maxRegression } as const;
  if (isFirst) return { ...shared, verdict: 'Pass', samples: 0, value: null };
  if (saving === null) return { ...shared, verdict: 'Inconclusive', samples: 0, value: null };
  const { rows: samples, mean: value, upper } = saving;
  if (upper < -maxRegression) return { ...shared, verdict: 'Fail', samples, value };
  const verdict = value >= -maxRegression ? 'Pass' : 'Inconclusive';
  return { ...shared, verdict, samples, value };
}
