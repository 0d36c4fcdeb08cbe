import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';
import { LAMBDA_COUNT, LAMBDAS } from '../../../crds/wire/lambda-grid.ts';
import { lostRowsAt } from '../../stats/window-losses.ts';
import type { Picture } from '../page/state/page-state.ts';

/** Adds the audited rows of each head revision up over the grid of lambdas. */
export interface CurveCounter {
  add(window: EvidenceWindow): void;
  readonly of: (headRevision: string | null) => Picture['curve'];
  /** Rows from before an alarm say nothing about what comes after it. */
  forget(): void;
}

interface Sums {
  n: number;
  readonly disagreements: number[];
  readonly leaving: number[];
}

const MOST_REVISIONS = 4;
/** Every third of 120: a line on a page shows no more. */
const STEP = 3;

export function createCurveCounter(): CurveCounter {
  const revisions = new Map<string, Sums>();
  return {
    add: (window) => {
      const { headRevision, grid } = window;
      if (headRevision === null || grid.n === 0) return;
      const sums = revisions.get(headRevision) ?? emptySums();
      // Put last: the first of the map is the one that was silent longest.
      revisions.delete(headRevision);
      revisions.set(headRevision, sums);
      for (const oldest of revisions.keys()) {
        if (revisions.size > MOST_REVISIONS) revisions.delete(oldest);
      }
      sums.n += grid.n;
      for (let j = 0; j < LAMBDA_COUNT; j++) {
        sums.disagreements[j] = (sums.disagreements[j] ?? 0) + lostRowsAt(window, j);
        const leaving = grid.leave.reduce((total, column) => total + (column[j] ?? 0), 0);
        sums.leaving[j] = (sums.leaving[j] ?? 0) + leaving;
      }
    },
    of: (headRevision) => {
      const sums = headRevision === null ? undefined : revisions.get(headRevision);
      if (headRevision === null || sums === undefined) return null;
      const shown = LAMBDAS.map((_, j) => j).filter((j) => j % STEP === STEP - 1);
      const share = (counts: readonly number[]): number[] =>
        shown.map((j) => (counts[j] ?? 0) / sums.n);
      return {
        headRevision,
        n: sums.n,
        lambda: shown.map((j) => LAMBDAS[j] ?? 0),
        disagreement: share(sums.disagreements),
        leaving: share(sums.leaving),
      };
    },
    forget: () => {
      revisions.clear();
    },
  };
}

function emptySums(): Sums {
  const zeros = (): number[] => new Array<number>(LAMBDA_COUNT).fill(0);
  return { n: 0, disagreements: zeros(), leaving: zeros() };
}
