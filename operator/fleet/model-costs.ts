import { exitPlace } from '../../crds/wire/exit-place.ts';
import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { BundleStudent } from '../../crds/wire/student.ts';
import type { CompanionModel, CostTable, CutReport, ServerState } from '../../crds/wire/state.ts';
import { convolutionShapes, studentMacs } from '../../server/core/student/student-shape.ts';
import { denseMacs } from '../../server/core/head.ts';
import { ownSegments } from '../../server/core/own-segments.ts';
import { pathCosts as measuredPathCosts } from '../stats/cost.ts';

/** Multiply-adds of one head revision on one backbone, per exit in order. */
export interface RevisionMacs {
  readonly exits: readonly string[];
  /** Backbone up to the exit; none of it before a companion. */
  readonly toExit: readonly number[];
  /** The exit's head alone, or its companion. */
  readonly head: readonly number[];
  readonly backbone: number;
}

type Head = HeadBundle['heads'][number];

/** Multiply-adds of what an exit adds to the backbone: one or two dense layers, or a companion; one that is nowhere loaded counts 0. */
export function headMacs(
  head: Head,
  classCount: number,
  state: Pick<ServerState, 'companionModels'> = {},
): number {
  if (head.student !== undefined) return macsOfStudent(head.student);
  if (head.modelDigest !== null) return findCompanion(state, head.modelDigest)?.macs ?? 0;
  return denseMacs(head, classCount);
}

export function revisionMacs(bundle: HeadBundle, state: ServerState): RevisionMacs {
  const { macs } = state.backbone;
  return {
    exits: bundle.heads.map((head) => head.exit),
    toExit: bundle.heads.map((head) =>
      head.tensor === null ? 0 : (findCut(state.cuts, head.tensor)?.macsShare ?? 1) * macs,
    ),
    head: bundle.heads.map((head) => headMacs(head, bundle.classCount, state)),
    backbone: macs,
  };
}

/**
 * Path cost to each exit and, last, to the backbone's end, with every head on the way, as shares of plain time: measured once
 * the server has built the segments of these heads, before from the cut's share and the fitted time of a head.
 */
export function pathCosts(bundle: HeadBundle, state: ServerState, batchSize: number): number[] {
  const places = bundle.heads.map(exitPlace);
  const { costs } = state;
  if (costs !== null && places.every((place) => isMeasured(costs, place))) {
    return measuredPathCosts(withPlacesAlone(costs, places), places, batchSize);
  }
  return estimatePathCosts(bundle, state);
}

/** A cut without a head in the plan has a head time of 0; a companion is its own segment, and has none. */
function isMeasured(costs: CostTable, place: string): boolean {
  const cut = costs.cuts.indexOf(place);
  if (cut >= 0 && cut < (costs.companions ?? 0)) return true;
  return cut >= 0 && costs.headMs.some((row) => (row[cut] ?? 0) > 0);
}

/**
 * The table as it is for batches that are not audited, which have no cut but those of the heads. The measured plan has the
 * cuts of all samples too: what the backbone's segments take beyond plain time is shared out over its cuts, and each head's cut
 * keeps its part. Companions are before all that, as are cuts whose segments start at the input.
 */
function withPlacesAlone(costs: CostTable, places: readonly string[]): CostTable {
  const { companions = 0, cuts, plainMs } = costs;
  const before = ownSegments(costs);
  const kept = cuts.flatMap((place, cut) => (places.includes(place) ? [cut] : []));
  const [alone, ofBackbone] = [
    kept.filter((cut) => cut < before),
    kept.filter((cut) => cut >= before),
  ];
  const columns = (table: CostTable['headMs'], extra: (row: number) => number): number[][] =>
    table.map((row, b) => kept.map((cut) => (row[cut] ?? 0) + (cut < before ? 0 : extra(b))));
  const totals = costs.segmentMs.map((segments) => sum(segments.slice(before)));
  const cutMs = totals.map(
    (total, b) => Math.max(0, total - (plainMs[b] ?? 0)) / Math.max(1, cuts.length - before),
  );
  return {
    ...costs,
    cuts: kept.flatMap((cut) => cuts[cut] ?? []),
    segmentMs: costs.segmentMs.map((segments, b) => {
      const scale = (plainMs[b] ?? 0) / (totals[b] ?? 1);
      const borders = [...ofBackbone.map((cut) => cut + 1), segments.length];
      return [
        ...alone.map((cut) => segments[cut] ?? 0),
        ...borders.map((end, i) => scale * sum(segments.slice(borders[i - 1] ?? before, end))),
      ];
    }),
    headMs: columns(costs.headMs, (b) => cutMs[b] ?? 0),
    compactMs: columns(costs.compactMs, () => 0),
    ...(companions === 0 ? {} : { companions: kept.filter((cut) => cut < companions).length }),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function estimatePathCosts(bundle: HeadBundle, state: ServerState): number[] {
  const plainMs = state.costs?.plainMs[0] ?? 0;
  const fromInput = state.costs?.fromInput === true;
  const { fixedMs, msPerMillionMacs } = state.headCost;
  let added = 0;
  const costs = bundle.heads.map((head) => {
    if (head.student !== undefined) {
      added += macsOfStudent(head.student) / state.backbone.macs;
      return added;
    }
    if (head.modelDigest !== null) {
      added += findCompanion(state, head.modelDigest)?.msShare ?? 1;
      return added;
    }
    const headMs = fixedMs + (msPerMillionMacs * headMacs(head, bundle.classCount, state)) / 1e6;
    added += share(headMs, plainMs);
    const toCut = shareToCut(state.cuts, head.tensor);
    // A segment from the input is run before all that comes later.
    if (fromInput) added += toCut;
    return fromInput ? added : toCut + added;
  });
  return [...costs, 1 + added];
}

function findCompanion(
  { companionModels }: Pick<ServerState, 'companionModels'>,
  modelDigest: string,
): CompanionModel | undefined {
  return companionModels?.find(({ digest }) => digest === modelDigest);
}

/** A student says itself what it is. */
function macsOfStudent({ input, convolutions, denseBias }: BundleStudent): number {
  const layers = convolutions.map(({ stride, bias }) => ({ outputs: bias.length, stride }));
  return studentMacs(convolutionShapes(input, layers), denseBias.length);
}

function share(partMs: number, plainMs: number): number {
  return plainMs > 0 ? partMs / plainMs : 0;
}

function shareToCut(cuts: readonly CutReport[], tensor: string | null): number {
  return findCut(cuts, tensor)?.msShare ?? 1;
}

function findCut(cuts: readonly CutReport[], tensor: string | null): CutReport | undefined {
  return cuts.find((cut) => cut.tensor === tensor);
}
