import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { CostTable, CutReport, ServerState } from '../../crds/wire/state.ts';
import { pathCosts as measuredPathCosts } from '../stats/cost.ts';

/** Multiply-adds of one head revision on one backbone, per exit in order. */
export interface RevisionMacs {
  readonly exits: readonly string[];
  /** Backbone up to the exit. */
  readonly toExit: readonly number[];
  /** The exit's head alone. */
  readonly head: readonly number[];
  readonly backbone: number;
}

/** Multiply-adds of a head: one or two dense layers. */
export function headMacs(head: HeadBundle['heads'][number], classCount: number): number {
  return head.hidden === 0
    ? head.featureCount * classCount
    : head.featureCount * head.hidden + head.hidden * classCount;
}

export function revisionMacs(bundle: HeadBundle, state: ServerState): RevisionMacs {
  const { macs } = state.backbone;
  return {
    exits: bundle.heads.map((head) => head.exit),
    toExit: bundle.heads.map((head) => (findCut(state.cuts, head.tensor)?.macsShare ?? 1) * macs),
    head: bundle.heads.map((head) => headMacs(head, bundle.classCount)),
    backbone: macs,
  };
}

/**
 * Path cost to each exit and, last, to the backbone's end, with every head on the way, as shares of plain time: measured once
 * the server has built the segments of these heads, before from the cut's share and the fitted time of a head.
 */
export function pathCosts(bundle: HeadBundle, state: ServerState, batchSize: number): number[] {
  const tensors = bundle.heads.flatMap(({ tensor }) => (tensor === null ? [] : [tensor]));
  const { costs } = state;
  if (costs !== null && tensors.every((tensor) => isMeasured(costs, tensor))) {
    return measuredPathCosts(withCutsAlone(costs, tensors), tensors, batchSize);
  }
  return estimatePathCosts(bundle, state);
}

/** A cut without a head in the plan has a head time of 0. */
function isMeasured(costs: CostTable, tensor: string): boolean {
  const cut = costs.cuts.indexOf(tensor);
  return cut >= 0 && costs.headMs.some((row) => (row[cut] ?? 0) > 0);
}

/**
 * The table as it is for batches that are not audited, which have no cut but those of the heads. The measured plan has the
 * cuts of all samples too: what its segments take beyond plain time is shared out over its cuts, and each head's cut keeps
 * its part.
 */
function withCutsAlone(costs: CostTable, tensors: readonly string[]): CostTable {
  const kept = costs.cuts.flatMap((tensor, cut) => (tensors.includes(tensor) ? [cut] : []));
  const columns = (table: CostTable['headMs'], extra: (row: number) => number): number[][] =>
    table.map((row, b) => kept.map((cut) => (row[cut] ?? 0) + extra(b)));
  const totals = costs.segmentMs.map(sum);
  const cutMs = totals.map(
    (total, b) => Math.max(0, total - (costs.plainMs[b] ?? 0)) / Math.max(1, costs.cuts.length),
  );
  return {
    ...costs,
    cuts: kept.flatMap((cut) => costs.cuts[cut] ?? []),
    segmentMs: costs.segmentMs.map((segments, b) => {
      const scale = (costs.plainMs[b] ?? 0) / (totals[b] ?? 1);
      const borders = [...kept.map((cut) => cut + 1), segments.length];
      return borders.map((end, i) => scale * sum(segments.slice(borders[i - 1] ?? 0, end)));
    }),
    headMs: columns(costs.headMs, (b) => cutMs[b] ?? 0),
    compactMs: columns(costs.compactMs, () => 0),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function estimatePathCosts(bundle: HeadBundle, state: ServerState): number[] {
  const plainMs = state.costs?.plainMs[0] ?? 0;
  const { fixedMs, msPerMillionMacs } = state.headCost;
  let headsMs = 0;
  const costs = bundle.heads.map((head) => {
    headsMs += fixedMs + (msPerMillionMacs * headMacs(head, bundle.classCount)) / 1e6;
    return (findCut(state.cuts, head.tensor)?.msShare ?? 1) + share(headsMs, plainMs);
  });
  return [...costs, 1 + share(headsMs, plainMs)];
}

function share(partMs: number, plainMs: number): number {
  return plainMs > 0 ? partMs / plainMs : 0;
}

function findCut(cuts: readonly CutReport[], tensor: string | null): CutReport | undefined {
  return cuts.find((cut) => cut.tensor === tensor);
}
