/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// What a path costs and what exits save (exits.md 10), as shares of the plain backbone's time. MACs never decide.
import type { ComputeSeconds, EvidenceGrid } from '../../crds/wire/evidence.ts';
import type { CostTable } from '../../crds/wire/state.ts';
import { invariant } from '../../server/core/invariant.ts';
import { ownSegments } from '../../server/core/own-segments.ts';

/**
 * Cost of leaving at each active exit and of running to the end, as shares of plain time at a batch size: length places + 1.
 * Path = segments + heads up to the exit + compaction at the active exits passed before it. A companion that is no active exit is not
 * run, nor a segment from the input to a cut that is none; the backbone's other segments all are.
 * @param places cuts of the active exits in the order of the table, companions by digest; one that it lacks throws InvariantError.
 * @param batchSize the largest measured size not above it is used, else the smallest.
 */
export function pathCosts(
  table: CostTable,
  places: readonly string[],
  batchSize: number,
): number[] {
  const b = costRow(table, batchSize);
  const active = places.map((place) => {
    const cut = table.cuts.indexOf(place);
    invariant(cut >= 0, `no measured cost for the cut ${place}`);
    return cut;
  });
  const own = ownSegments(table);
  const segmentMs = table.segmentMs[b]!.map((ms, cut) =>
    cut < own && !active.includes(cut) ? 0 : ms,
  );
  const sumTo = (cut: number): number =>
    segmentMs.slice(0, cut + 1).reduce((sum, ms) => sum + ms, 0);
  let boundaryMs = 0;
  const costs: number[] = [];
  for (const cut of active) {
    boundaryMs += table.headMs[b]![cut]!;
    costs.push(sumTo(cut) + boundaryMs);
    boundaryMs += table.compactMs[b]![cut]!;
  }
  costs.push(sumTo(segmentMs.length) + boundaryMs);
  return costs.map((ms) => ms / table.plainMs[b]!);
}

/** Row of the table for a batch: the largest measured size not above it, else the smallest. */
function costRow({ batchSizes }: CostTable, batchSize: number): number {
  invariant(batchSizes.length > 0, 'a cost table has a batch size');
  const notAbove = batchSizes.filter((size) => size <= batchSize);
  return batchSizes.indexOf(notAbove.length > 0 ? Math.max(...notAbove) : Math.min(...batchSizes));
}

/**
 * Net saving that a grid column predicts: 1 - mean path cost. Rows at exits beyond `activeExits` run to the end (the cut
 * of exits.md 2); all heads are charged as `pathCost` has them. No rows give 0.
 */
export function predictedSaving(
  grid: EvidenceGrid,
  lambdaIndex: number,
  { pathCost, activeExits }: { readonly pathCost: readonly number[]; readonly activeExits: number },
): number {
  invariant(pathCost.length === grid.leave.length + 1, 'one path cost per exit and for the end');
  if (grid.n === 0) return 0;
  const end = pathCost[grid.leave.length]!;
  const saved = grid.leave
    .slice(0, activeExits)
    .reduce((sum, column, exit) => sum + column[lambdaIndex]! * (end - pathCost[exit]!), 0);
  return 1 - end + saved / grid.n;
}

/** Busy and plain seconds; both add. */
export interface BusySeconds {
  readonly busy: number;
  readonly plain: number;
}

/** Everything the engine was busy with: segments, heads, companions, compaction, audits. */
export function busySeconds(compute: ComputeSeconds): BusySeconds {
  const { segment, head, companion, compact, audit, plain } = compute;
  return { busy: segment + head + companion + compact + audit, plain };
}

/** Net saving 1 - busy / plain; null when nothing ran. */
export function netSaving({ busy, plain }: BusySeconds): number | null {
  return plain > 0 ? 1 - busy / plain : null;
}
