import type { LatencyDigest } from '../../../crds/wire/evidence.ts';
import type { PagePoint, PageQuantiles } from '../page/state/page-state.ts';
import { digestSince, quantilesOfDigest } from './quantiles.ts';

/** Totals of a run at one moment; a point is what came between two. */
export interface RunTotals {
  readonly atSeconds: number;
  readonly requests: number;
  readonly errors: number;
  /** In the order of the exits. */
  readonly exitRows: readonly number[];
  readonly latency: LatencyDigest;
  readonly disagreement: { readonly n: number; readonly k: number; readonly upper: number };
  readonly queuedRows: number;
}

/** The latest points: of a run, which has one a second, 30 minutes. */
export interface History<T> {
  /** Null: nothing has passed since the last totals. */
  add(totals: T): PagePoint | null;
  points(): PagePoint[];
}

const MOST_POINTS = 1_800;
/** Totals that a latency quantile looks back: one second alone has too few requests for a p99. */
const LATENCY_POINTS = 5;

/** @param pointOf makes a point of two neighbouring totals; `oldest` are those that a latency quantile looks back to. */
export function createHistory<T extends { readonly atSeconds: number }>(
  pointOf: (now: T, before: T, oldest: T) => PagePoint,
): History<T> {
  const points: PagePoint[] = [];
  const recent: T[] = [];
  return {
    add: (totals) => {
      const before = recent.at(-1);
      const oldest = recent[0];
      if (before !== undefined && totals.atSeconds <= before.atSeconds) return null;
      recent.push(totals);
      if (recent.length > LATENCY_POINTS) recent.shift();
      if (before === undefined || oldest === undefined) return null;
      const point = pointOf(totals, before, oldest);
      points.push(point);
      if (points.length > MOST_POINTS) points.shift();
      return point;
    },
    points: () => [...points],
  };
}

/** What a run did between two totals. */
export function runPoint(now: RunTotals, before: RunTotals, oldest: RunTotals): PagePoint {
  return toPoint(now, before, {
    rows: now.requests - before.requests,
    errors: now.errors - before.errors,
    exitRows: now.exitRows.map((rows, i) => rows - (before.exitRows[i] ?? 0)),
    latency: quantilesOfDigest(digestSince(now.latency, oldest.latency)),
    queuedRows: now.queuedRows,
  });
}

/** What came between two totals, and how many rows wait now. */
interface Gain {
  readonly rows: number;
  readonly errors: number;
  /** In the order of the exits, the backbone last. */
  readonly exitRows: number[];
  /** Null: no request was answered. */
  readonly latency: PageQuantiles | null;
  readonly queuedRows: number;
}

export function toPoint(
  now: Pick<RunTotals, 'atSeconds' | 'disagreement'>,
  before: Pick<RunTotals, 'atSeconds'>,
  { rows, errors, exitRows, latency, queuedRows }: Gain,
): PagePoint {
  const span = now.atSeconds - before.atSeconds;
  const { n, k, upper } = now.disagreement;
  return {
    atSeconds: now.atSeconds,
    rowsPerSecond: rows / span,
    errorsPerSecond: errors / span,
    exitRows,
    p50: latency?.p50 ?? null,
    p95: latency?.p95 ?? null,
    p99: latency?.p99 ?? null,
    audits: n,
    disagreement: n === 0 ? null : k / n,
    upper: n === 0 ? null : upper,
    queuedRows,
  };
}
