// Cuts a segment out of a frozen graph: the nodes that its outputs need, the cut's tensor a placeholder.
import { closeOver } from '../../core/graph/close-over.ts';
import type { GraphFlow } from '../../core/graph/graph-flow.ts';
import type { ShapeTable } from '../../core/graph/shape-table.ts';
import { InvariantError } from '../../core/invariant.ts';
import { ownerOf } from '../../core/tfjs/read-graph.ts';
import type { FrozenGraph } from './frozen-graph.ts';
import { DataType, integers, intAttr, placeholder, typeAttr, type NodeDef } from './node-def.ts';

/** What a segment reads. */
export const SEGMENT_INPUT = 'layercache/input';

export interface SegmentStart {
  readonly tensor: string;
  readonly rowDims: readonly number[];
}

interface GraphToCut {
  readonly frozen: FrozenGraph;
  readonly flow: GraphFlow;
  readonly shapes: ShapeTable;
}

/** @param outputs tensors of the graph. Throws InvariantError when one does not follow from the start. */
export function cutGraph(
  { frozen, flow, shapes }: GraphToCut,
  start: SegmentStart,
  outputs: readonly string[],
): readonly NodeDef[] {
  const ends = { start: start.tensor, outputs };
  const { names, standIns } = closeOver(frozen.graph, flow, shapes, ends);
  const dimsOf = new Map(standIns.map(({ made, dims }) => [ownerOf(made.outputs.join()), dims]));
  const owners = new Set([...names].filter((name) => name !== start.tensor).map(ownerOf));
  const nodes = [...owners].flatMap((owner) => {
    const dims = dimsOf.get(owner);
    return dims === undefined ? definitionsOf(frozen, owner) : shapeStandIn(owner, dims);
  });
  return [
    placeholder(SEGMENT_INPUT, start.rowDims),
    ...nodes.map((each) => fromInput(each, start.tensor)),
  ];
}

/** A constant without a weight has none. */
function definitionsOf({ definitions }: FrozenGraph, owner: string): readonly NodeDef[] {
  const found = definitions.get(owner);
  if (found === undefined) throw new InvariantError(`the graph does not define ${owner}`);
  return found;
}

/** Reads the placeholder wherever it read the cut's tensor. */
function fromInput(each: NodeDef, tensor: string): NodeDef {
  const inputs = each.inputs.map((name) =>
    name === tensor || name === `${tensor}:0` ? SEGMENT_INPUT : name,
  );
  return { ...each, inputs };
}

/** The shape of a tensor before the cut, made again from the number of rows. */
function shapeStandIn(name: string, dims: readonly number[]): readonly NodeDef[] {
  const part = (step: string): string => `layercache/${name}/${step}`;
  const T = typeAttr(DataType.int32);
  const Tidx = T;
  return [
    {
      name: part('all'),
      op: 'Shape',
      inputs: [SEGMENT_INPUT],
      attributes: { T: typeAttr(DataType.float), out_type: T },
    },
    integers(part('zero'), [0]),
    integers(part('one'), [1]),
    {
      name: part('rows'),
      op: 'Slice',
      inputs: [part('all'), part('zero'), part('one')],
      attributes: { T, Index: T },
    },
    integers(part('rest'), dims.slice(1)),
    integers(part('axis'), [0], []),
    {
      name,
      op: 'ConcatV2',
      inputs: [part('rows'), part('rest'), part('axis')],
      attributes: { T, Tidx, N: intAttr(2) },
    },
  ];
}
