import type { PageQuantiles } from '../../local/page/state/page-state.ts';

/** A histogram of Prometheus: cumulative counts by ascending upper bound, the last of them infinite. */
export interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

export const NO_HISTOGRAM: Histogram = { bounds: [], counts: [], sum: 0 };

/** Bucket by bucket; an empty one is neutral. Others must have the same bounds: one with others is left out. */
export function addHistograms(a: Histogram, b: Histogram): Histogram {
  if (a.bounds.length === 0) return b;
  if (!haveSameBounds(a, b)) return a;
  return {
    bounds: a.bounds,
    counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)),
    sum: a.sum + b.sum,
  };
}

/** What came since an earlier reading of the same series; one that began anew counts from its beginning. */
export function histogramSince(now: Histogram, then: Histogram): Histogram {
  if (!haveSameBounds(now, then) || countOf(now) < countOf(then)) return now;
  return {
    bounds: now.bounds,
    counts: now.counts.map((count, i) => Math.max(0, count - (then.counts[i] ?? 0))),
    sum: Math.max(0, now.sum - then.sum),
  };
}

function haveSameBounds(a: Histogram, b: Histogram): boolean {
  return a.bounds.length === b.bounds.length && a.bounds.every((bound, i) => bound === b.bounds[i]);
}

export function countOf({ counts }: Histogram): number {
  return counts.at(-1) ?? 0;
}

/** Of seconds, in milliseconds; null without any. The mean is exact, quantiles lie within their bucket. */
export function quantilesOfHistogram(histogram: Histogram): PageQuantiles | null {
  const n = countOf(histogram);
  if (n === 0) return null;
  const at = (q: number): number => 1000 * quantileOf(histogram, q);
  return { n, mean: (1000 * histogram.sum) / n, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/**
 * As PromQL's `histogram_quantile`: linear within the bucket that holds the rank, from 0 in the first one; above the last
 * finite bound nothing is known, so that bound is the answer. Domain 0 < q < 1 and at least one observation.
 */
function quantileOf({ bounds, counts }: Histogram, q: number): number {
  const rank = q * (counts.at(-1) ?? 0);
  const bucket = counts.findIndex((count) => count >= rank);
  const upper = bounds[bucket] ?? Infinity;
  const lower = bounds[bucket - 1] ?? 0;
  if (upper === Infinity) return lower;
  const below = counts[bucket - 1] ?? 0;
  const inside = (counts[bucket] ?? 0) - below;
  return lower + (upper - lower) * (inside === 0 ? 1 : (rank - below) / inside);
}

/** Upper bound of the bucket that most observations are in; null without any. */
export function modalBound({ bounds, counts }: Histogram): number | null {
  const own = counts.map((count, i) => count - (counts[i - 1] ?? 0));
  const most = Math.max(0, ...own);
  if (most === 0) return null;
  const bound = bounds[own.indexOf(most)] ?? Infinity;
  return bound === Infinity ? (bounds.at(-2) ?? null) : bound;
}
