import type { KnownAnswer } from '../crds/wire/acknowledgement.ts';
import type { Track } from '../crds/wire/evidence.ts';
import type { Policy, PolicyLimits } from '../crds/wire/policy.ts';
import type { CostTable } from '../crds/wire/state.ts';
import type { EnginePlan, PlannedTrack } from './engine/engine-client.ts';

/** Limits before the first policy: the API's defaults. */
export const DEFAULT_LIMITS: PolicyLimits = {
  maxBatchSize: 32,
  maxQueueDelayMs: 2,
  maxQueueLength: 1024,
  maxRequestBytes: 16 * 2 ** 20,
  maxConcurrentRequests: 256,
  requestTimeoutMs: 30_000,
};

/**
 * Everything a batch needs to know, immutable: a batch uses exactly one snapshot, and a swap is one assignment between
 * batches. Exits in `plan` are already cut by mode, breaker and numeric bursts.
 */
export interface Serving {
  readonly policy: Policy | null;
  readonly planId: number;
  readonly plan: EnginePlan;
  readonly costs: CostTable;
  readonly knownAnswers: readonly KnownAnswer[];
  /** After CandidateMissing and staleness. */
  readonly candidateShare: number;
  /** Tracks on which nothing may leave, although the plan could: breaker, stale policy, a cut being prepared. */
  readonly held: ReadonlySet<Track>;
}

export function limitsOf(serving: Serving | null): PolicyLimits {
  return serving?.policy?.limits ?? DEFAULT_LIMITS;
}

/** `epoch.revision` as responses carry it; 0.0 before the first policy. */
export function policyLabel(serving: Serving): string {
  return serving.policy === null ? '0.0' : `${serving.policy.epoch}.${serving.policy.revision}`;
}

export function trackOf(serving: Serving, track: Track): PlannedTrack | null {
  return serving.plan.tracks.find((planned) => planned.track === track) ?? null;
}

/** Exits that may answer on the track now: after policy, mode, cuts and holds. */
export function answeringExits(serving: Serving, track: Track): readonly string[] {
  const planned = trackOf(serving, track);
  const mayLeave = (planned?.lambdaIndex ?? null) !== null && !serving.held.has(track);
  return mayLeave ? (planned?.activeExits ?? []) : [];
}

export interface ServingControl {
  /** Null until the first plan is prepared, and between an engine's death and its next plan. */
  current(): Serving | null;
  /** The snapshot last in force, also while the engine is down: what state and evidence describe. */
  latest(): Serving | null;
  /** Takes the snapshot for one batch; give it back with `release`. */
  acquire(): Serving | null;
  release(serving: Serving): void;
  /** Times that a snapshot was taken for a batch. */
  taken(): number;
  swap(next: Serving): void;
  /** The engine lost all its plans; nothing is current until the next swap. */
  forgetPlans(): void;
  onSwap(listener: (serving: Serving) => void): void;
}

/** Holds the snapshot in force and counts the batches on each plan: a plan is released when no batch uses it. */
export function createServingControl(releasePlan: (planId: number) => void): ServingControl {
  let current: Serving | null = null;
  let latest: Serving | null = null;
  let uses = new Map<number, number>();
  let taken = 0;
  const listeners: ((serving: Serving) => void)[] = [];

  function releaseIfUnused(planId: number): void {
    if (uses.get(planId) !== 0 || planId === current?.planId) return;
    uses.delete(planId);
    releasePlan(planId);
  }

  return {
    current: () => current,
    latest: () => latest,
    acquire: () => {
      taken += 1;
      if (current !== null) uses.set(current.planId, (uses.get(current.planId) ?? 0) + 1);
      return current;
    },
    release: ({ planId }) => {
      const count = uses.get(planId);
      // A plan of an engine that died is not counted any more.
      if (count === undefined) return;
      uses.set(planId, count - 1);
      releaseIfUnused(planId);
    },
    taken: () => taken,
    swap: (next) => {
      const former = current;
      current = next;
      latest = next;
      if (!uses.has(next.planId)) uses.set(next.planId, 0);
      if (former !== null) releaseIfUnused(former.planId);
      for (const listener of listeners) listener(next);
    },
    forgetPlans: () => {
      current = null;
      uses = new Map();
    },
    onSwap: (listener) => {
      listeners.push(listener);
    },
  };
}
