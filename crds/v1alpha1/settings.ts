import type { CachedModelService } from './cached-model-service.ts';
import type { AgreementName } from '../wire/agreement.ts';
import type { ExitMode, PolicyLimits } from '../wire/policy.ts';

/** A check of the ramp against stable; ErrorRate and Saving in points, latency relative. */
export interface RolloutCheck {
  readonly type: 'ErrorRate' | 'LatencyP50' | 'LatencyP99' | 'Saving';
  readonly maxRegression: number;
}

/** The parts of a CachedModelService that decide anything, in base units. Ratios are 0..1. */
export interface ServiceSettings {
  readonly model: string;
  readonly budget: number;
  readonly confidence: number;
  /** What the budget bounds: the share of other answers, or the mean F1 loss of boxes. */
  readonly agreement: AgreementName;
  readonly auditRate: number;
  readonly minAudits: number;
  readonly exitMode: ExitMode;
  readonly maxActiveExits: number;
  readonly minSaving: number;
  readonly maxOverhead: number;
  readonly steps: readonly { readonly share: number; readonly holdMs: number }[];
  readonly minRequests: number;
  readonly checks: readonly RolloutCheck[];
  /** False: a certified candidate goes on shadowing, for people to accept. */
  readonly rollsOut: boolean;
  readonly paused: boolean;
  readonly stepDeadlineMs: number;
  readonly onInconclusive: 'Hold' | 'Abort';
  /** For loading a candidate: on the pod that has it first, and then on the others. */
  readonly loadDeadlineMs: number;
  readonly trainingMode: 'Auto' | 'Off';
  readonly triggers: readonly ('Alarm' | 'SavingLoss' | 'NewData')[];
  readonly cooldownMs: number;
  readonly maxAgeSeconds: number;
  readonly limits: PolicyLimits;
}

const CLUSTER_STEPS: ServiceSettings['steps'] = [
  { share: 0.05, holdMs: 600_000 },
  { share: 0.25, holdMs: 600_000 },
  { share: 0.5, holdMs: 600_000 },
  { share: 1, holdMs: 1_800_000 },
];

/** On one machine nobody waits for a quiet hour; samples, confidence and budget are never shortened. */
const LOCAL_STEPS: ServiceSettings['steps'] = [
  { share: 0.25, holdMs: 0 },
  { share: 1, holdMs: 0 },
];

const DEFAULT_CHECKS: readonly RolloutCheck[] = [
  { type: 'ErrorRate', maxRegression: 0.001 },
  { type: 'LatencyP99', maxRegression: 0.05 },
];

const CPU_ACTIVE_EXITS = 3;

/** First look of the certificate: 10 / budget rows, between 300 and 30,000 (a budget of 0 is never tested). */
function defaultMinAudits(budget: number): number {
  return Math.min(30_000, Math.max(300, Math.round(10 / budget)));
}

/**
 * Settings of a parsed manifest with every computed default filled in.
 * @param mode `local`: the ramp's default is 25 and 100 % without holds instead of the cluster's four held steps.
 */
export function toServiceSettings(
  service: CachedModelService,
  mode: { readonly local: boolean },
): ServiceSettings {
  const { accuracy, tuning, heads, rollout, server, exitMode } = service.spec;
  const defaultSteps = mode.local ? LOCAL_STEPS : CLUSTER_STEPS;
  return {
    model: service.spec.modelName ?? service.metadata.name,
    budget: accuracy.maxDisagreement,
    confidence: accuracy.confidence,
    agreement: accuracy.agreement,
    auditRate: accuracy.auditRate,
    minAudits: accuracy.minAudits ?? defaultMinAudits(accuracy.maxDisagreement),
    exitMode,
    maxActiveExits: tuning.maxActiveExits ?? CPU_ACTIVE_EXITS,
    minSaving: tuning.minSaving,
    maxOverhead: tuning.maxOverhead,
    steps: rollout.steps?.map(({ share, hold }) => ({ share, holdMs: hold })) ?? defaultSteps,
    minRequests: rollout.minRequests,
    checks: rollout.checks ?? DEFAULT_CHECKS,
    rollsOut: tuning.mode !== 'Recommend',
    paused: rollout.paused,
    stepDeadlineMs: rollout.stepDeadline,
    onInconclusive: rollout.onInconclusive,
    loadDeadlineMs: rollout.progressDeadline,
    trainingMode: tuning.mode === 'Off' ? 'Off' : heads.training.mode,
    triggers: heads.training.triggers,
    cooldownMs: heads.training.cooldown,
    maxAgeSeconds: Math.ceil(server.policyMaxAge / 1000),
    limits: {
      maxBatchSize: server.batching.maxBatchSize,
      maxQueueDelayMs: server.batching.maxQueueDelay,
      maxQueueLength: server.batching.maxQueueLength,
      maxRequestBytes: server.limits.maxRequestSize,
      maxConcurrentRequests: server.limits.maxConcurrentRequests,
      requestTimeoutMs: server.limits.requestTimeout,
    },
  };
}
