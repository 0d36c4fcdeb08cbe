import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { CostTable, CutReport, ServerState } from '../../../crds/wire/state.ts';
import { pathCosts as measuredPathCosts } from '../../stats/cost.ts';

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
    return measuredPathCosts(costs, tensors, batchSize);
  }
  return estimatePathCosts(bundle, state);
}

/** A cut without a head in the plan has a head time of 0. */
function isMeasured(costs: CostTable, tensor: string): boolean {
  const cut = costs.cuts.indexOf(tensor);
  return cut >= 0 && costs.headMs.every((row) => (row[cut] ?? 0) > 0);
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
