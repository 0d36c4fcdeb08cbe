import { abort } from './candidates.ts';
import type { Draft } from './draft.ts';
import { MAX_CRASHES } from './staging.ts';
import type { Tick } from './tick.ts';

/** A candidate that pods crashed on twice within two minutes of its load goes (reliability.md P1). */
export function noticeCrashes(draft: Draft, tick: Tick): Draft {
  const { candidate } = draft.ledger;
  if (candidate === null || candidate.crashes < MAX_CRASHES) return draft;
  return abort(draft, candidate, tick, {
    reason: 'CrashedPods',
    message: `Pods restarted ${String(candidate.crashes)} times within two minutes of loading the candidate.`,
    details: { crashes: candidate.crashes },
  });
}
