// How much more traffic a certificate would take: for people whose stream ended too early.
import { LAST_LOOK, lookSizes, reassessLook } from '../stats/looks.ts';
import { predictedSaving } from '../stats/cost.ts';
import { dispersionOf } from '../stats/dispersion.ts';
import { auditedRows, auditShare, latestLook } from './attempts.ts';
import { evidenceOf } from './candidates.ts';
import { collectedRows } from './collected-rows.ts';
import { trainingCause } from './collecting.ts';
import type { Attempt, Ledger } from './ledger.ts';
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
      ? `bring the next look, at ${count(rows)} audited rows; with as many disagreements as so far it would not pass`
      : `bring the look at ${count(rows)} audited rows, which the answers so far would pass`;
  return toMore(ledger, requests, what, passing !== undefined);
}

function beforeTraining(ledger: Ledger, input: LifecycleInput): MoreTraffic {
  const recorded = collectedRows({ input }, trainingCause(ledger));
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

interface LookAhead {
  readonly look: number;
  readonly rows: number;
}

function looksAhead(evidence: Attempt): readonly LookAhead[] {
  const taken = latestLook(evidence)?.look ?? 0;
  return lookSizes(evidence.firstLookRows)
    .map((rows, index) => ({ look: index + 1, rows }))
    .slice(taken, LAST_LOOK);
}

/** The counts so far, scaled to the size of a look, against its test and the least saving. */
function wouldPass(
  evidence: Attempt,
  { look, rows }: LookAhead,
  facts: HeadRevisionFacts | null,
  { settings }: LifecycleInput,
): boolean {
  const { closed } = evidence.blocks;
  if (closed.n === 0 || facts === null) return false;
  const factor = Math.max(1, rows / closed.n);
  const scale = (column: readonly number[]): number[] => column.map((k) => Math.ceil(k * factor));
  const n = Math.ceil(closed.n * factor);
  const grid = { n, dis: scale(closed.dis), leave: closed.leave.map(scale) };
  const dispersion = dispersionOf(evidence.blocks);
  const lambdaIndex = reassessLook({ look, grid, dispersion, flagged: null }, evidence);
  if (lambdaIndex === null) return false;
  const activeExits = facts.exits.length;
  const saving = predictedSaving(grid, lambdaIndex, { pathCost: facts.pathCost, activeExits });
  return saving >= settings.minSaving;
}
