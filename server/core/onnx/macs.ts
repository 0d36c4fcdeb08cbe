// Multiply-adds per row, from real shapes. Elementwise work, pooling and normalisation count as zero.
import { sizeOf, type GraphNode, type GraphVocabulary } from '../graph/compute-graph.ts';

/** Position of the weight among the inputs of a convolution. */
const CONVOLUTION_WEIGHT: ReadonlyMap<string, number> = new Map([
  ['Conv', 1],
  ['FusedConv', 1],
  ['ConvInteger', 1],
  ['QLinearConv', 3],
]);
const PRODUCTS: ReadonlySet<string> = new Set([
  'MatMul',
  'FusedMatMul',
  'MatMulInteger',
  'QLinearMatMul',
]);
const GENERAL_PRODUCTS: ReadonlySet<string> = new Set(['Gemm', 'FusedGemm']);

function macTensors(node: GraphNode): readonly string[] {
  const counted =
    CONVOLUTION_WEIGHT.has(node.op) ||
    node.op === 'ConvTranspose' ||
    PRODUCTS.has(node.op) ||
    GENERAL_PRODUCTS.has(node.op);
  return counted ? [...node.inputs.filter((name) => name !== ''), ...node.outputs] : [];
}

function macsOf(
  node: GraphNode,
  dimsOf: (name: string) => readonly number[],
  rows: number,
): number {
  const input = dimsOf(nameAt(node.inputs, 0));
  const output = dimsOf(nameAt(node.outputs, 0));
  const kernelAt = CONVOLUTION_WEIGHT.get(node.op);
  if (kernelAt !== undefined) {
    return (sizeOf(output) / rows) * sizeOf(dimsOf(nameAt(node.inputs, kernelAt)).slice(1));
  }
  if (node.op === 'ConvTranspose') {
    return (sizeOf(input) / rows) * sizeOf(dimsOf(nameAt(node.inputs, 1)).slice(1));
  }
  if (PRODUCTS.has(node.op)) return (sizeOf(output) / rows) * sizeOf(input.slice(-1));
  if (GENERAL_PRODUCTS.has(node.op)) {
    return (sizeOf(output) / rows) * (sizeOf(input) / Math.max(1, sizeOf(output.slice(0, 1))));
  }
  return 0;
}

function nameAt(names: readonly string[], index: number): string {
  return names.slice(index, index + 1).join('');
}

export const ONNX_VOCABULARY: GraphVocabulary = { layout: 'NCHW', macTensors, macsOf };
