import type { Reason } from '../../../crds/v1alpha1/reasons.ts';
import type { PageDecision } from '../page/state/page-state.ts';

const TONES: Partial<Record<Reason, PageDecision['tone']>> = {
  Alarm: 'Alarm',
  BudgetExceeded: 'Alarm',
  EvidenceVoid: 'Alarm',
  ExitsDisabled: 'Alarm',
  KnownAnswerMismatch: 'Alarm',
  CrashedPods: 'Warning',
  DriftHint: 'Warning',
  Inconclusive: 'Warning',
  InsufficientSamples: 'Warning',
  LambdaTightened: 'Warning',
  LoadFailed: 'Warning',
  NotBetter: 'Warning',
  PodDeviates: 'Warning',
  NotCertified: 'Warning',
  NotWorthwhile: 'Warning',
  RolloutAborted: 'Warning',
  TooFewRows: 'Warning',
  TrainingFailed: 'Warning',
  Certified: 'Good',
  ExitsEnabled: 'Good',
  RolloutPromoted: 'Good',
  RolloutStepAdvanced: 'Good',
  TrainingSucceeded: 'Good',
};

/** How a decision is shown; it decides nothing. */
export function toneOf(reason: Reason): PageDecision['tone'] {
  return TONES[reason] ?? 'Neutral';
}
