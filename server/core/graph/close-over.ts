// What a segment needs of a graph: everything from its outputs back to its start.
import { invariant } from '../invariant.ts';
import type { GraphNode } from './compute-graph.ts';
import { isShapeOfRows, namesRead, type GraphFlow } from './graph-flow.ts';
import type { ShapeTable } from './shape-table.ts';

interface SegmentEnds {
  /** Tensor that the segment starts from: the graph input or a cut. */
  readonly start: string;
  readonly outputs: readonly string[];
}

/** A Shape node of a tensor before the start, with the shape that it would see: made again from the number of rows. */
export interface StandIn<N> {
  readonly made: N;
  readonly dims: readonly number[];
}

interface Closure<N> {
  /** Tensors that are read or made in the segment, its start included. */
  readonly names: ReadonlySet<string>;
  /** In no order. */
  readonly nodes: ReadonlySet<N>;
  readonly standIns: readonly StandIn<N>[];
}

/** O(nodes + edges). Throws InvariantError when an output does not follow from the start: cuts come from `findCuts`. */
export function closeOver<N extends GraphNode>(
  { nodes }: { readonly nodes: readonly N[] },
  flow: GraphFlow,
  shapes: ShapeTable,
  { start, outputs }: SegmentEnds,
): Closure<N> {
  const maker = new Map(nodes.flatMap((made) => made.outputs.map((name) => [name, made] as const)));
  const names = new Set<string>();
  const needed = new Set<N>();
  const shapeNodes: StandIn<N>[] = [];
  const pending = [...outputs];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (names.has(name)) continue;
    names.add(name);
    const made = name === start ? undefined : maker.get(name);
    const isReached = made !== undefined || name === start || flow.kindOf.get(name) === 'constant';
    invariant(isReached, `${name} does not follow from ${start}`);
    if (made === undefined || needed.has(made)) continue;
    const dims = dimsToRemake(made, flow, shapes);
    if (dims !== null) shapeNodes.push({ made, dims });
    else {
      needed.add(made);
      pending.push(...namesRead(made));
    }
  }
  // Where the tensor itself is in the segment, so is its shape.
  const isHere = ({ made }: StandIn<N>): boolean => made.inputs.every((name) => names.has(name));
  for (const { made } of shapeNodes.filter(isHere)) needed.add(made);
  return { names, nodes: needed, standIns: shapeNodes.filter((each) => !isHere(each)) };
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
