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
  readonly auditRate: number;
  readonly minAudits: number;
  readonly exitMode: ExitMode;
  readonly maxActiveExits: number;
  readonly minSaving: number;
  readonly maxOverhead: number;
  readonly steps: readonly { readonly share: number; readonly holdMs: number }[];
  readonly minRequests: number;
  readonly checks: readonly RolloutCheck[];
  readonly paused: boolean;
  readonly stepDeadlineMs: number;
  readonly onInconclusive: 'Hold' | 'Abort';
  readonly trainingMode: 'Auto' | 'Off';
  readonly triggers: readonly ('Alarm' | 'SavingLoss' | 'NewData')[];
  readonly cooldownMs: number;
  readonly maxAgeSeconds: number;
  readonly limits: PolicyLimits;
}
