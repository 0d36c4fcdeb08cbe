// Heads that served before come back at once, with the certificate they had.
import { supersede } from './candidates.ts';
import { freshDetector } from './count-stable.ts';
import { change, enter, type Draft } from './draft.ts';
import type { PreviousRecord, StableRecord } from './ledger.ts';
import { factsOf, type Tick } from './tick.ts';

const RETURN_MS = 30 * 86_400_000;

/** They were replaced within 30 days, were not voided, and are still there. */
export function mayReturn({ stable, retiredAtMs }: PreviousRecord, tick: Tick): boolean {
  const isYoung = tick.nowMs - retiredAtMs < RETURN_MS;
  return isYoung && stable.certificate !== null && factsOf(tick, stable.headRevision) !== null;
}

/** They serve all traffic; a candidate is dropped, not failed, and a training is not waited for any more. */
export function returnTo(draft: Draft, before: StableRecord, tick: Tick, message: string): Draft {
  const { candidate, training } = draft.ledger;
  const alone = candidate === null ? draft : supersede(draft, candidate, tick, message);
  const back = change(alone, {
    stable: {
      ...before,
      detector: freshDetector(before.evidence.budget),
      day: { sinceMs: tick.nowMs, audits: 0 },
    },
    candidate: null,
    previous: null,
    training: { ...training, request: null },
  });
  return enter(back, tick.nowMs, 'Serving');
}
