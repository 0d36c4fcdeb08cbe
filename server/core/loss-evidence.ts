/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// The evidence grid of answers that can be partly right (exits.md 12): beside the rows that leave, how many of them had which loss.
import { WHOLE_LOSS } from '../../crds/wire/agreement.ts';
import type { EvidenceGrid, LossColumns } from '../../crds/wire/evidence.ts';
import { LAMBDA_COUNT } from '../../crds/wire/lambda-grid.ts';
import type { Agreement } from './agreement.ts';
import { invariant } from './invariant.ts';
import { forEachLeaving, runningSums, STRIDE } from './leaving.ts';

/** Counters of audited rows on the lambda grid. */
export interface LossGrid {
  readonly n: number;
  /** [exits][120] */
  readonly leave: readonly (readonly number[])[];
  /** [10][120]: rows that left with a loss of 1 .. 10 tenths. */
  readonly losses: LossColumns;
}

export interface LossCounter {
  /**
   * Counts one audited row (exits.md 5.1).
   * @param scores q per exit, the very numbers that decided the row.
   * @param lossTenths per exit, what its answer would lose: whole, 0 to 10, else InvariantError.
   */
  addRow(scores: ArrayLike<number>, lossTenths: ArrayLike<number>): void;
  /** The grid of all rows so far; adding goes on afterwards. */
  snapshot(): LossGrid;
}

export function createLossGrid(exitCount: number): LossCounter {
  const leave = new Float64Array(exitCount * STRIDE);
  // Of losses 0 .. 10: those of 0 are counted with the others, and left out of the snapshot.
  const losses = new Float64Array((WHOLE_LOSS + 1) * STRIDE);
  let n = 0;
  return {
    addRow: (scores, lossTenths) => {
      n++;
      forEachLeaving(scores, exitCount, (exit, start, end) => {
        const loss = lossTenths[exit]!;
        invariant(Number.isInteger(loss) && loss >= 0 && loss <= WHOLE_LOSS, `a loss of ${loss}`);
        leave[exit * STRIDE + start]! += 1;
        leave[exit * STRIDE + end]! -= 1;
        losses[loss * STRIDE + start]! += 1;
        losses[loss * STRIDE + end]! -= 1;
      });
    },
    snapshot: () => ({
      n,
      leave: Array.from({ length: exitCount }, (_, exit) => runningSums(leave, exit)),
      losses: Array.from({ length: WHOLE_LOSS }, (_, i) => runningSums(losses, i + 1)),
    }),
  };
}

/** The grid that looks and pairs take: `dis` in units of the agreement. */
export function unitGrid({ n, leave, losses }: LossGrid, agreement: Agreement): EvidenceGrid {
  const dis = new Array<number>(LAMBDA_COUNT).fill(0);
  for (const [i, column] of losses.entries()) {
    const units = agreement.unitsOf(i + 1);
    for (const [j, rows] of column.entries()) dis[j]! += units * rows;
  }
  return { n, dis, leave };
}
