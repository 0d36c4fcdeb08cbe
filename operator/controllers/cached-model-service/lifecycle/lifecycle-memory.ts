import type { HeadBundle } from '../../../../crds/wire/head-bundle.ts';
import { emptyLedger, type Attempt, type Ledger } from '../../../lifecycle/ledger.ts';
import type { Outcomes } from './status/outcomes.ts';
import type { Decision, HeadRevisionFacts, LifecycleInput } from '../../../lifecycle/types.ts';

/** A head bundle whose digest was verified, with what is asked of it again and again. */
export interface HeadFile {
  readonly headRevision: string;
  readonly bytes: Uint8Array;
  /** Null: it lies in a remote store, and not beside the policy. */
  readonly base64: string | null;
  /** Its place in a remote store; null: it lies in a ConfigMap. */
  readonly uri: string | null;
  readonly bundle: HeadBundle;
  readonly knownAnswers: HeadRevisionFacts['knownAnswers'];
}

/** A version of the ledger's ConfigMap. */
export interface LedgerVersion {
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

/**
 * The ledger that one process works with, ahead of the stored one by rows at most: whatever acts is stored first. Losing it
 * costs a second pull, since pods keep their windows for half an hour.
 */
export interface LifecycleMemory {
  /** Null: to be read from the API server. */
  ledger: Ledger | null;
  /** What `ledger` was stored as last; null: never by this process, or not since it was read. */
  stored: LedgerVersion | null;
  /** Everything but counts, as stored last. */
  structure: string;
  storedMs: number;
  /** Rows were counted that are not stored. */
  hasUnstoredRows: boolean;
  /** Made, and not told before the ledger that holds them is stored. */
  untold: Decision[];
  /** Stored, and not in a status yet: one that was written a moment ago makes the next one wait. */
  unshown: readonly Decision[];
  countedMs: number;
  input: LifecycleInput | null;
  /** How the last rollout and training ended; null: as the status has it. */
  outcomes: Outcomes | null;
  readonly heads: Map<string, HeadFile>;
  /** Monotonic time until which a bundle that is not there is not asked for again. */
  readonly absentUntilMs: Map<string, number>;
}

export function newLifecycleMemory(): LifecycleMemory {
  return {
    ledger: null,
    stored: null,
    structure: structureOf(emptyLedger()),
    storedMs: -Infinity,
    hasUnstoredRows: false,
    untold: [],
    unshown: [],
    countedMs: -Infinity,
    input: null,
    outcomes: null,
    heads: new Map(),
    absentUntilMs: new Map(),
  };
}

/** Forgets what was counted, for a ledger that somebody else wrote meanwhile; verified bundles stay. */
export function forgetLedger(memory: LifecycleMemory): void {
  const { heads, absentUntilMs } = memory;
  Object.assign(memory, { ...newLifecycleMemory(), heads, absentUntilMs });
}

/** What a ledger says beyond counts: whatever a policy, a training or a word to people rests on. */
export function structureOf(ledger: Ledger): string {
  const { stage, backboneKey, episode, training, failed, alarms, fence, exitsEnabled } = ledger;
  const { stable, candidate, request, previous } = ledger;
  return JSON.stringify([
    { stage, backboneKey, episode, training, failed, alarms, fence, exitsEnabled, request },
    previous && [previous.stable.headRevision, previous.retiredAtMs],
    stable && [stable.headRevision, stable.lambdaIndex, stable.off, stable.raiseBlocked],
    stable && looksOf(stable.evidence),
    candidate && [candidate.headRevision, candidate.kind, candidate.lambdaIndex],
    candidate && [
      looksOf(candidate.evidence),
      candidate.crashes,
      candidate.first,
      rampOf(candidate.ramp),
    ],
  ]);
}

function looksOf(evidence: Attempt | null): unknown {
  if (evidence === null) return null;
  const { attempt, budget, confidence, startedAtMs, looks } = evidence;
  const taken = looks.map(({ look, lambdaIndex, takenAtMs }) => [look, lambdaIndex, takenAtMs]);
  return [attempt, budget, confidence, startedAtMs, taken];
}

function rampOf(ramp: NonNullable<Ledger['candidate']>['ramp']): unknown {
  return ramp && [ramp.share, ramp.sinceMs, ramp.failing, ramp.isOverdue];
}
