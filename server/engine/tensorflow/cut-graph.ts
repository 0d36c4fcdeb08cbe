// Cuts a segment out of a frozen graph: the nodes that its outputs need, the cut's tensor a placeholder.
import { isShapeOfRows, type GraphFlow } from '../../core/graph/graph-flow.ts';
import type { GraphNode } from '../../core/graph/compute-graph.ts';
import type { ShapeTable } from '../../core/graph/shape-table.ts';
import { InvariantError } from '../../core/invariant.ts';
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
  const maker = new Map(
    frozen.graph.nodes.flatMap((made) => made.outputs.map((name) => [name, made] as const)),
  );
  const reached = new Set<string>();
  const owners = new Set<string>();
  const shapesRead: { readonly made: GraphNode; readonly dims: readonly number[] }[] = [];
  const pending = [...outputs];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (reached.has(name) || name === start.tensor) continue;
    reached.add(name);
    const made = maker.get(name);
    const dims = made === undefined ? null : dimsToRemake(made, flow, shapes);
    if (made !== undefined && dims !== null) shapesRead.push({ made, dims });
    else {
      owners.add(ownerOf(name));
      pending.push(...(made?.inputs ?? []));
    }
  }
  const isHere = (name: string): boolean => name === start.tensor || reached.has(name);
  const standIns = shapesRead.flatMap(({ made, dims }) =>
    made.inputs.every(isHere)
      ? definitionsOf(frozen, ownerOf(made.outputs.join()))
      : shapeStandIn(ownerOf(made.outputs.join()), dims),
  );
  const copied = [...owners].flatMap((owner) => definitionsOf(frozen, owner));
  return [
    placeholder(SEGMENT_INPUT, start.rowDims),
    ...[...copied, ...standIns].map((each) => fromInput(each, start.tensor)),
  ];
}

function definitionsOf({ definitions }: FrozenGraph, owner: string): readonly NodeDef[] {
  const found = definitions.get(owner);
  if (found === undefined || found.some(({ op }) => op === 'Placeholder')) {
    throw new InvariantError(`${owner} does not follow from the start of the segment`);
  }
  return found;
}

/** Reads the placeholder wherever it read the cut's tensor. */
function fromInput(each: NodeDef, tensor: string): NodeDef {
  const inputs = each.inputs.map((name) =>
    name === tensor || name === `${tensor}:0` ? SEGMENT_INPUT : name,
  );
  return { ...each, inputs };
}

/** The shape that a Shape node reads, when it follows from the number of rows; else null. */
function dimsToRemake(
  made: GraphNode,
  flow: GraphFlow,
  shapes: ShapeTable,
): readonly number[] | null {
  if (!isShapeOfRows(made, flow.kindOf)) return null;
  const shape = shapes.shapeOf.get(made.inputs.join());
  return shape?.rowsFirst === true ? shape.dims : null;
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

function ownerOf(tensor: string): string {
  return tensor.replace(/:\d+$/, '');
}
