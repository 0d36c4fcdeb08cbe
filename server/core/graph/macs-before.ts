import type { ComputeGraph, GraphVocabulary } from './compute-graph.ts';
import type { GraphFlow } from './graph-flow.ts';
import type { ShapeTable } from './shape-table.ts';

/** Multiply-adds of one row before each node (length nodes + 1, last = all). Constant and shape-only nodes count as zero. */
export function macsBefore(
  graph: ComputeGraph,
  flow: GraphFlow,
  shapes: ShapeTable,
  vocabulary: GraphVocabulary,
): readonly number[] {
  const fixed = new Map(graph.initializers.map(({ name, dims }) => [name, dims]));
  const dimsOf = (name: string): readonly number[] =>
    fixed.get(name) ?? shapes.shapeOf.get(name)?.dims ?? [];
  const sums = [0];
  let sum = 0;
  for (const node of graph.nodes) {
    const isRow = node.outputs.some((name) => flow.kindOf.get(name) === 'row');
    sum += isRow ? vocabulary.macsOf(node, dimsOf, shapes.rows) : 0;
    sums.push(sum);
  }
  return sums;
}
