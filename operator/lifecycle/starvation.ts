// A certificate that nobody audits proves less every day (reliability.md B4).
import { change, say, type Draft } from './draft.ts';
import type { StableRecord } from './ledger.ts';
import { count } from './text.ts';
import type { Tick } from './tick.ts';

const DAY_MS = 86_400_000;

/** Least audited rows a day that a certificate is watched with: ln delta / ln (1 - budget); 299 at 1 % and 95 %. */
export function leastAuditsADay(budget: number, confidence: number): number {
  return Math.ceil(Math.log(1 - confidence) / Math.log(1 - budget));
}

/** Exits go off after a day with too few audits, and on again as soon as a day has enough. */
export function noticeStarvation(draft: Draft, tick: Tick): Draft {
  const { stable } = draft.ledger;
  return stable === null || stable.off === 'NotWorthwhile' ? draft : watchDay(draft, stable, tick);
}

function watchDay(draft: Draft, stable: StableRecord, tick: Tick): Draft {
  if (stable.certificate === null) return draft;
  const { budget, confidence } = stable.evidence;
  const least = leastAuditsADay(budget, confidence);
  const isFed = stable.day.audits >= least;
  if (isFed && stable.off !== null) return change(draft, { stable: { ...stable, off: null } });
  if (tick.nowMs - stable.day.sinceMs < DAY_MS) return draft;
  if (!isFed && stable.off === null) return starve(draft, stable, tick, least);
  return change(draft, { stable: { ...stable, day: { sinceMs: tick.nowMs, audits: 0 } } });
}

function starve(draft: Draft, stable: StableRecord, tick: Tick, least: number): Draft {
  const { audits } = stable.day;
  const day = { sinceMs: tick.nowMs, audits: 0 };
  const off = change(draft, { stable: { ...stable, day, off: 'InsufficientSamples' } });
  return say(off, tick.nowMs, {
    reason: 'InsufficientSamples',
    message: `Exits are off: ${count(audits)} audited rows in 24 h, at least ${count(least)} are needed to watch the budget.`,
    headRevision: stable.headRevision,
    details: { audits, least },
  });
}
