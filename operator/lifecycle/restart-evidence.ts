// Evidence that does not count any more. Looks taken on it are spent: the rows that follow belong to the next attempt.
import { startAttempt } from './attempts.ts';
import { restStage } from './candidates.ts';
import { change, enter, type Draft } from './draft.ts';
import type { Attempt, CandidateRecord, StableRecord } from './ledger.ts';
import type { Tick } from './tick.ts';

/** Rows start from zero under the terms of now; an attempt that took a look is spent, and the next one begins. */
function restart(
  draft: Draft,
  attempt: Attempt,
  tick: Tick,
): { readonly draft: Draft; readonly evidence: Attempt } {
  const { episode } = draft.ledger;
  const { looks, blocks } = attempt;
  const isSpent = looks.length > 0;
  const attempts = isSpent ? episode.attempts + 1 : episode.attempts;
  const start = {
    attempt: isSpent ? attempts : attempt.attempt,
    exitCount: blocks.open.leave.length,
    lookScale: episode.lookScale,
    nowMs: tick.nowMs,
  };
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
