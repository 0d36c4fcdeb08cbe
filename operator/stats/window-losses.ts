/* eslint-disable @typescript-eslint/no-non-null-assertion -- columns have 120 places, and a lambda index is one of them */
// Windows of servers with what their early answers lose. Of one that tells no losses (its policy is of Strict agreement, or older
// than losses) each disagreement is wholly wrong: that errs towards the backbone.
import { WHOLE_LOSS } from '../../crds/wire/agreement.ts';
import type { EvidenceGrid, EvidenceWindow } from '../../crds/wire/evidence.ts';
import type { Agreement } from '../../server/core/agreement.ts';
import { unitGrid } from '../../server/core/loss-evidence.ts';

type Window = Pick<EvidenceWindow, 'grid' | 'losses'>;

/** A window's grid in units of an agreement. */
export function gridIn({ grid, losses }: Window, agreement: Agreement): EvidenceGrid {
  if (losses !== undefined) return unitGrid({ ...grid, losses }, agreement);
  return { ...grid, dis: grid.dis.map((rows) => rows * agreement.rowUnits) };
}

/** Audited rows of these windows by what their early answer at a lambda loses: [11], 0 to 10 tenths. */
export function auditsByLoss(windows: readonly Window[], lambdaIndex: number): number[] {
  const audits = new Array<number>(WHOLE_LOSS + 1).fill(0);
  for (const { grid, losses } of windows) {
    const wrong = grid.dis[lambdaIndex]!;
    audits[0]! += grid.n - wrong;
    if (losses === undefined) audits[WHOLE_LOSS]! += wrong;
    else losses.forEach((column, i) => (audits[i + 1]! += column[lambdaIndex]!));
  }
  return audits;
}

/** Of an exit of a window, what its audited rows lose at the lambda in force, in whole rows; without losses its disagreements. */
export function lostRowsOfExit(
  { exits, strata, exitLossTenths }: Pick<EvidenceWindow, 'exits' | 'strata' | 'exitLossTenths'>,
  exit: string,
): number {
  const tenths = exitLossTenths?.[exits.indexOf(exit)];
  if (tenths !== undefined) return tenths / WHOLE_LOSS;
  return strata.reduce((sum, s) => sum + (s.exit === exit ? s.disagreements : 0), 0);
}

/** What the audited rows of a window lose at a lambda, in whole rows; without losses its disagreements. */
export function lostRowsAt(window: Window, lambdaIndex: number): number {
  const tenths = auditsByLoss([window], lambdaIndex).reduce((sum, rows, i) => sum + rows * i, 0);
  return tenths / WHOLE_LOSS;
}
