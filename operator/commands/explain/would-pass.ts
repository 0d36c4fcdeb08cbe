import { LAMBDAS } from '../../../crds/wire/lambda-grid.ts';
import { latestLook } from '../../lifecycle/attempts.ts';
import type { Attempt } from '../../lifecycle/ledger.ts';
import { dispersionOf } from '../../stats/dispersion.ts';
import { lookSizes, reassessLook } from '../../stats/looks.ts';

/** A look that is still to come, and whether the answers so far, scaled to its size, would pass it. */
export interface LookAhead {
  readonly look: number;
  readonly audits: number;
  /** The lambda that would be certified; null: none. */
  readonly lambda: number | null;
}

/** The looks that are left; empty after the last. */
export function looksAhead(attempt: Attempt): readonly LookAhead[] {
  const taken = latestLook(attempt)?.look ?? 0;
  return lookSizes(attempt.firstLookRows)
    .map((audits, index) => ({
      look: index + 1,
      audits,
      lambda: lambdaAt(attempt, index + 1, audits),
    }))
    .slice(taken);
}

function lambdaAt(attempt: Attempt, look: number, audits: number): number | null {
  const { closed } = attempt.blocks;
  if (closed.n === 0) return null;
  const factor = Math.max(1, audits / closed.n);
  const scaled = (column: readonly number[]): number[] => column.map((k) => Math.ceil(k * factor));
  const grid = {
    n: Math.ceil(closed.n * factor),
    dis: scaled(closed.dis),
    leave: closed.leave.map(scaled),
  };
  const dispersion = dispersionOf(attempt.blocks);
  const index = reassessLook({ look, grid, dispersion, flagged: null }, attempt);
  return index === null ? null : (LAMBDAS[index] ?? null);
}
