import { OPERATOR_METRICS } from '../crds/metrics/operator-catalogue.ts';
import type { Reason } from '../crds/v1alpha1/reasons.ts';
import { alarmDistance } from './lifecycle/alarm-distance.ts';
import { auditedRows, nextLookRows } from './lifecycle/attempts.ts';
import type { CheckResult } from './lifecycle/checks.ts';
import type { Ledger } from './lifecycle/ledger.ts';
import type { Decision } from './lifecycle/types.ts';
import type { LabelOf, MetricHandles, ServiceName } from './metrics.ts';

// What the lifecycle decides, as figures for people. A ledger that is stored is shown; decisions count once they are told.

type Rollout = LabelOf<'rollouts', 'result'>;
type Training = LabelOf<'trainingRuns', 'result'>;

/** Ends of a candidate. */
const ROLLOUT_ENDS: Readonly<Partial<Record<Reason, Rollout>>> = {
  RolloutPromoted: 'promoted',
  Superseded: 'superseded',
  RolloutAborted: 'aborted',
  AbortedByUser: 'aborted',
  Inconclusive: 'inconclusive',
  LoadFailed: 'load_failed',
  CrashedPods: 'load_failed',
  NotCertified: 'not_certified',
  NotBetter: 'not_better',
  NotWorthwhile: 'not_better',
};

type AbortCause = LabelOf<'rolloutAborts', 'cause'>;

const FAILED_CHECKS: Readonly<Record<CheckResult['type'], AbortCause>> = {
  Disagreement: 'disagreement',
  ErrorRate: 'error_rate',
  LatencyP50: 'latency_p50',
  LatencyP99: 'latency_p99',
  Saving: 'saving',
};

/** Null: it was not taken back. */
function abortCauseOf({ reason, details }: Decision): AbortCause | null {
  if (reason === 'AbortedByUser') return 'request';
  if (reason === 'Inconclusive') return 'no_verdict';
  return reason === 'RolloutAborted' ? FAILED_CHECKS[details.type as CheckResult['type']] : null;
}

const TRAINING_ENDS: Readonly<Partial<Record<Reason, Training>>> = {
  TrainingSucceeded: 'succeeded',
  TrainingFailed: 'failed',
  DeadlineExceeded: 'deadline_exceeded',
  NotBetter: 'not_better',
  TooFewRows: 'not_better',
};

const VERDICTS: Readonly<Partial<Record<Reason, LabelOf<'certificates', 'result'>>>> = {
  Certified: 'passed',
  RolloutStarted: 'passed',
  NotCertified: 'no_lambda',
  InsufficientSamples: 'too_few_rows',
};

const ALARMS: Readonly<Partial<Record<Reason, LabelOf<'alarms', 'cause'>>>> = {
  Alarm: 'detector',
  EvidenceVoid: 'evidence_void',
};

/** What of a service was seen last. */
interface Seen {
  readonly ledger: Ledger;
  /** Of the candidate that was there last; null: there was none. */
  readonly candidate: { readonly headRevision: string; readonly sinceMs: number } | null;
  /** Null: no training is known to run. */
  readonly trainingSinceMs: number | null;
}

export interface LifecycleMetrics {
  /** After a ledger is stored, with the decisions that led to it; none is told twice. */
  decided(service: ServiceName, ledger: Ledger, decisions: readonly Decision[]): void;
  /** Sets the figures of a service again. */
  show(service: ServiceName): void;
  forget(service: ServiceName): void;
}

export function createLifecycleMetrics(handles: MetricHandles): LifecycleMetrics {
  const services = new Map<string, Seen>();
  const show = (service: ServiceName): void => {
    const seen = services.get(keyOf(service));
    if (seen !== undefined) showLedger(handles, labelsOf(service), seen.ledger);
  };
  return {
    decided: (service, ledger, decisions) => {
      const key = keyOf(service);
      const before = services.get(key);
      count(handles, labelsOf(service), { decisions, before, ledger });
      services.set(key, see(ledger, decisions, before));
      show(service);
    },
    show,
    forget: (service) => {
      services.delete(keyOf(service));
    },
  };
}

function keyOf({ namespace, name }: ServiceName): string {
  return `${namespace}/${name}`;
}

type ServiceLabels = Readonly<Record<'model_namespace' | 'model', string>>;

