// `heads.revision`: heads that a person chose go through staging, shadow and certificate like any, and are compared with nothing.
import { restStage, stageNew, supersede } from './candidates.ts';
import { change, enter, say, type Draft } from './draft.ts';
import { hasFailed } from './failed-heads.ts';
import { mayReturn, returnTo } from './return-to.ts';
import { factsOf, type Tick } from './tick.ts';
import type { HeadRevisionFacts } from './types.ts';

/** Whether these are the pinned heads. */
export function isPinned(headRevision: string, { input }: Tick): boolean {
  return input.pin?.headRevision === headRevision;
}

/** Pinned heads that may become the candidate: null when they are not there, or failed. */
function comingHeads(draft: Draft, headRevision: string, tick: Tick): HeadRevisionFacts | null {
  return hasFailed(draft.ledger, headRevision) ? null : factsOf(tick, headRevision);
}

/** Makes the pinned heads the candidate, unless they serve, failed, or are not there. Other candidates give way. */
export function followPin(draft: Draft, tick: Tick): Draft {
  const headRevision = tick.input.pin?.headRevision ?? null;
  if (headRevision === null || draft.ledger.stage === 'Idle') return draft;
  const alone = dropOthers(draft, headRevision, tick);
  const { stable, candidate } = alone.ledger;
  const isThere = [stable, candidate].some((track) => track?.headRevision === headRevision);
  return isThere ? alone : bringIn(alone, headRevision, tick);
}

function dropOthers(draft: Draft, headRevision: string, tick: Tick): Draft {
  const { candidate } = draft.ledger;
  if (candidate === null || candidate.headRevision === headRevision) return draft;
  // Stable's own heads at another lambda would be back with the next pass: they go for heads that can come only.
  if (candidate.kind !== 'New' && comingHeads(draft, headRevision, tick) === null) return draft;
  const gone = supersede(draft, candidate, tick, 'heads.revision names other heads.');
  return enter(gone, tick.nowMs, restStage(gone.ledger));
}

function bringIn(draft: Draft, headRevision: string, tick: Tick): Draft {
  const facts = comingHeads(draft, headRevision, tick);
  if (facts === null) return draft;
  const { previous, training } = draft.ledger;
  if (previous?.stable.headRevision === headRevision && mayReturn(previous, tick)) {
    const message = 'The pinned heads served before and serve again.';
    return say(returnTo(draft, previous.stable, tick, message), tick.nowMs, {
      ...{ reason: 'RolloutPromoted', message, headRevision },
    });
  }
  const paused = change(draft, { training: { ...training, request: null } });
  return say(stageNew(paused, facts, tick), tick.nowMs, {
    reason: 'Staging',
    message: 'The heads of heads.revision are the candidate now; training pauses.',
    headRevision,
  });
}
