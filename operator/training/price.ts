/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the table's own lists */
import type { CostTable, ServerState } from '../../crds/wire/state.ts';
import { invariant } from '../../server/core/invariant.ts';
import { ownSegments } from '../../server/core/own-segments.ts';

/** What heads and cuts cost at the batch size that most requests arrive in. */
export interface Prices {
  readonly batchRows: number;
  readonly plainMs: number;
  /** Share of the backbone's time spent up to the cut, none before a companion; an unknown place throws InvariantError. */
  readonly shareTo: (place: string) => number;
  /** In which order rows pass companions and cuts; an unknown place throws InvariantError. */
  readonly orderOf: (place: string) => number;
  /** Milliseconds for one batch of a companion, or of a segment from the input to the cut; 0 of a cut on the way. */
  readonly ownMs: (place: string) => number;
  /** Milliseconds of a head for one batch: pooling, read-back, products, decision. */
  readonly headMs: (macs: number) => number;
  /** A table with these cuts alone, heads included, for operator/stats pathCosts. */
  readonly tableFor: TableOf;
  /** The same in a batch so large that what cuts and heads cost by being there vanishes: work alone. */
  readonly workFor: TableOf;
}

export type TableOf = (
  heads: readonly { readonly tensor: string; readonly macs: number }[],
) => CostTable;

/**
 * Prices from the table of the plan that sampled. Its cuts are all candidates, so segments carry the cost of every cut: shares are
 * taken of the sum of the backbone's segments, and each cut that stays is charged its part of the surplus over plain. Companions are
 * segments before those: charged as they are to every row that enters them.
 * @param batchRows the largest measured size not above it is used, else the smallest.
 */
export function createPrices(
  costs: CostTable,
  headCost: ServerState['headCost'],
  batchRows: number,
): Prices {
  const { batchSizes, cuts, companions = 0, fromInput } = costs;
  const own = ownSegments(costs);
  invariant(batchSizes.length > 0, 'a cost table has a batch size');
  const b = Math.max(
    0,
    batchSizes.findLastIndex((size) => size <= batchRows),
  );
  const rows = batchSizes[b]!;
  const plainMs = costs.plainMs[b]!;
  const segmentMs = costs.segmentMs[b]!;
  const sumOf = (from: number, end: number): number =>
    segmentMs.slice(from, end).reduce((sum, ms) => sum + ms, 0);
  const total = sumOf(own, segmentMs.length);
  const cutMs =
    fromInput === true ? 0 : Math.max(0, total - plainMs) / Math.max(1, cuts.length - own);
  const placeOf = (place: string): number => {
    const cut = cuts.indexOf(place);
    invariant(cut >= 0, `the cost table has no cut ${place}`);
    return cut;
  };
  const isCompanion = (place: string): boolean => placeOf(place) < companions;
  const isOwn = (place: string): boolean => placeOf(place) < own;
  const ownMs = (place: string): number => (isOwn(place) ? segmentMs[placeOf(place)]! : 0);
  const shareTo = (place: string): number =>
    isCompanion(place) ? 0 : (ownMs(place) + sumOf(own, placeOf(place) + 1)) / total;
  const last = batchSizes.length - 1;
  /** Of a segment of its own in the largest batch, as a share of the backbone's there. */
  const ownWorkMs = (place: string): number =>
    (plainMs * costs.segmentMs[last]![placeOf(place)]!) / costs.plainMs[last]!;
  const headMs = (macs: number): number =>
    headCost.fixedMs + (headCost.msPerMillionMacs * macs * rows) / 1e6;
  return {
    batchRows: rows,
    plainMs,
    shareTo,
    orderOf: placeOf,
    ownMs,
    headMs,
    tableFor: (heads) =>
      tableOf(heads, {
        headMs: ({ tensor, macs }) => (isCompanion(tensor) ? 0 : headMs(macs) + cutMs),
        compactMs: ({ tensor }) => costs.compactMs[b]![placeOf(tensor)]!,
        ownMs: ({ tensor }) => ownMs(tensor),
      }),
    workFor: (heads) =>
      tableOf(heads, {
        headMs: ({ tensor, macs }) => (isCompanion(tensor) ? 0 : headMs(macs) - headMs(0)),
        compactMs: () => 0,
        ownMs: ({ tensor }) => ownWorkMs(tensor),
      }),
  };

  function tableOf(
    heads: Parameters<TableOf>[0],
    of: Readonly<
      Record<'headMs' | 'compactMs' | 'ownMs', (head: (typeof heads)[number]) => number>
    >,
  ): CostTable {
    const before = heads.filter(({ tensor }) => isOwn(tensor));
    const companionCount = heads.filter(({ tensor }) => isCompanion(tensor)).length;
    const ends = [...heads.slice(before.length).map(({ tensor }) => shareTo(tensor)), 1];
    return {
      batchSizes: [rows],
      cuts: heads.map(({ tensor }) => tensor),
      plainMs: [plainMs],
      segmentMs: [
        [...before.map(of.ownMs), ...ends.map((end, i) => (end - (ends[i - 1] ?? 0)) * plainMs)],
      ],
      headMs: [heads.map(of.headMs)],
      compactMs: [heads.map(of.compactMs)],
      ...(companionCount === 0 ? {} : { companions: companionCount }),
      ...(fromInput === true ? { fromInput } : {}),
    };
  }
}
