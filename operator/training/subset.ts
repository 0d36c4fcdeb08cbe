/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the lists themselves */
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
  readonly disagreementRatio: number;
  /** Share of validation rows that leaves at each chosen head. */
  readonly coverage: readonly number[];
}

/** Validation rows flatter a little: they chose the epoch, the shape and the subset (exits.md 4.6). */
const BUDGET_SHARE = 0.7;
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
  const choices = subsetsUpTo(heads.length, limits.maxActiveExits)
    .filter((subset) =>
      isWithin(
        subset.map((i) => heads[i]!),
        limits,
      ),
    )
    .map((subset) => assess(subset, heads, { limits, tableFor }))
    .filter((choice) => choice !== null);
  const best = choices.reduce((most, { saving }) => Math.max(most, saving), -Infinity);
  const near = choices.filter(({ saving }) => saving >= best - NEARLY);
  near.sort((a, b) => a.heads.length - b.heads.length || b.saving - a.saving);
  return near[0] ?? null;
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
  const allowed = BUDGET_SHARE * context.limits.budget * grid.n;
  const lambdaIndex = grid.dis.findLastIndex((dis) => dis <= allowed);
  if (grid.n === 0 || lambdaIndex === -1) return null;
  const table = context.tableFor(chosen);
  const pathCost = pathCosts(table, table.cuts, table.batchSizes[0]!);
  const active = { pathCost, activeExits: chosen.length };
  return {
    heads: subset,
    lambdaIndex,
    saving: predictedSaving(grid, lambdaIndex, active),
    disagreementRatio: grid.dis[lambdaIndex]! / grid.n,
    coverage: grid.leave.map((column) => column[lambdaIndex]! / grid.n),
  };
}

/** The grid of exits.md 5.1 over validation rows, by the very counter that servers use. */
function gridOf(
  heads: readonly SubsetHead[],
): ReturnType<ReturnType<typeof createEvidenceGrid>['snapshot']> {
  const counter = createEvidenceGrid(heads.length);
  const rows = heads[0]!.scores.length;
  for (let row = 0; row < rows; row++) {
    counter.addRow(
      heads.map(({ scores }) => scores[row]!),
      heads.map(({ agrees }) => agrees[row]!),
    );
  }
  return counter.snapshot();
}
