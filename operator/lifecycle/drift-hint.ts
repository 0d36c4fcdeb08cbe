// Early signs of drift (exits.md 8.5): fewer rows leave than when certified, or a server saw its own rows change. They raise audits
// and never prove anything.
import { DRIFT_HINTS, type DriftHint } from '../../crds/wire/drift-hints.ts';
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import { leavingAt } from '../stats/grid-column.ts';
import { say, type Draft } from './draft.ts';
import type { Ledger, StableRecord } from './ledger.ts';
import { latestLook } from './attempts.ts';
import { answeredRows, type Tick } from './tick.ts';

const RELATIVE_CHANGE = 0.25;
const STANDARD_ERRORS = 5;
const STRIKES = 2;
const HINT_MS = 600_000;

/**
 * Updates the hint from stable's windows of a tick: two ticks in a row off by > 25 % and > 5 standard errors raise it for 10 minutes,
 * and so does a server's own hint, which that server repeats for as long: repeated, it adds nothing.
 */
export function updateHint(hint: Ledger['hint'], stable: StableRecord, tick: Tick): Ledger['hint'] {
  const windows = tick.windows.filter((window) => isServing(window, stable));
  const next = updateShareHint(hint, stable, windows, tick.nowMs);
  const isNews = hintsOf(windows).length > 0 && tick.nowMs >= next.untilMs;
  return isNews ? { ...next, untilMs: tick.nowMs + HINT_MS } : next;
}

function updateShareHint(
  hint: Ledger['hint'],
  stable: StableRecord,
  windows: readonly EvidenceWindow[],
  nowMs: number,
): Ledger['hint'] {
  const rows = windows.reduce((sum, window) => sum + answeredRows(window), 0);
  if (rows === 0) return hint;
  const left = windows.reduce((sum, window) => sum + leftEarly(window), 0);
  if (!isOff(left / rows, rows, certifiedShare(stable))) return { ...hint, strikes: 0 };
  const strikes = hint.strikes + 1;
  return { strikes, untilMs: strikes >= STRIKES ? nowMs + HINT_MS : hint.untilMs };
}

/** Says it once when the hint fires; while it lasts, firing again is no news. */
export function noticeHint(draft: Draft, before: Ledger, tick: Tick): Draft {
  const { hint, stable } = draft.ledger;
  const isNews = tick.nowMs < hint.untilMs && tick.nowMs >= before.hint.untilMs;
  if (!isNews || stable === null) return draft;
  return say(draft, tick.nowMs, {
    reason: 'DriftHint',
    message: `${whatChanged(stable, hint, tick)}: more rows are audited for 10 minutes, nothing else changes.`,
    headRevision: stable.headRevision,
  });
}

const CHANGES: Readonly<Record<DriftHint, string>> = {
  hit_rate: 'how many rows leave early',
  score_shift: 'how sure the first head is',
  class_mix: 'which classes come',
  teacher_confidence: 'how sure the backbone is',
};

function whatChanged(stable: StableRecord, { strikes }: Ledger['hint'], tick: Tick): string {
  if (strikes >= STRIKES)
    return 'Clearly more or fewer rows leave early than when the heads were certified';
  const hints = hintsOf(tick.windows.filter((window) => isServing(window, stable)));
  const changed = hints.map((hint) => CHANGES[hint]).join(', ');
  return `Servers see their own traffic changed since the heads came into force (${changed})`;
}

/** Kinds that some server gives, in the order of the catalogue. */
function hintsOf(windows: readonly EvidenceWindow[]): readonly DriftHint[] {
  return DRIFT_HINTS.filter((hint) =>
    windows.some(({ driftHints = [] }) => driftHints.includes(hint)),
  );
}

function isServing(window: EvidenceWindow, stable: StableRecord): boolean {
  return (
    window.track === 'stable' &&
    window.headRevision === stable.headRevision &&
    window.exitsEnabled &&
    window.lambdaIndex === stable.lambdaIndex &&
    window.switchedOff.length === 0
  );
}

function leftEarly({ served }: EvidenceWindow): number {
  return served.rows.slice(0, -1).reduce((sum, rows) => sum + rows, 0);
}

/** Share of rows that leave at the lambda in force, on the rows of the newest look; null without a certificate. */
function certifiedShare({ evidence, lambdaIndex }: StableRecord): number | null {
  const look = latestLook(evidence);
  if (look === null || lambdaIndex === null) return null;
  return leavingAt(look.grid, lambdaIndex) / look.grid.n;
}

function isOff(share: number, rows: number, expected: number | null): boolean {
  if (expected === null) return false;
  const change = Math.abs(share - expected);
  const standardError = Math.sqrt((expected * (1 - expected)) / rows);
  return change > RELATIVE_CHANGE * expected && change > STANDARD_ERRORS * standardError;
}
