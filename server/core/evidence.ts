/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
import { LAMBDA_COUNT } from '../../crds/wire/lambda-grid.ts';
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { firstLeavingIndex } from './decide.ts';
import { invariant } from './invariant.ts';

/** Counters of an open window: audited rows go in, a grid comes out. */
export interface EvidenceCounter {
  /**
   * Counts one audited row in O(exits * log 120), without allocation (exits.md 5.1).
   * @param scores q per exit of the head revision, the very numbers that decided the row.
   * @param agrees per exit, whether the head's class is the backbone's.
   */
  addRow(scores: ArrayLike<number>, agrees: ArrayLike<boolean | number>): void;
  /** The grid of all rows so far; adding goes on afterwards. */
  snapshot(): EvidenceGrid;
}

/** Opens the counters of one head revision with that many exits. Difference arrays, summed by `snapshot`. */
export function createEvidenceGrid(exitCount: number): EvidenceCounter {
  const stride = LAMBDA_COUNT + 1;
  const dis = new Float64Array(stride);
  const leave = new Float64Array(exitCount * stride);
  let n = 0;

  return {
    addRow: (scores, agrees) => {
      n++;
      let end = LAMBDA_COUNT;
      for (let exit = 0; exit < exitCount; exit++) {
        const score = scores[exit] ?? NaN;
        if (!Number.isFinite(score)) return;
        const start = firstLeavingIndex(score, end);
        if (start === end) continue;
        leave[exit * stride + start]! += 1;
        leave[exit * stride + end]! -= 1;
        if (!agrees[exit]) {
          dis[start]! += 1;
          dis[end]! -= 1;
        }
        end = start;
      }
    },
    snapshot: () => ({
      n,
      dis: runningSums(dis),
      leave: Array.from({ length: exitCount }, (_, exit) =>
        runningSums(leave.subarray(exit * stride, (exit + 1) * stride)),
      ),
    }),
  };
}

function runningSums(differences: Float64Array): number[] {
  let sum = 0;
  return Array.from(differences.subarray(0, LAMBDA_COUNT), (difference) => (sum += difference));
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
