// How much more traffic a certificate would take: for people whose stream ended too early.
import { measureOf } from '../../crds/wire/measure.ts';
import { predictedSaving } from '../stats/cost.ts';
import { auditedRows, auditShare } from './attempts.ts';
import { evidenceOf } from './candidates.ts';
import { countCollected } from './collected-rows.ts';
import { trainingCause } from './collecting.ts';
import type { Attempt, Ledger } from './ledger.ts';
import { looksAhead, outcomeAhead, type LookAhead } from './looks-ahead.ts';
import { count } from './text.ts';
import type { HeadRevisionFacts, LifecycleInput, MoreTraffic } from './types.ts';

/**
 * Requests until the first look that the disagreements so far, scaled up to its size, would pass with a saving that pays; until
 * the next look when none would. While collecting: until the first look of the heads to come. Null when no look is left.
 */
export function estimateMore(ledger: Ledger, input: LifecycleInput): MoreTraffic | null {
  const attempt = runningAttempt(ledger);
  if (attempt === null) return beforeTraining(ledger, input);
  const { evidence, headRevision } = attempt;
  const facts = input.revisions.find((known) => known.headRevision === headRevision) ?? null;
  const ahead = looksAhead(evidence);
  const next = ahead[0];
  if (next === undefined) return null;
  const passing = ahead.find((look) => wouldPass(evidence, look, facts, input));
  const { rows } = passing ?? next;
  const requests = Math.ceil(Math.max(0, rows - auditedRows(evidence)) / auditShare(evidence));
  const what =
    passing === undefined
      ? `bring the next look, at ${count(rows)} audited rows; with ${measureOf(evidence).asMuch} as so far it would not pass`
      : `bring the look at ${count(rows)} audited rows, which the answers so far would pass`;
  return toMore(ledger, requests, what, passing !== undefined);
}

function beforeTraining(ledger: Ledger, input: LifecycleInput): MoreTraffic {
  const { rows: recorded } = countCollected(ledger, input, trainingCause(ledger));
  const missing = Math.max(0, input.collectRows - recorded) + input.settings.minAudits;
  return toMore(ledger, missing, 'would train heads and bring their first look', false);
}

/** Rows per second below which a time is no estimate. */
const LEAST_RATE = 0.001;

function toMore(ledger: Ledger, requests: number, what: string, isLikely: boolean): MoreTraffic {
  const rate = ledger.traffic.rowsPerSecond ?? 0;
  // The rate of a stream that was held fades away: nothing follows from what is left of it.
  const seconds = rate >= LEAST_RATE ? Math.ceil(requests / rate) : null;
  const time = seconds === null ? '' : `, about ${count(seconds)} s at the rate so far,`;
  const message = `${count(requests)} more requests${time} ${what}.`;
  return { requests, seconds, isLikely, message };
}

function runningAttempt(
  ledger: Ledger,
): { readonly evidence: Attempt; readonly headRevision: string } | null {
  const { candidate, stable } = ledger;
  if (candidate !== null) {
    return { evidence: evidenceOf(ledger, candidate), headRevision: candidate.headRevision };
  }
  return stable;
}

/** Whether a look would pass on the counts so far, and with a saving that pays. */
function wouldPass(
  evidence: Attempt,
  look: LookAhead,
  facts: HeadRevisionFacts | null,
  { settings }: LifecycleInput,
): boolean {
  const outcome = outcomeAhead(evidence, look);
  if (outcome === null || facts === null) return false;
  const { pathCost, exits } = facts;
  const costs = { pathCost, activeExits: exits.length };
  return predictedSaving(outcome.grid, outcome.lambdaIndex, costs) >= settings.minSaving;
}
