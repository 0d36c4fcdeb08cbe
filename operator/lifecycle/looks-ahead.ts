// The looks that an attempt has left, and what they would find if its rows went on as they began.
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { agreementOf } from '../../server/core/agreement.ts';
import { dispersionOf } from '../stats/dispersion.ts';
import { lookSizes, reassessLook } from '../stats/looks.ts';
import { latestLook } from './attempts.ts';
import type { Attempt } from './ledger.ts';

export interface LookAhead {
  readonly look: number;
  /** Audited rows that it takes. */
  readonly rows: number;
}

/** What a look would certify, on counts scaled to its size. */
export interface LookOutcome {
  readonly grid: EvidenceGrid;
  readonly lambdaIndex: number;
}

/** The looks that are left; empty after the last. */
export function looksAhead(attempt: Attempt): readonly LookAhead[] {
  const taken = latestLook(attempt)?.look ?? 0;
  return lookSizes(attempt.firstLookRows)
    .map((rows, index) => ({ look: index + 1, rows }))
    .slice(taken);
}

/** The counts of the closed blocks, scaled to the size of a look, against its test; null: nothing would pass, or nothing is counted. */
export function outcomeAhead(attempt: Attempt, { look, rows }: LookAhead): LookOutcome | null {
  const { closed } = attempt.blocks;
  if (closed.n === 0) return null;
  const factor = Math.max(1, rows / closed.n);
  const scale = (column: readonly number[]): number[] => column.map((k) => Math.ceil(k * factor));
  const n = Math.ceil(closed.n * factor);
  const grid = { n, dis: scale(closed.dis), leave: closed.leave.map(scale) };
  const dispersion = dispersionOf(attempt.blocks, agreementOf(attempt));
  const lambdaIndex = reassessLook({ look, grid, dispersion, flagged: null }, attempt);
  return lambdaIndex === null ? null : { grid, lambdaIndex };
}
