/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the table's own lists */
import type { HiddenSize } from '../../crds/wire/head-bundle.ts';
import type { CostTable, ServerState } from '../../crds/wire/state.ts';
import { invariant } from '../../server/core/invariant.ts';

/** What heads and cuts cost at the batch size that most requests arrive in. */
export interface Prices {
  readonly batchRows: number;
  readonly plainMs: number;
  /** Share of the backbone's time spent up to the cut; an unknown tensor throws InvariantError. */
  readonly shareTo: (tensor: string) => number;
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

/** Multiply-adds of one row through a head. */
export function headMacs(featureCount: number, hidden: HiddenSize, classCount: number): number {
  return hidden === 0 ? featureCount * classCount : hidden * (featureCount + classCount);
}

/**
 * Prices from the table of the plan that sampled. Its cuts are all candidates, so segments carry the cost of every cut:
 * shares are taken of the sum of segments, and each cut that stays is charged its part of the surplus over plain.
 * @param batchRows the largest measured size not above it is used, else the smallest.
 */
export function createPrices(
  costs: CostTable,
  headCost: ServerState['headCost'],
  batchRows: number,
): Prices {
  const { batchSizes, cuts } = costs;
  invariant(batchSizes.length > 0, 'a cost table has a batch size');
  const b = Math.max(
    0,
    batchSizes.findLastIndex((size) => size <= batchRows),
  );
  const rows = batchSizes[b]!;
  const plainMs = costs.plainMs[b]!;
  const segmentMs = costs.segmentMs[b]!;
  const total = segmentMs.reduce((sum, ms) => sum + ms, 0);
  const cutMs = Math.max(0, total - plainMs) / Math.max(1, cuts.length);
  const shareTo = (tensor: string): number => {
    const cut = cuts.indexOf(tensor);
    invariant(cut >= 0, `the cost table has no cut ${tensor}`);
    return segmentMs.slice(0, cut + 1).reduce((sum, ms) => sum + ms, 0) / total;
  };
  const headMs = (macs: number): number =>
    headCost.fixedMs + (headCost.msPerMillionMacs * macs * rows) / 1e6;
  return {
    batchRows: rows,
    plainMs,
    shareTo,
    headMs,
    tableFor: (heads) =>
      tableOf(heads, {
        headMs: ({ macs }) => headMs(macs) + cutMs,
        compactMs: ({ tensor }) => costs.compactMs[b]![cuts.indexOf(tensor)]!,
      }),
    workFor: (heads) =>
      tableOf(heads, { headMs: ({ macs }) => headMs(macs) - headMs(0), compactMs: () => 0 }),
  };

  function tableOf(
    heads: Parameters<TableOf>[0],
    of: Readonly<Record<'headMs' | 'compactMs', (head: (typeof heads)[number]) => number>>,
  ): CostTable {
    const ends = [...heads.map(({ tensor }) => shareTo(tensor)), 1];
    return {
      batchSizes: [rows],
      cuts: heads.map(({ tensor }) => tensor),
      plainMs: [plainMs],
      segmentMs: [ends.map((end, i) => (end - (ends[i - 1] ?? 0)) * plainMs)],
      headMs: [heads.map(of.headMs)],
      compactMs: [heads.map(of.compactMs)],
    };
  }
}
