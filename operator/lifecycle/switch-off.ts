// Exits of stable go off in the next policy. Only a new certificate, on rows after it, brings them back.
import type { Reason } from '../../crds/v1alpha1/reasons.ts';
import { startAttempt } from './attempts.ts';
import { change, enter, say, type Draft } from './draft.ts';
import { addFailed } from './failed-heads.ts';
import { predictSaving } from './heads.ts';
import { NO_LOST, NO_SAVINGS, type Ledger, type StableRecord } from './ledger.ts';
import { highestPair, type Tick } from './tick.ts';
import type { Decision } from './types.ts';

/** Why a certificate is void. */
export interface SwitchOff {
  readonly reason: Reason;
  readonly message: string;
  readonly details: Decision['details'];
}

/**
 * Voids stable's certificate and begins a new episode on rows of later policies: the same heads are tested again. A candidate
 * and a training of before describe traffic that is gone: they are dropped, not failed.
 */
export function voidCertificate(
  draft: Draft,
  stable: StableRecord,
  tick: Tick,
  why: SwitchOff,
): Draft {
  const { candidate, training } = draft.ledger;
  const attempt = { attempt: 1, exitCount: stable.exits.length, lookScale: 1, nowMs: tick.nowMs };
  const off = change(draft, {
    stable: {
      ...withoutCertificate(stable, tick, why.reason),
      evidence: startAttempt(tick.input.settings, attempt),
    },
    candidate: null,
    episode: { attempts: 1, lookScale: 1 },
    training: { ...training, request: null },
    fence: nextFence(draft.ledger, tick),
    lost: NO_LOST,
    saving: NO_SAVINGS,
    hint: { strikes: 0, untilMs: 0 },
  });
  const { headRevision } = stable;
  const said = say(enter(off, tick.nowMs, 'Recertifying'), tick.nowMs, { ...why, headRevision });
  if (candidate?.kind !== 'New') return said;
  return say(said, tick.nowMs, {
    reason: 'Superseded',
    message: 'The candidate is dropped: its evidence is older than the switch-off.',
    headRevision: candidate.headRevision,
  });
}

/** Stable that may not answer; its evidence stays as it is. */
export function withoutCertificate(stable: StableRecord, tick: Tick, reason: Reason): StableRecord {
  const saving = predictSaving(stable.evidence, stable.lambdaIndex, stable.headRevision, tick);
  return {
    ...stable,
    lambdaIndex: null,
    certificate: null,
    detector: null,
    off: reason,
    savingBefore: saving ?? stable.savingBefore,
  };
}

/** Rows of the policy in force now are before the switch-off, unless its exits are off already. */
function nextFence(ledger: Ledger, tick: Tick): Ledger['fence'] {
  return ledger.exitsEnabled ? highestPair(tick) : ledger.fence;
}

/** Drops stable for good: its digest is remembered and heads are missing from now on. */
export function failStable(draft: Draft, stable: StableRecord, tick: Tick, why: SwitchOff): Draft {
  const { headRevision } = stable;
  const { failed } = draft.ledger;
  const gone = change(draft, {
    stable: null,
    failed: addFailed(failed, { headRevision, reason: why.reason, atMs: tick.nowMs }),
  });
  return say(enter(gone, tick.nowMs, 'Collecting'), tick.nowMs, { ...why, headRevision });
}
