// Attempts to certify (exits.md 6.2, 6.3): begun in the ledger before a row counts, looked at three times at most.
import { emptyBlocks, addTick, dispersionOf } from '../stats/dispersion.ts';
import { disagreementsAt, leavingAt } from '../stats/grid-column.ts';
import {
  dueLook,
  LAST_LOOK,
  lookSizes,
  reassessLook,
  takeLook,
  type AttemptTerms,
} from '../stats/looks.ts';
import { addPodRows, type PodRows } from '../stats/pod-rows.ts';
import { agreementOf } from '../../server/core/agreement.ts';
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import type { PolicyCertificate } from '../../crds/wire/policy.ts';
import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import type { Attempt } from './ledger.ts';
import type { StoredLook } from './types.ts';

/** Where an attempt stands in its episode. */
export interface AttemptStart {
  readonly attempt: number;
  readonly exitCount: number;
  /** Factor on look sizes that bursts in the attempt before demand. */
  readonly lookScale: number;
  readonly nowMs: number;
}

/** Begins an attempt: its terms are those of the settings now. */
export function startAttempt(settings: ServiceSettings, start: AttemptStart): Attempt {
  return {
    attempt: start.attempt,
    budget: settings.budget,
    confidence: settings.confidence,
    ...(settings.agreement === 'F1' ? { agreement: settings.agreement } : {}),
    firstLookRows: Math.ceil(settings.minAudits * start.lookScale),
    startedAtMs: start.nowMs,
    blocks: emptyBlocks(start.exitCount),
    pods: [],
    looks: [],
    answeredRows: 0,
  };
}

/** The same attempt without its rows; looks that were taken stay taken. */
export function restartRows(attempt: Attempt, nowMs: number): Attempt {
  const exitCount = attempt.blocks.open.leave.length;
  const none = { blocks: emptyBlocks(exitCount), pods: [], answeredRows: 0 };
  return { ...attempt, ...none, startedAtMs: nowMs };
}

/** What a tick brought for an attempt. */
export interface TickRows {
  /** Audited rows of all pods together. */
  readonly grid: EvidenceGrid;
  /** The same rows by pod. */
  readonly pods: readonly PodRows[];
  /** Rows that the audits were drawn from. */
  readonly answeredRows: number;
}

/** Adds a tick's audited rows; a tick without any changes nothing. */
export function addRows(attempt: Attempt, { grid, pods, answeredRows }: TickRows): Attempt {
  if (grid.n === 0) return attempt;
  return {
    ...attempt,
    blocks: addTick(attempt.blocks, grid),
    pods: addPodRows(attempt.pods, pods),
    answeredRows: attempt.answeredRows + Math.max(answeredRows, grid.n),
  };
}

/** Share of rows that were audits while the evidence came in; 1 before the first row. */
export function auditShare({ blocks, answeredRows }: Attempt): number {
  return answeredRows === 0 ? 1 : (blocks.closed.n + blocks.open.n) / answeredRows;
}

/** Audited rows so far, in closed blocks and outside. */
export function auditedRows({ blocks }: Attempt): number {
  return blocks.closed.n + blocks.open.n;
}

/** What the audited rows so far say of one lambda. */
interface LambdaCounts {
  /** Rows that would leave. */
  readonly leaving: number;
  /** Of those that would leave; where the agreement is F1 the sum of their losses. */
  readonly disagreements: number;
  /** Of their share in all audited rows, at the attempt's confidence; 1 before the first row. */
  readonly upperBound: number;
}

export function countsAt(attempt: Attempt, lambdaIndex: number): LambdaCounts {
  const { closed, open } = attempt.blocks;
  const { rowUnits, upper } = agreementOf(attempt);
  const units = disagreementsAt(closed, lambdaIndex) + disagreementsAt(open, lambdaIndex);
  return {
    leaving: leavingAt(closed, lambdaIndex) + leavingAt(open, lambdaIndex),
    disagreements: units / rowUnits,
    upperBound: upper(units, auditedRows(attempt), 1 - attempt.confidence),
  };
}

/** The newest look; null before the first. */
export function latestLook({ looks }: Attempt): StoredLook | null {
  return looks.at(-1) ?? null;
}

/** Takes the look that is due, once; the attempt unchanged when none is. */
export function lookIfDue(attempt: Attempt, nowMs: number): Attempt {
  const look = dueLook(attempt.blocks, attempt.firstLookRows, latestLook(attempt)?.look ?? 0);
  if (look === null) return attempt;
  const result = { ...takeLook(attempt, look, termsOf(attempt)), takenAtMs: nowMs };
  return { ...attempt, looks: [...attempt.looks, result] };
}

/** Boxes are found in frames of cameras: the bolder lambda, the longer the scenes that it errs on. */
function termsOf(attempt: Attempt): AttemptTerms {
  return { ...attempt, hasGrowingBursts: attempt.agreement === 'F1' };
}

/** Holds the attempt to a tighter budget or a higher confidence: its stored looks are assessed again, looser terms change nothing. */
export function tightenTerms(attempt: Attempt, settings: ServiceSettings): Attempt {
  const budget = Math.min(attempt.budget, settings.budget);
  const confidence = Math.max(attempt.confidence, settings.confidence);
  if (budget === attempt.budget && confidence === attempt.confidence) return attempt;
  const terms = { ...attempt, budget, confidence };
  const looks = attempt.looks.map((look) => ({ ...look, lambdaIndex: reassessLook(look, terms) }));
  return { ...attempt, budget, confidence, looks };
}

/** The counts of a look that certify a lambda at or below the one it accepted. */
export function certificateOf(
  { attempt, agreement }: Attempt,
  { look, grid, dispersion }: StoredLook,
  at: Required<Pick<PolicyCertificate, 'headRevision' | 'lambdaIndex' | 'backboneDigest'>>,
): PolicyCertificate {
  const disagreements = disagreementsAt(grid, at.lambdaIndex);
  return {
    audits: grid.n,
    disagreements,
    dispersion,
    attempt,
    look,
    ...(agreement === undefined ? {} : { agreement }),
    ...at,
  };
}

/** Rows of the next look; null after the last. */
export function nextLookRows(attempt: Attempt): number | null {
  const taken = latestLook(attempt)?.look ?? 0;
  return lookSizes(attempt.firstLookRows)[taken] ?? null;
}

/** Whether the last look is taken: nothing more can certify this attempt. */
export function isExhausted(attempt: Attempt): boolean {
  return latestLook(attempt)?.look === LAST_LOOK;
}

const BURSTY = 3;
const MAX_LOOK_SCALE = 20;

/** Factor on the looks of the next attempt: D of a failed last look when it is at least 3, at most 20; else 1 (exits.md 6.4). */
export function scaleAfter(attempt: Attempt): number {
  if (!isExhausted(attempt)) return 1;
  const dispersion = dispersionOf(attempt.blocks, agreementOf(attempt));
  return dispersion >= BURSTY ? Math.min(dispersion, MAX_LOOK_SCALE) : 1;
}
