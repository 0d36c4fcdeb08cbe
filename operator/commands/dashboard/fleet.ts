import type { PagePoint } from '../../local/page/state/page-state.ts';
import { toPoint } from '../../local/web/history.ts';
import {
  addHistograms,
  histogramSince,
  NO_HISTOGRAM,
  quantilesOfHistogram,
  type Histogram,
} from './histogram.ts';
import type { PodCounts } from './pod-counts.ts';

/** A pod as the API server lists it, with what it counts; null: it did not tell. */
export interface PodReading {
  readonly name: string;
  readonly isReady: boolean;
  readonly counts: PodCounts | null;
}

/** One look at the pods that are asked, and at what the audits behind the certificate said then. */
export interface FleetReading {
  readonly atSeconds: number;
  readonly pods: readonly PodReading[];
  /** In the order of the exits, the backbone last. */
  readonly exits: readonly string[];
  readonly disagreement: { readonly n: number; readonly k: number; readonly upper: number };
}

/** Of all pods that told. */
export function sumOfPods(pods: readonly PodReading[], of: (counts: PodCounts) => number): number {
  return pods.reduce((total, { counts }) => total + (counts === null ? 0 : of(counts)), 0);
}

export function latencyOfPods(pods: readonly PodReading[], exit?: string): Histogram {
  return pods.reduce(
    (total, { counts }) =>
      counts === null ? total : addHistograms(total, latencyOf(counts, exit)),
    NO_HISTOGRAM,
  );
}

function latencyOf({ latency }: PodCounts, exit?: string): Histogram {
  if (exit !== undefined) return latency.get(exit) ?? NO_HISTOGRAM;
  return [...latency.values()].reduce(addHistograms, NO_HISTOGRAM);
}

/**
 * What pods did between two readings. Each pod is compared with itself: one that is new, or did not tell, did nothing that is
 * known, and one whose counters went back began anew.
 */
export function fleetPoint(
  now: FleetReading,
  before: FleetReading,
  oldest: FleetReading,
): PagePoint {
  const rows = (exit: string) => (counts: PodCounts) => counts.rows.get(exit) ?? 0;
  const exitRows = now.exits.map((exit) => gained(now, before, rows(exit)));
  return toPoint(now, before, {
    rows: exitRows.reduce((sum, count) => sum + count, 0),
    errors: gained(now, before, errorsOf),
    exitRows,
    latency: quantilesOfHistogram(latencySince(now, oldest)),
    queuedRows: sumOfPods(now.pods, ({ queueRows }) => queueRows ?? 0),
  });
}

export function rowsOf({ rows }: PodCounts): number {
  return sumOf(rows);
}

export function errorsOf({ errors }: PodCounts): number {
  return sumOf(errors);
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function gained(
  now: FleetReading,
  before: FleetReading,
  of: (counts: PodCounts) => number,
): number {
  return pairs(now, before).reduce((total, [counts, earlier]) => {
    const [to, from] = [of(counts), of(earlier)];
    return total + (to >= from ? to - from : to);
  }, 0);
}

function latencySince(now: FleetReading, before: FleetReading): Histogram {
  return pairs(now, before).reduce(
    (total, [counts, earlier]) =>
      addHistograms(total, histogramSince(latencyOf(counts), latencyOf(earlier))),
    NO_HISTOGRAM,
  );
}

/** Pods that told both times. */
function pairs(
  now: FleetReading,
  before: FleetReading,
): readonly (readonly [PodCounts, PodCounts])[] {
  const earlier = new Map(before.pods.map(({ name, counts }) => [name, counts]));
  return now.pods.flatMap(({ name, counts }) => {
    const then = earlier.get(name) ?? null;
    return counts === null || then === null ? [] : [[counts, then] as const];
  });
}
