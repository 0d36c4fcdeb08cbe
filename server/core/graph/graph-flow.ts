// What each value of a graph depends on, and how long it is needed: the ground that cuts are found on.
import type { ComputeGraph, GraphNode } from './compute-graph.ts';

/**
 * constant: known from the file. shape: follows from the shape of rows alone (Shape and what is made of it), so a segment
 * can make it again. row: depends on what the rows hold.
 */
export type ValueKind = 'constant' | 'shape' | 'row';

/** Operators that draw new numbers on each run: never folded, never made twice. */
const CHANCE = /^(Random|Multinomial$|Bernoulli$)/;

export interface GraphFlow {
  readonly kindOf: ReadonlyMap<string, ValueKind>;
  /** Position of the node that makes a value; graph inputs -1; initialisers are absent. */
  readonly madeAt: ReadonlyMap<string, number>;
  /** Position of the last node that needs a row value for its rows; node count = graph output. Absent: never used. */
  readonly neededUntil: ReadonlyMap<string, number>;
  /** For sources of Shape nodes: the last row node that what was made of that shape feeds. */
  readonly shapeNeededUntil: ReadonlyMap<string, number>;
  /** What is read inside control-flow bodies, with the node whose body it is. */
  readonly captured: ReadonlyMap<string, GraphNode>;
}

/** Names that a node reads, its sub-graphs included. */
export function namesRead(node: GraphNode): readonly string[] {
  return [...node.inputs, ...node.captured].filter((name) => name !== '');
}

/** O(nodes + edges). Nodes are in topological order, as the ONNX format demands. */
export function traceFlow(model: ComputeGraph): GraphFlow {
  const kindOf = new Map<string, ValueKind>();
  const madeAt = new Map<string, number>();
  for (const { name } of model.initializers) kindOf.set(name, 'constant');
  for (const { name } of model.inputs) {
    kindOf.set(name, 'row');
    madeAt.set(name, -1);
  }
  for (const [position, node] of model.nodes.entries()) {
    const kind = kindOfNode(node, kindOf);
    for (const name of node.outputs) {
      kindOf.set(name, kind);
      madeAt.set(name, position);
    }
  }
  return {
    kindOf,
    madeAt,
    ...traceNeeds(model, kindOf),
    captured: new Map(
      model.nodes.flatMap((node) => node.captured.map((name) => [name, node] as const)),
    ),
  };
}

function kindOfNode(node: GraphNode, kindOf: ReadonlyMap<string, ValueKind>): ValueKind {
  if (CHANCE.test(node.op)) return 'row';
  const kinds = namesRead(node).map((name) => kindOf.get(name));
  if (kinds.every((kind) => kind === 'constant')) return 'constant';
  if (node.op === 'Shape' || kinds.every((kind) => kind === 'constant' || kind === 'shape')) {
    return 'shape';
  }
  return 'row';
}

/** Reads only the shape of a value that depends on the rows. */
export function isShapeOfRows(node: GraphNode, kindOf: ReadonlyMap<string, ValueKind>): boolean {
  return node.op === 'Shape' && node.inputs.every((name) => kindOf.get(name) === 'row');
}

/** Backwards, so that the need of a shape value is known before the Shape node that it comes from. */
function traceNeeds(
  model: ComputeGraph,
  kindOf: ReadonlyMap<string, ValueKind>,
): Pick<GraphFlow, 'neededUntil' | 'shapeNeededUntil'> {
  const neededUntil = new Map<string, number>();
  const shapeNeededUntil = new Map<string, number>();
  const raise = (needs: Map<string, number>, name: string, position: number): void => {
    needs.set(name, Math.max(position, needs.get(name) ?? -1));
  };
  for (const { name } of model.outputs) raise(neededUntil, name, model.nodes.length);
  for (const [position, node] of [...model.nodes.entries()].reverse()) {
    const isRow = node.outputs.some((name) => kindOf.get(name) === 'row');
    const own = Math.max(-1, ...node.outputs.map((name) => neededUntil.get(name) ?? -1));
    const until = isRow ? position : own;
    const needs = isShapeOfRows(node, kindOf) ? shapeNeededUntil : neededUntil;
    if (until >= 0) for (const name of namesRead(node)) raise(needs, name, until);
  }
  return { neededUntil, shapeNeededUntil };
}
