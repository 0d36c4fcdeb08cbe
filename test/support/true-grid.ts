// What `gridOf` counts, by lines of our own: who judges a certificate should not share the code that it was made by. No score is
// computed, since the thresholds are taken back to raw logits once; a run's 200,000 rows take a third of the time.
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { LAMBDAS } from '../../crds/wire/lambda-grid.ts';
import { clip, EXIT_COUNT, type ScoreLine, type SimulatedRows } from './exit-simulation.ts';

const COLUMNS = LAMBDAS.length;
/** Differences have one place more: what leaves at every lambda from one on ends there. */
const STRIDE = COLUMNS + 1;

/** Per exit and column the raw logit above which a row leaves: of a score above 1 - lambda. Descends along the columns. */
function logitThresholds(lines: readonly ScoreLine[]): Float64Array {
  const thresholds = new Float64Array(lines.length * COLUMNS);
  lines.forEach(({ intercept, slope }, exit) => {
    if (!(slope > 0)) throw new Error(`the score of exit ${exit} falls with its logit`);
    LAMBDAS.forEach((lambda, j) => {
      thresholds[exit * COLUMNS + j] = (Math.log1p(-lambda) - Math.log(lambda) - intercept) / slope;
    });
  });
  return thresholds;
}

/** The grid of all rows under these scores. */
export function trueGrid(
  { count, logits, agrees }: SimulatedRows,
  lines: readonly ScoreLine[],
): EvidenceGrid {
  const [exits, columns] = [EXIT_COUNT, COLUMNS];
  const thresholds = logitThresholds(lines);
  const leave = new Int32Array(exits * STRIDE);
  const dis = new Int32Array(STRIDE);
  for (let row = 0; row < count; row++) {
    // At columns from here on an exit before has answered.
    let end = columns;
    for (let exit = 0; exit < exits && end > 0; exit++) {
      const x = clip(logits[row * exits + exit]!);
      const from = exit * columns;
      let start = end;
      if (x > thresholds[from + end - 1]!) {
        start = 0;
        for (let high = end - 1; start < high;) {
          const middle = (start + high) >>> 1;
          if (x > thresholds[from + middle]!) high = middle;
          else start = middle + 1;
        }
      }
      if (start === end) continue;
      leave[exit * STRIDE + start]!++;
      leave[exit * STRIDE + end]!--;
      if (agrees[row * exits + exit] === 0) {
        dis[start]!++;
        dis[end]!--;
      }
      end = start;
    }
  }
  return {
    n: count,
    dis: sums(dis),
    leave: lines.map((_, exit) => sums(leave.subarray(exit * STRIDE, (exit + 1) * STRIDE))),
  };
}

function sums(differences: Int32Array): number[] {
  let sum = 0;
  return Array.from(differences.subarray(0, COLUMNS), (difference) => (sum += difference));
}
