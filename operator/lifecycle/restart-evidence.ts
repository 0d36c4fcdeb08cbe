// Evidence that does not count any more. Looks taken on it are spent: the rows that follow belong to the next attempt.
import { restartRows, startAttempt } from './attempts.ts';
import { restStage } from './candidates.ts';
import { change, enter, type Draft } from './draft.ts';
import type { Attempt, CandidateRecord, StableRecord } from './ledger.ts';
import type { Tick } from './tick.ts';

/** Rows of an attempt start from zero; the attempt too, if it took a look. Returns the draft that counts it. */
function restart(
  draft: Draft,
  attempt: Attempt,
  tick: Tick,
): { readonly draft: Draft; readonly evidence: Attempt } {
  if (attempt.looks.length === 0) return { draft, evidence: restartRows(attempt, tick.nowMs) };
  const { episode } = draft.ledger;
  const attempts = episode.attempts + 1;
  const exitCount = attempt.blocks.open.leave.length;
  const start = { attempt: attempts, exitCount, lookScale: episode.lookScale, nowMs: tick.nowMs };
  return {
    draft: change(draft, { episode: { ...episode, attempts } }),
    evidence: startAttempt(tick.input.settings, start),
  };
}

/** Stable without a certificate begins to collect anew. */
export function restartStable(draft: Draft, stable: StableRecord, tick: Tick): Draft {
  const { draft: counted, evidence } = restart(draft, stable.evidence, tick);
  return change(counted, { stable: { ...stable, evidence } });
}

/** Fresh heads go back into the shadow without a lambda; stable's own heads go back to stable. */
export function restartCandidate(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  if (candidate.evidence === null) {
    const gone = change(draft, { candidate: null });
    return enter(gone, tick.nowMs, restStage(gone.ledger));
  }
  const { draft: counted, evidence } = restart(draft, candidate.evidence, tick);
  const none = { lambdaIndex: null, certificate: null, ramp: null, paired: null };
  const back = change(counted, { candidate: { ...candidate, ...none, evidence } });
  return draft.ledger.stage === 'Ramping' ? enter(back, tick.nowMs, 'Shadowing') : back;
}
