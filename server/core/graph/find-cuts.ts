// Candidate cuts of a backbone: tensors that alone carry everything on, so that the rest can run from them.
import { whyNoCut, type CutCandidate } from './cut-checks.ts';
import { nodeText, type ComputeGraph, type GraphVocabulary } from './compute-graph.ts';
import type { GraphFlow } from './graph-flow.ts';
import { articulations, livePlaces, type Place } from './live-places.ts';
import { macsBefore } from './macs-before.ts';
import type { ShapeTable } from './shape-table.ts';

type Layout = GraphVocabulary['layout'];

/** Tensors named in the explanation of why there are no cuts. */
const EXPLAINED = 16;
/** Characters; names of tensors may be long, and the state of a server is bounded. */
const MAX_REASON = 1024;

export interface FoundCut {
  readonly tensor: string;
  readonly macsShare: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Shape of one row. */
  readonly rowDims: readonly number[];
}

export interface RejectedCut {
  readonly tensor: string;
  readonly reason: string;
}

export interface CutSearch {
  /** Multiply-adds of one row. */
  readonly macs: number;
  /** In backbone order, one per amount of work done. */
  readonly cuts: readonly FoundCut[];
  readonly rejected: readonly RejectedCut[];
}

/** Cuts, and of every tensor that is alone but no cut why not, what another export could change first; where none is a cut, also
 *  what else is live beside the outputs of nodes. No multiply-adds at all = no cuts. */
export function findCuts(
  model: ComputeGraph,
  flow: GraphFlow,
  shapes: ShapeTable,
  vocabulary: GraphVocabulary,
): CutSearch {
  const { layout } = vocabulary;
  const before = macsBefore(model, flow, shapes, vocabulary);
  const macs = before.reduce((_, sum) => sum, 0);
  const places = livePlaces(model, flow);
  const obstacles: RejectedCut[] = [];
  const useless: RejectedCut[] = [];
  const levels = new Map<number, CutCandidate[]>();
  for (const [tensor, { position }] of articulations(model, places)) {
    const shape = shapes.shapeOf.get(tensor) ?? { type: 'unknown', dims: [], rowsFirst: false };
    const done = before.slice(0, position + 2).reduce((_, sum) => sum, 0);
    const candidate = { tensor, position, shape, macsShare: macs > 0 ? done / macs : 0 };
    const refusal = whyNoCut(candidate, flow, shapes);
    if (refusal === null) levels.set(done, [...(levels.get(done) ?? []), candidate]);
    else (refusal.isObstacle ? obstacles : useless).push({ tensor, reason: refusal.reason });
  }
  const cuts: FoundCut[] = [];
  for (const level of levels.values()) {
    const best = bestOfLevel(level, layout);
    const aliases = level.filter((candidate) => candidate !== best);
    useless.push(...aliases.map(({ tensor }) => ({ tensor, reason: aliasReason(best) })));
    cuts.push(toCut(best, layout));
  }
  if (levels.size === 0) obstacles.push(...explainCrowd(model, flow, places));
  return { macs, cuts, rejected: [...obstacles, ...useless] };
}

/** The last one (after the activation) of those that kept their spatial axes: a head can pool a map, not spread a vector. */
function bestOfLevel(level: readonly CutCandidate[], layout: Layout): CutCandidate {
  const sides = layout === 'NCHW' ? [2, 4] : [1, 3];
  const isMap = ({ shape }: CutCandidate): boolean =>
    shape.dims.length === 4 && shape.dims.slice(...sides).some((extent) => extent > 1);
  const maps = level.filter(isMap);
  return (maps.length > 0 ? maps : level).reduce((_, candidate) => candidate);
}

function aliasReason(best: CutCandidate): string {
  return `the same work is done as at ${best.tensor}, which is the cut`;
}

/** Vectors are [channels], sequences [tokens, channels] pooled along the tokens, maps in the layout of the format. */
function toCut({ tensor, macsShare, shape }: CutCandidate, layout: Layout): FoundCut {
  const rowDims = shape.dims.slice(1);
  const channelsFirst = rowDims.length === 3 && layout === 'NCHW';
  const [channels = 1, height = 1, width = 1] = channelsFirst
    ? rowDims
    : [...rowDims.slice(-1), ...rowDims.slice(0, -1)];
  return { tensor, macsShare, channels, height, width, rowDims };
}

function explainCrowd(
  model: ComputeGraph,
  flow: GraphFlow,
  places: readonly Place[],
): readonly RejectedCut[] {
  const crowded = places.filter(({ live }) => live.length > 1);
  const step = Math.max(1, Math.ceil(crowded.length / EXPLAINED));
  return crowded
    .filter((_, index) => index % step === 0)
    .flatMap(({ position, live }) =>
      model.nodes.slice(position, position + 1).flatMap(({ outputs }) =>
        outputs.slice(0, 1).map((tensor) => ({
          tensor,
          reason: `not all of what goes on: ${beside(tensor, live, model, flow)}`.slice(
            0,
            MAX_REASON,
          ),
        })),
      ),
    );
}

/** What goes past the tensor, and which operator reads it last. */
function beside(
  tensor: string,
  live: readonly string[],
  model: ComputeGraph,
  flow: GraphFlow,
): string {
  const others = live.filter((name) => name !== tensor);
  const named = others.slice(0, 3).map((name) => {
    const [reader] = model.nodes.slice(flow.neededUntil.get(name));
    return `${name} (${reader === undefined ? 'an output of the model' : `last read by ${nodeText(reader)}`})`;
  });
  return `${named.join(', ')} ${others.length > 1 ? 'are' : 'is'} needed after it as well`;
}
