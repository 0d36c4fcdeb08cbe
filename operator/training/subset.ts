/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the lists themselves */
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import type { CostTable } from '../../crds/wire/state.ts';
import { createEvidenceGrid } from '../../server/core/evidence.ts';
import { pathCosts, predictedSaving } from '../stats/cost.ts';

/** What the choice needs to know of a head; scores and agreement are per validation row. */
export interface SubsetHead {
  readonly tensor: string;
  readonly macs: number;
  readonly sizeBytes: number;
  readonly headMs: number;
  readonly scores: Float64Array;
  readonly agrees: Uint8Array;
}

export interface SubsetLimits {
  readonly budget: number;
  readonly maxActiveExits: number;
  readonly maxBytes: number;
  readonly maxHeadMs: number;
}

/** Indices of the chosen heads in backbone order, with what validation rows promise. */
export interface SubsetChoice {
  readonly heads: readonly number[];
  readonly lambdaIndex: number;
  readonly saving: number;
  /** Mean saving around the budget: what subsets are compared by. */
  readonly worth: number;
  readonly disagreementRatio: number;
  /** Share of validation rows that leaves at each chosen head. */
  readonly coverage: readonly number[];
}

/** Validation rows flatter a little: they chose the epoch, the shape and the subset (exits.md 4.6). */
const BUDGET_SHARE = 0.7;
/** Budgets whose savings are averaged to compare subsets: one alone hangs on a handful of rows. */
const RANKING_SHARES = [0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;
/** A smaller subset wins when it saves almost as much, in shares of plain time. */
const NEARLY = 0.005;

/**
 * Exhaustive choice of at most `maxActiveExits` heads within bytes and time: on the grid of validation rows, the largest
 * lambda with disagreement <= 0.7 budgets, priced by operator/stats. The smallest subset within 0.5 % of plain time of the
 * best wins, among those the one that saves most. Null: no subset fits the limits, or no rows.
 */
export function chooseSubset(
  heads: readonly SubsetHead[],
  limits: SubsetLimits,
  tableFor: (heads: readonly SubsetHead[]) => CostTable,
): SubsetChoice | null {
  const choices = rankSubsets(heads, limits, tableFor);
  const best = choices[0];
  if (best === undefined) return null;
  const near = choices.filter(({ worth }) => worth >= best.worth - NEARLY);
  const fewest = Math.min(...near.map((choice) => choice.heads.length));
  return near.find((choice) => choice.heads.length === fewest)!;
}

/** Every subset that fits the limits, the one that saves most first. */
export function rankSubsets(
  heads: readonly SubsetHead[],
  limits: SubsetLimits,
  tableFor: (heads: readonly SubsetHead[]) => CostTable,
): readonly SubsetChoice[] {
  return subsetsUpTo(heads.length, limits.maxActiveExits)
    .filter((subset) =>
      isWithin(
        subset.map((i) => heads[i]!),
        limits,
      ),
    )
    .map((subset) => assess(subset, heads, { limits, tableFor }))
    .filter((choice) => choice !== null)
    .sort((a, b) => b.worth - a.worth);
}

/** All non-empty ascending lists of at most `size` of the first `count` indices. */
export function subsetsUpTo(count: number, size: number): readonly (readonly number[])[] {
  const all: number[][] = [];
  const extend = (subset: readonly number[], from: number): void => {
    for (let i = from; i < count && subset.length < size; i++) {
      const next = [...subset, i];
      all.push(next);
      extend(next, i + 1);
    }
  };
  extend([], 0);
  return all;
}

function isWithin(heads: readonly SubsetHead[], limits: SubsetLimits): boolean {
  const total = (of: (head: SubsetHead) => number): number =>
    heads.reduce((sum, head) => sum + of(head), 0);
  return (
    total((head) => head.sizeBytes) <= limits.maxBytes &&
    total((head) => head.headMs) <= limits.maxHeadMs
  );
}

function assess(
  subset: readonly number[],
  heads: readonly SubsetHead[],
  context: {
    readonly limits: SubsetLimits;
    readonly tableFor: (heads: readonly SubsetHead[]) => CostTable;
  },
): SubsetChoice | null {
  const chosen = subset.map((i) => heads[i]!);
  const grid = gridOf(chosen);
  const { budget } = context.limits;
  const lambdaAt = (share: number): number =>
    grid.dis.findLastIndex((dis) => dis <= share * budget * grid.n);
  const lambdaIndex = lambdaAt(BUDGET_SHARE);
  if (grid.n === 0 || lambdaIndex === -1) return null;
  const table = context.tableFor(chosen);
  const pathCost = pathCosts(table, table.cuts, table.batchSizes[0]!);
  const active = { pathCost, activeExits: chosen.length };
  const savingAt = (share: number): number => {
    const index = lambdaAt(share);
    return index === -1 ? 0 : predictedSaving(grid, index, active);
  };
  return {
    heads: subset,
    lambdaIndex,
    saving: predictedSaving(grid, lambdaIndex, active),
    worth: RANKING_SHARES.reduce((sum, share) => sum + savingAt(share), 0) / RANKING_SHARES.length,
    disagreementRatio: grid.dis[lambdaIndex]! / grid.n,
    coverage: grid.leave.map((column) => column[lambdaIndex]! / grid.n),
  };
}

/** The grid of exits.md 5.1 over validation rows, by the very counter that servers use. */
function gridOf(heads: readonly SubsetHead[]): EvidenceGrid {
  const counter = createEvidenceGrid(heads.length);
  for (let row = 0; row < heads[0]!.scores.length; row++) {
    counter.addRow(
      heads.map(({ scores }) => scores[row]!),
      heads.map(({ agrees }) => agrees[row]!),
    );
  }
  return counter.snapshot();
}
