// Two runs of rows compared (exits.md 8.5): both are samples, so both have an error. A hint proves nothing and never loosens.
import { invariant } from '../invariant.ts';
import type { AuditSpan, Moments, Share } from './audit-span.ts';

const RELATIVE_CHANGE = 0.25;
const STANDARD_ERRORS = 5;
const LARGEST_STABILITY_INDEX = 0.2;
/** Quantile of the normal law at 1 - 1e-6. */
const NORMAL_QUANTILE = 4.753424309;
/** Rows of both runs together that a class needs for a cell of its own, so that the chi-square law holds. */
const ROWS_PER_CELL = 10;
/** Differences below this are rounding. */
const LEAST_DIFFERENCE = 1e-9;

/** Whether the share moved by more than a quarter of what it was and by more than five standard errors; without rows it did not. */
export function isShareOff(before: Share, now: Share): boolean {
  if (before.rows === 0 || now.rows === 0) return false;
  const expected = before.part / before.rows;
  const change = Math.abs(now.part / now.rows - expected);
  // Pooled: a share of 0 or 1 before has no error of its own.
  const pooled = (before.part + now.part) / (before.rows + now.rows);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / before.rows + 1 / now.rows));
  return change > RELATIVE_CHANGE * expected && change > STANDARD_ERRORS * error;
}

/**
 * Population stability index of two histograms with the same bins: sum of (a - b) ln(a / b) over their shares, each bin with half a
 * row more so that empty ones count as rare. 0 without rows. Different numbers of bins throw InvariantError.
 */
export function stabilityIndex(before: readonly number[], now: readonly number[]): number {
  invariant(before.length === now.length, `${before.length} bins against ${now.length}`);
  if (total(before) === 0 || total(now) === 0) return 0;
  const [a, b] = [shares(before), shares(now)];
  return a.reduce((sum, share, bin) => {
    const other = b[bin];
    invariant(other !== undefined, `bin ${bin} of one histogram alone`);
    return sum + (share - other) * Math.log(share / other);
  }, 0);
}

function shares(bins: readonly number[]): number[] {
  const all = total(bins) + bins.length / 2;
  return bins.map((rows) => (rows + 0.5) / all);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/**
 * Chi-square test at 1e-6 that two runs draw their classes from one law; rare classes share a cell. Its tail by Wilson and Hilferty
 * (1931), which is the stricter the fewer cells there are: 27.5 for 23.9 with two, 46.0 for 44.8 with ten. False with one cell.
 */
export function isMixOff(
  before: ReadonlyMap<number, number>,
  now: ReadonlyMap<number, number>,
): boolean {
  const cells = toCells(before, now);
  const freedom = cells.length - 1;
  if (freedom < 1) return false;
  const rows = [total(cells.map(([a]) => a)), total(cells.map(([, b]) => b))] as const;
  const all = rows[0] + rows[1];
  if (rows[0] === 0 || rows[1] === 0) return false;
  const chiSquare = total(
    cells.map(([a, b]) => {
      const expected = ((a + b) * rows[0]) / all;
      const other = a + b - expected;
      return (a - expected) ** 2 / expected + (b - other) ** 2 / other;
    }),
  );
  const spread = 2 / (9 * freedom);
  return Math.cbrt(chiSquare / freedom) > 1 - spread + NORMAL_QUANTILE * Math.sqrt(spread);
}

/** Rows of a class in both runs; the rare classes together last. */
function toCells(
  before: ReadonlyMap<number, number>,
  now: ReadonlyMap<number, number>,
): (readonly [number, number])[] {
  const pairs = [...new Set([...before.keys(), ...now.keys()])].map(
    (classId) => [before.get(classId) ?? 0, now.get(classId) ?? 0] as const,
  );
  const common = pairs.filter(([a, b]) => a + b >= ROWS_PER_CELL);
  const rare = pairs.filter(([a, b]) => a + b < ROWS_PER_CELL);
  if (rare.length === 0) return common;
  return [...common, [total(rare.map(([a]) => a)), total(rare.map(([, b]) => b))]];
}

/** Whether two means are more than five standard errors of their difference apart; fewer than two values have no error, so never. */
export function isMeanOff(before: Moments, now: Moments): boolean {
  if (before.count < 2 || now.count < 2) return false;
  const change = Math.abs(before.sum / before.count - now.sum / now.count);
  const error = Math.sqrt(squaredError(before) + squaredError(now));
  return change > LEAST_DIFFERENCE && change > STANDARD_ERRORS * error;
}

function squaredError({ count, sum, squares }: Moments): number {
  return Math.max(0, squares - sum ** 2 / count) / (count - 1) / count;
}

/** Whether the scores of the first exit are distributed otherwise than before. */
export function areScoresOff(before: AuditSpan, now: AuditSpan): boolean {
  return stabilityIndex(before.scoreBins, now.scoreBins) > LARGEST_STABILITY_INDEX;
}
