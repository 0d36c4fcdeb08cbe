/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { invariant } from './invariant.ts';
import { forEachLeaving, runningSums, STRIDE } from './leaving.ts';

/** Counters of an open window: audited rows go in, a grid comes out. */
export interface EvidenceCounter {
  /**
   * Counts one audited row in O(exits * log 120) (exits.md 5.1).
   * @param scores q per exit of the head revision, the very numbers that decided the row.
   * @param agrees per exit, whether the head's class is the backbone's.
   */
  addRow(scores: ArrayLike<number>, agrees: ArrayLike<boolean | number>): void;
  /** The grid of all rows so far; adding goes on afterwards. */
  snapshot(): EvidenceGrid;
}

/** Opens the counters of one head revision with that many exits. Difference arrays, summed by `snapshot`. */
export function createEvidenceGrid(exitCount: number): EvidenceCounter {
  const dis = new Float64Array(STRIDE);
  const leave = new Float64Array(exitCount * STRIDE);
  let n = 0;

  return {
    addRow: (scores, agrees) => {
      n++;
      forEachLeaving(scores, exitCount, (exit, start, end) => {
        leave[exit * STRIDE + start]! += 1;
        leave[exit * STRIDE + end]! -= 1;
        if (agrees[exit]) return;
        dis[start]! += 1;
        dis[end]! -= 1;
      });
    },
    snapshot: () => ({
      n,
      dis: runningSums(dis),
      leave: Array.from({ length: exitCount }, (_, exit) => runningSums(leave, exit)),
    }),
  };
}

/** The grid of no rows. */
export function emptyGrid(exitCount: number): EvidenceGrid {
  return createEvidenceGrid(exitCount).snapshot();
}

/** Adds two grids of the same head revision; associative and commutative. Different numbers of exits throw InvariantError. */
export function mergeGrids(a: EvidenceGrid, b: EvidenceGrid): EvidenceGrid {
  invariant(
    a.leave.length === b.leave.length,
    `grids of ${a.leave.length} and of ${b.leave.length} exits do not add`,
  );
  return {
    n: a.n + b.n,
    dis: addColumns(a.dis, b.dis),
    leave: a.leave.map((column, exit) => addColumns(column, b.leave[exit]!)),
  };
}

function addColumns(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, j) => value + b[j]!);
}