function labelsOf({ namespace, name }: ServiceName): ServiceLabels {
  return { model_namespace: namespace, model: name };
}

function showLedger(handles: MetricHandles, labels: ServiceLabels, ledger: Ledger): void {
  const stage = ledger.stage.toLowerCase();
  for (const state of OPERATOR_METRICS.serviceState.labels.state) {
    handles.serviceState.set({ ...labels, state }, state === stage ? 1 : 0);
  }
  const distance = alarmDistance(ledger);
  if (distance !== null) handles.serviceDetector.set(labels, distance);
  const evidence = ledger.candidate?.evidence ?? null;
  if (evidence !== null) {
    handles.serviceEvidence.set({ ...labels, track: 'candidate' }, auditedRows(evidence));
  }
  const needed = evidence === null ? null : nextLookRows(evidence);
  if (needed !== null) handles.serviceEvidenceNeeded.set(labels, needed);
}

function see(ledger: Ledger, decisions: readonly Decision[], before: Seen | undefined): Seen {
  const { candidate, stage, stageSinceMs, training } = ledger;
  const started = decisions.findLast(({ reason }) => reason === 'TrainingStarted')?.nowMs;
  const known = stage === 'Training' ? stageSinceMs : (before?.trainingSinceMs ?? null);
  return {
    ledger,
    candidate: candidate && {
      headRevision: candidate.headRevision,
      sinceMs: sinceOf(candidate, before) ?? stageSinceMs,
    },
    trainingSinceMs: training.request === null ? null : (started ?? known),
  };
}

/** The evidence of new heads begins with them; a ramp of the same heads begins when it is first seen. */
function sinceOf(
  { headRevision, evidence }: NonNullable<Ledger['candidate']>,
  before: Seen | undefined,
): number | undefined {
  if (before?.candidate?.headRevision === headRevision) return before.candidate.sinceMs;
  return evidence?.startedAtMs;
}

interface Told {
  readonly decisions: readonly Decision[];
  readonly before: Seen | undefined;
  /** Where they led. */
  readonly ledger: Ledger;
}

function count(handles: MetricHandles, labels: ServiceLabels, told: Told): void {
  const certified = new Set<string>();
  for (const decision of told.decisions) {
    const { reason, headRevision } = decision;
    const cause = ALARMS[reason];
    if (cause !== undefined) handles.alarms.inc({ ...labels, cause });
    const verdict = VERDICTS[reason];
    // A ramp begins with the certificate that was just told.
    const isTold = verdict === 'passed' && certified.has(String(headRevision));
    if (verdict !== undefined && !isTold) handles.certificates.inc({ ...labels, result: verdict });
    if (verdict === 'passed') certified.add(String(headRevision));
    countTraining(handles, labels, decision, told);
    countRollout(handles, labels, decision, told);
  }
}

/** A word about both kinds tells itself apart by the revision that it names. */
function countTraining(
  handles: MetricHandles,
  labels: ServiceLabels,
  { reason, headRevision, nowMs }: Decision,
  { before }: Told,
): void {
  const isTraining = headRevision === null || reason === 'TrainingSucceeded';
  const result = isTraining ? TRAINING_ENDS[reason] : undefined;
  if (result === undefined) return;
  handles.trainingRuns.inc({ ...labels, result });
  const sinceMs = before?.trainingSinceMs ?? null;
  if (sinceMs !== null) handles.trainingDuration.observe({ result }, (nowMs - sinceMs) / 1000);
}

/** Only what ended a candidate: the same words are said of the heads in force, and of a step that holds. */
function countRollout(
  handles: MetricHandles,
  labels: ServiceLabels,
  decision: Decision,
  { before, ledger }: Told,
): void {
  const { reason, headRevision, nowMs } = decision;
  const candidate = before?.candidate ?? null;
  const result = ROLLOUT_ENDS[reason];
  const isOver = ledger.candidate?.headRevision !== headRevision;
  if (result === undefined || !isOver || candidate?.headRevision !== headRevision) return;
  handles.rollouts.inc({ ...labels, result });
  const cause = abortCauseOf(decision);
  if (cause !== null) handles.rolloutAborts.inc({ cause });
  handles.rolloutDuration.observe({ result }, (nowMs - candidate.sinceMs) / 1000);
}
