// Multiply-adds per row, from real shapes. Elementwise work, pooling and normalisation count as zero.
import type { OnnxModel, OnnxNode } from './read-model.ts';
import type { GraphFlow } from './graph-flow.ts';

/** What one run with all wanted tensors exposed has shown. */
export interface MeasuredShape {
  /** Element type of the runtime, such as 'float32'. */
  readonly type: string;
  /** Shape at `rows` rows. */
  readonly dims: readonly number[];
  /** The first dimension is the number of rows and the others do not depend on it. */
  readonly rowsFirst: boolean;
}

export interface ShapeTable {
  /** Rows of the run that gave the dims. */
  readonly rows: number;
  readonly shapeOf: ReadonlyMap<string, MeasuredShape>;
}

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

/** Tensors whose shapes `macsOf` asks for. */
export function macTensors(node: OnnxNode): readonly string[] {
  const counted =
    CONVOLUTION_WEIGHT.has(node.op) ||
    node.op === 'ConvTranspose' ||
    PRODUCTS.has(node.op) ||
    GENERAL_PRODUCTS.has(node.op);
  return counted ? [...node.inputs.filter((name) => name !== ''), ...node.outputs] : [];
}

/** Multiply-adds of one row in this node; 0 for nodes that are not counted or whose shapes are unknown. */
export function macsOf(
  node: OnnxNode,
  dimsOf: (name: string) => readonly number[],
  rows: number,
): number {
  const input = dimsOf(nameAt(node.inputs, 0));
  const output = dimsOf(nameAt(node.outputs, 0));
  const kernelAt = CONVOLUTION_WEIGHT.get(node.op);
  if (kernelAt !== undefined) {
    return (product(output) / rows) * product(dimsOf(nameAt(node.inputs, kernelAt)).slice(1));
  }
  if (node.op === 'ConvTranspose') {
    return (product(input) / rows) * product(dimsOf(nameAt(node.inputs, 1)).slice(1));
  }
  if (PRODUCTS.has(node.op)) return (product(output) / rows) * product(input.slice(-1));
  if (GENERAL_PRODUCTS.has(node.op)) {
    return (product(output) / rows) * (product(input) / Math.max(1, product(output.slice(0, 1))));
  }
  return 0;
}

/** Multiply-adds of one row before each node (length nodes + 1, last = all). Constant and shape-only nodes count as zero. */
export function macsBefore(
  model: OnnxModel,
  flow: GraphFlow,
  shapes: ShapeTable,
): readonly number[] {
  const fixed = new Map(model.initializers.map(({ name, dims }) => [name, dims]));
  const dimsOf = (name: string): readonly number[] =>
    fixed.get(name) ?? shapes.shapeOf.get(name)?.dims ?? [];
  const sums = [0];
  let sum = 0;
  for (const node of model.nodes) {
    const isRow = node.outputs.some((name) => flow.kindOf.get(name) === 'row');
    sum += isRow ? macsOf(node, dimsOf, shapes.rows) : 0;
    sums.push(sum);
  }
  return sums;
}

/** 0 for an unknown shape, so that what is unknown counts nothing. */
function product(dims: readonly number[]): number {
  return dims.length === 0 ? 0 : dims.reduce((all, dim) => all * dim, 1);
}

function nameAt(names: readonly string[], index: number): string {
  return names.slice(index, index + 1).join('');
}
