import { quantile } from '../median.ts';
import type { ClosedRun } from './drive.ts';

/** What a run says, one number each. */
export const processorMs = (run: ClosedRun): number =>
  (run.processorSeconds * 1_000) / run.requests;
/** Near 1 the generator is what was measured. */
export const generatorShare = (run: ClosedRun): number => run.generatorSeconds / run.wallSeconds;
export const perSecond = (run: ClosedRun): number => run.requests / run.wallSeconds;
export const p50 = (run: ClosedRun): number => quantile(run.latencyMs, 0.5);
export const p99 = (run: ClosedRun): number => quantile(run.latencyMs, 0.99);

export function medianOf<T>(runs: readonly T[], of: (run: T) => number): number {
  return quantile(runs.map(of), 0.5);
}

/** Of neighbours in time, then the median: what slows the machine slows both. */
export function ratioOf<T>(
  left: readonly T[],
  right: readonly T[],
  of: (run: T) => number,
): number {
  return differenceOf(left, right, (one, other) => of(one) / of(other));
}

/** The median of `of` over neighbours in time. */
export function differenceOf<T>(
  left: readonly T[],
  right: readonly T[],
  of: (left: T, right: T) => number,
): number {
  const pairs = left.flatMap((run, i) => {
    const other = right[i];
    return other === undefined ? [] : [of(run, other)];
  });
  return quantile(pairs, 0.5);
}
