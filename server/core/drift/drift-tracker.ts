// The hints of one server about the heads that answer (exits.md 8.5): traffic against what these heads met first.
import { DRIFT_HINTS, type DriftHint } from '../../../crds/wire/drift-hints.ts';
import { createAuditSpan, type AuditSpanCounter, type SeenRow, type Share } from './audit-span.ts';
import { areScoresOff, isMeanOff, isMixOff, isShareOff } from './comparisons.ts';

/** Audited rows of a run: of the one that later ones are compared with, and of each of these. */
const SPAN_ROWS = 1_000;
/** Ticks in a row that the share of early answers must be off. */
const STRIKES = 2;
const HOLD_MS = 600_000;

export interface DriftTracker {
  /**
   * Rows that follow were answered under this key: head revision, certificate, lambda and exits that may answer. Another key starts
   * anew, null: nothing may leave early. Hints that were given stay their time, but not beyond the key.
   */
  under(key: string | null): void;
  audited(row: SeenRow, nowMs: number): void;
  /** A row that had the choice was answered. */
  answered(leftEarly: boolean): void;
  /** The end of an evidence window. */
  tick(nowMs: number): void;
  /** In the order of the catalogue. */
  active(nowMs: number): readonly DriftHint[];
}

export function createDriftTracker(): DriftTracker {
  let key: string | null = null;
  let first = createAuditSpan();
  let span = createAuditSpan();
  let served = { part: 0, rows: 0 };
  let strikes = 0;
  const untilMs = new Map<DriftHint, number>();

  function give(hint: DriftHint, nowMs: number): void {
    untilMs.set(hint, nowMs + HOLD_MS);
  }

  function judgeShare(now: Share, nowMs: number): void {
    if (now.rows === 0 || !isFull(first)) return;
    strikes = isShareOff(first.leaving, now) ? strikes + 1 : 0;
    if (strikes >= STRIKES) give('hit_rate', nowMs);
  }

  function judgeSpan(nowMs: number): void {
    if (areScoresOff(first, span)) give('score_shift', nowMs);
    if (isMixOff(first.classes, span.classes)) give('class_mix', nowMs);
    if (isMeanOff(first.confidence, span.confidence)) give('teacher_confidence', nowMs);
  }

  return {
    under: (next) => {
      if (next === key) return;
      key = next;
      first = createAuditSpan();
      span = createAuditSpan();
      served = { part: 0, rows: 0 };
      strikes = 0;
      untilMs.clear();
    },
    audited: (row, nowMs) => {
      if (key === null) return;
      if (!isFull(first)) {
        first.add(row);
        return;
      }
      span.add(row);
      if (!isFull(span)) return;
      judgeSpan(nowMs);
      span = createAuditSpan();
    },
    answered: (leftEarly) => {
      served.rows += 1;
      if (leftEarly) served.part += 1;
    },
    tick: (nowMs) => {
      judgeShare(served, nowMs);
      served = { part: 0, rows: 0 };
    },
    active: (nowMs) => DRIFT_HINTS.filter((hint) => nowMs < (untilMs.get(hint) ?? -Infinity)),
  };
}

function isFull(span: AuditSpanCounter): boolean {
  return span.leaving.rows >= SPAN_ROWS;
}
