import type { ComputeGraph } from './compute-graph.ts';

/** Operators that only pass scores on. */
const PASSES: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Cast']);

/** What the class scores of an output are, by the operator that made them. */
export function outputKind(
  model: ComputeGraph,
  output: string,
): 'Logits' | 'Probabilities' | 'LogProbabilities' {
  let wanted = output;
  for (const node of [...model.nodes].reverse()) {
    if (!node.outputs.includes(wanted)) continue;
    if (node.op === 'Softmax') return 'Probabilities';
    if (node.op === 'LogSoftmax') return 'LogProbabilities';
    if (!PASSES.has(node.op)) return 'Logits';
    wanted = node.inputs.slice(0, 1).join('');
  }
  return 'Logits';
}
