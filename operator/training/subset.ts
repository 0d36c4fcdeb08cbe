/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the lists themselves */
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { createEvidenceGrid } from '../../server/core/evidence.ts';
import { pathCosts, predictedSaving } from '../stats/cost.ts';
import type { Prices, TableOf } from './price.ts';

/** What the choice needs to know of a head; scores and agreement are per validation row. */
export interface SubsetHead {
  /** Cut of the backbone, or digest of a companion: those come first. */
  readonly tensor: string;
  readonly macs: number;
  readonly sizeBytes: number;
  /** Counts towards what all heads may cost; a companion's time is accepted by naming it. */
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

/** What heads cost at the usual batch size, and in work alone. */
export type SubsetPrices = Pick<Prices, 'tableFor' | 'workFor'>;

type ActivePath = Parameters<typeof predictedSaving>[2];

/** Indices of the chosen heads in backbone order, with what validation rows promise. */
export interface SubsetChoice {
  readonly heads: readonly number[];
  readonly lambdaIndex: number;
  readonly saving: number;
  /** Mean saving of time around the budget: what subsets are compared by. */
  readonly worth: number;
  /** The same of work, without what cuts and heads cost by being there. */
  readonly workWorth: number;
  readonly disagreementRatio: number;
  /** Share of validation rows that leaves at each chosen head. */
  readonly coverage: readonly number[];
}

/** Validation rows flatter a little: they chose the epoch, the shape and the subset (exits.md 4.6). */
const BUDGET_SHARE = 0.7;
/** Budgets whose savings are averaged to compare subsets: one alone hangs on a handful of rows. */
const RANKING_SHARES = [0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;
/**
 * Subsets this close in time are equal, in shares of plain time: the 14 disagreements of 2,000 validation rows scatter a saving by
 * 1.4 points, prices by 1 (measured). Of equals the one wins that saves most work, which neither noise nor load changes: at the
 * usual batch a second exit of a ResNet-20 costs what it saves, in a batch of 32 it is worth 3 points.
 */
const NEARLY = 0.025;

/**
 * Exhaustive choice of at most `maxActiveExits` heads within bytes and time: on the grid of validation rows, the largest
 * lambda with disagreement <= 0.7 budgets, priced by operator/stats. Among subsets within 2.5 % of plain time of the best
 * the one that saves most work wins. Null: no subset fits the limits, or no rows.
 */
export function chooseSubset(
  heads: readonly SubsetHead[],
  limits: SubsetLimits,
  prices: SubsetPrices,
): SubsetChoice | null {
  const choices = rankSubsets(heads, limits, prices);
  const best = choices[0];
  if (best === undefined) return null;
  const near = choices.filter(({ worth }) => worth > 0 && worth >= best.worth - NEARLY);
  return near.reduce((a, b) => (b.workWorth > a.workWorth ? b : a), best);
}

/** Every subset that fits the limits, the one that saves most first. */
export function rankSubsets(
  heads: readonly SubsetHead[],
  limits: SubsetLimits,
  prices: SubsetPrices,
): readonly SubsetChoice[] {
  return subsetsUpTo(heads.length, limits.maxActiveExits)
    .filter((subset) =>
      isWithin(
        subset.map((i) => heads[i]!),
        limits,
      ),
    )
    .map((subset) => assess(subset, heads, { limits, prices }))
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
    readonly prices: SubsetPrices;
  },
): SubsetChoice | null {
  const chosen = subset.map((i) => heads[i]!);
  const grid = gridOf(chosen);
  const { budget } = context.limits;
  const lambdaAt = (share: number): number =>
    grid.dis.findLastIndex((dis) => dis <= share * budget * grid.n);
  const lambdaIndex = lambdaAt(BUDGET_SHARE);
  if (grid.n === 0 || lambdaIndex === -1) return null;
  const activeOf = (tableFor: TableOf): ActivePath => {
    const table = tableFor(chosen);
    const pathCost = pathCosts(table, table.cuts, table.batchSizes[0]!);
    return { pathCost, activeExits: chosen.length };
  };
  const meanSaving = (active: ActivePath): number => {
    const savings = RANKING_SHARES.map((share) => {
      const index = lambdaAt(share);
      return index === -1 ? 0 : predictedSaving(grid, index, active);
    });
    return savings.reduce((sum, saving) => sum + saving, 0) / savings.length;
  };
  const time = activeOf(context.prices.tableFor);
  return {
    heads: subset,
    lambdaIndex,
    saving: predictedSaving(grid, lambdaIndex, time),
    worth: meanSaving(time),
    workWorth: meanSaving(activeOf(context.prices.workFor)),
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
