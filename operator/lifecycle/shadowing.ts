// Shadowing: heads run on audited rows and answer nothing, until a look certifies a lambda that pays, or no look is left.
import { disagreementsAt } from '../stats/grid-column.ts';
import { comparePaired } from '../stats/paired.ts';
import { agreementOf } from '../../server/core/agreement.ts';
import { invariant } from '../../server/core/invariant.ts';
import { isExhausted, latestLook, restartRows } from './attempts.ts';
import { abort, evidenceOf, startRamp, type Abort } from './candidates.ts';
import { change, say, type Draft } from './draft.ts';
import { predictSaving } from './heads.ts';
import { isPinned } from './pinned.ts';
import type { Attempt, CandidateRecord, Ledger, PairedRecord } from './ledger.ts';
import { count, disagreementText, lambdaText, percent } from './text.ts';
import type { Tick } from './tick.ts';

const FIRST_LOOK_DEADLINE_MS = 604_800_000;

/** Moves a certified candidate that pays on to the ramp; rejects one that cannot any more. */
export function shadowing(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  const { settings } = tick.input;
  const evidence = evidenceOf(draft.ledger, candidate);
  const saving = predictSaving(evidence, candidate.lambdaIndex, candidate.headRevision, tick);
  const isPaying = saving !== null && saving >= settings.minSaving;
  if (!isPaying && isExhausted(evidence)) {
    return abort(
      draft,
      candidate,
      tick,
      rejection(evidence, saving, settings.minSaving, whatStays(draft.ledger)),
    );
  }
  if (isStale(evidence, tick.nowMs)) return restart(draft, candidate, tick);
  const verdict = compareWithStable(draft.ledger, candidate, tick);
  if (candidate.paired !== null && verdict === 'NotBetter') {
    return abort(draft, candidate, tick, notBetter(candidate.paired));
  }
  const mayGo = isPaying && verdict === 'Go' && mayRamp(candidate, tick);
  return mayGo ? startRamp(draft, candidate, tick) : draft;
}

/** Heads that are only recommended roll out when they are accepted: pinned. */
function mayRamp({ headRevision }: CandidateRecord, tick: Tick): boolean {
  const { rollsOut, exitMode } = tick.input.settings;
  return (rollsOut || isPinned(headRevision, tick)) && exitMode === 'Active';
}

/** Against a stable that lets nothing leave only certificate and saving count; heads that a person chose are compared with none. */
function compareWithStable(
  { stable }: Ledger,
  { paired, headRevision }: CandidateRecord,
  tick: Tick,
): string {
  if (stable?.off !== null || isPinned(headRevision, tick)) return 'Go';
  if (paired === null) return 'Hold';
  return comparePaired({ ...paired, rows: pairedRows(paired) });
}

/** Audited rows on which stable and candidate were compared. */
function pairedRows({ joint }: PairedRecord): number {
  return joint.flat().reduce((sum, rows) => sum + rows, 0);
}

function notBetter(paired: PairedRecord): Abort {
  const { saving, onlyStableWrong, onlyCandidateWrong } = paired;
  const rows = pairedRows(paired);
  const mean = saving === null ? null : saving.mean;
  const saved = mean === null ? 'an unknown share' : percent(mean);
  return {
    reason: 'NotBetter',
    message: `On ${count(rows)} rows that both judged, the candidate saves ${saved} more than stable and is not clearly better: stable stays.`,
    details: { rows, saving: mean, onlyStableWrong, onlyCandidateWrong },
  };
}

function whatStays({ stable }: Ledger): string {
  return stable?.off === null ? 'Stable stays.' : EXITS_STAY_OFF;
}

const EXITS_STAY_OFF = 'Exits stay off.';

/** Why an attempt whose looks are all taken is rejected, and what serves on. */
export function rejection(
  evidence: Attempt,
  saving: number | null,
  minSaving: number,
  stays = EXITS_STAY_OFF,
): Abort {
  const look = latestLook(evidence);
  invariant(look !== null, 'a rejected attempt has taken a look');
  const { grid, lambdaIndex, dispersion } = look;
  const where = `After ${count(grid.n)} audited rows`;
  if (saving === null) {
    const units = disagreementsAt(grid, 0);
    const disagreements = units / agreementOf(evidence).rowUnits;
    return {
      reason: 'NotCertified',
      message: `${where} no lambda is proven within ${percent(evidence.budget)}: ${disagreementText(units, evidence)} at the smallest. ${stays}${burstText(dispersion)}`,
      details: { audits: grid.n, disagreements, dispersion },
    };
  }
  return {
    reason: 'NotWorthwhile',
    message: `${where} lambda ${lambdaText(lambdaIndex)} is certified, but saves ${percent(saving)}, less than the ${percent(minSaving)} asked for. ${stays}`,
    details: { audits: grid.n, saving, minSaving },
  };
}

const BURSTY = 3;

function burstText(dispersion: number): string {
  if (dispersion < BURSTY) return '';
  return ` Rows come in bursts (D ${dispersion.toPrecision(3)}): the next attempt takes its looks on more rows.`;
}

/** No first look within 7 days: traffic of a week ago proves little about today's. */
export function isStale(evidence: Attempt, nowMs: number): boolean {
  return evidence.looks.length === 0 && nowMs - evidence.startedAtMs >= FIRST_LOOK_DEADLINE_MS;
}

function restart(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  const evidence = candidate.evidence && restartRows(candidate.evidence, tick.nowMs);
  return say(change(draft, { candidate: { ...candidate, evidence } }), tick.nowMs, {
    reason: 'InsufficientSamples',
    message: 'No first look within 7 days: the evidence starts anew.',
    headRevision: candidate.headRevision,
  });
}
