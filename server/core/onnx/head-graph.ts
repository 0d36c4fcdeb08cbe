// Pooling and heads as ONNX nodes: the same functions as server/core/pool.ts and head.ts, run inside the segment.
// Weights are graph inputs, so that a swap of heads rebuilds nothing.
import type { HiddenSize, PoolSize } from '../../../crds/wire/head-bundle.ts';
import {
  anyValue,
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
  type NodeLiteral,
  type TensorLiteral,
  type ValueLiteral,
} from './build-model.ts';
import type { SegmentTail } from './cut-segment.ts';

export interface HeadSlot {
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  readonly featureCount: number;
}

export interface TailRequest {
  readonly tensor: string;
  /** Shape of one row of the cut tensor. */
  readonly rowDims: readonly number[];
  readonly slots: readonly HeadSlot[];
  readonly classCount: number;
  readonly samplePool: PoolSize | null;
}

export const POOLED_OUTPUT = 'layercache/pooled';

/** Features beyond this many standard deviations are clipped (exits.md 4.1). */
const FEATURE_LIMIT = 8;

/** Names of a slot's graph inputs and of its output. */
export function slotNames(slot: number): Readonly<Record<HeadInput | 'logits', string>> {
  const prefix = `layercache/head${slot}`;
  return {
    mean: `${prefix}/mean`,
    scale: `${prefix}/scale`,
    w1: `${prefix}/w1`,
    b1: `${prefix}/b1`,
    w2: `${prefix}/w2`,
    b2: `${prefix}/b2`,
    logits: `${prefix}/logits`,
  };
}

export type HeadInput = 'mean' | 'scale' | 'w1' | 'b1' | 'w2' | 'b2';

/** Shapes of a head's inputs; w2 and b2 are absent when there is no hidden layer. */
export function headInputDims(
  slot: HeadSlot,
  classCount: number,
): readonly (readonly [HeadInput, readonly number[]])[] {
  const { featureCount, hidden } = slot;
  const first = hidden === 0 ? classCount : hidden;
  return [
    ['mean', [featureCount]],
    ['scale', [featureCount]],
    ['w1', [featureCount, first]],
    ['b1', [first]],
    ...(hidden === 0
      ? []
      : ([
          ['w2', [hidden, classCount]],
          ['b2', [classCount]],
        ] as const)),
  ];
}

export const NO_TAIL: SegmentTail = { nodes: [], initializers: [], inputs: [], outputs: [] };

/** What is appended to the segment that ends in `tensor`. */
export function headTail(request: TailRequest): SegmentTail {
  const { slots, classCount, samplePool } = request;
  const pooling = new Pooling(request);
  const nodes: NodeLiteral[] = [];
  const initializers: TensorLiteral[] = [];
  const inputs: ValueLiteral[] = [];
  const outputs: ValueLiteral[] = [];
  for (const [index, slot] of slots.entries()) {
    const head = headNodes(index, slot, pooling.features(slot.pool), classCount);
    nodes.push(...head.nodes);
    initializers.push(...head.initializers);
    inputs.push(...head.inputs);
    outputs.push(...head.outputs);
  }
  if (samplePool !== null) {
    nodes.push(node('Identity', [pooling.features(samplePool)], [POOLED_OUTPUT]));
    outputs.push(anyValue(POOLED_OUTPUT));
  }
  return {
    nodes: [...pooling.nodes, ...nodes],
    initializers: [...pooling.initializers, ...initializers],
    inputs,
    outputs,
  };
}

/** A head alone, from features: known answers run through the very nodes of the segments. */
export function headModel(slot: HeadSlot, classCount: number): Uint8Array {
  const head = headNodes(0, slot, 'features', classCount);
  return buildModel({
    ...head,
    inputs: [floatValue('features', ['rows', slot.featureCount]), ...head.inputs],
  });
}

function headNodes(
  index: number,
  slot: HeadSlot,
  features: string,
  classCount: number,
): SegmentTail {
  const name = slotNames(index);
  const inner = (step: string): string => `layercache/head${index}/${step}`;
  const product = slot.hidden === 0 ? inner('z') : inner('hidden');
  const nodes = [
    node('Sub', [features, name.mean], [inner('centred')]),
    node('Div', [inner('centred'), name.scale], [inner('scaled')]),
    node('Min', [inner('scaled'), inner('upper')], [inner('below')]),
    node('Max', [inner('below'), inner('lower')], [inner('x')]),
    node('Gemm', [inner('x'), name.w1, name.b1], [product]),
    // Zero times a non-finite feature is NaN: the clip and the rectifier would hide it, and the row could leave.
    node('MatMul', [features, inner('zeros')], [inner('poison')]),
    node('Add', [inner('z'), inner('poison')], [name.logits]),
  ];
  if (slot.hidden > 0) {
    nodes.splice(
      5,
      0,
      node('Relu', [product], [inner('rectified')]),
      node('Gemm', [inner('rectified'), name.w2, name.b2], [inner('z')]),
    );
  }
  return {
    nodes,
    initializers: [
      floatTensor(inner('upper'), [], [FEATURE_LIMIT]),
      floatTensor(inner('lower'), [], [-FEATURE_LIMIT]),
      floatTensor(inner('zeros'), [slot.featureCount, 1], new Float32Array(slot.featureCount)),
    ],
    inputs: headInputDims(slot, classCount).map(([input, dims]) => floatValue(name[input], dims)),
    outputs: [floatValue(name.logits, ['rows', classCount])],
  };
}

/** Nodes that pool the cut tensor, made once per pool size. Order of the result: (cellRow * p + cellColumn) * channels + channel. */
class Pooling {
  readonly nodes: NodeLiteral[] = [];
  readonly initializers: TensorLiteral[] = [];
  private readonly made = new Set<PoolSize>();
  private readonly request: TailRequest;

  constructor(request: TailRequest) {
    this.request = request;
  }

  features(pool: PoolSize): string {
    const name = `layercache/pool${pool}`;
    if (!this.made.has(pool)) {
      this.made.add(pool);
      this.nodes.push(
        ...this.steps(pool, name),
        node('Flatten', [`${name}/cells`], [name], { axis: { int: 1 } }),
      );
    }
    return name;
  }

  private steps(pool: PoolSize, name: string): readonly NodeLiteral[] {
    const { tensor, rowDims } = this.request;
    const [channels = 1, height = 1, width = 1] = rowDims;
    if (rowDims.length === 1) return [node('Identity', [tensor], [`${name}/cells`])];
    if (rowDims.length === 2) {
      return [
        node('Transpose', [tensor], [`${name}/sequence`], { perm: { ints: [0, 2, 1] } }),
        node('GlobalAveragePool', [`${name}/sequence`], [`${name}/cells`]),
      ];
    }
    if (pool === 1) return [node('GlobalAveragePool', [tensor], [`${name}/cells`])];
    if (height % pool === 0 && width % pool === 0) {
      const extent = { ints: [height / pool, width / pool] };
      return [
        node('AveragePool', [tensor], [`${name}/map`], { kernel_shape: extent, strides: extent }),
        node('Transpose', [`${name}/map`], [`${name}/cells`], { perm: { ints: [0, 2, 3, 1] } }),
      ];
    }
    this.initializers.push(
      int64Tensor(`${name}/plane`, [3], [0, channels, height * width]),
      floatTensor(
        `${name}/weights`,
        [height * width, pool * pool],
        unevenCells(pool, height, width),
      ),
    );
    return [
      node('Reshape', [tensor, `${name}/plane`], [`${name}/pixels`]),
      node('MatMul', [`${name}/pixels`, `${name}/weights`], [`${name}/map`]),
      node('Transpose', [`${name}/map`], [`${name}/cells`], { perm: { ints: [0, 2, 1] } }),
    ];
  }
}

/** [height * width, pool * pool]: 1 / area where a pixel lies in a cell. Borders as in server/core/pool.ts. */
function unevenCells(pool: number, height: number, width: number): Float32Array {
  const weights = new Float32Array(height * width * pool * pool);
  const border = (cell: number, size: number): number => Math.floor((cell * size) / pool);
  for (let cell = 0; cell < pool * pool; cell += 1) {
    const [row, column] = [Math.floor(cell / pool), cell % pool];
    const [top, bottom] = [border(row, height), border(row + 1, height)];
    const [left, right] = [border(column, width), border(column + 1, width)];
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) {
        weights[(y * width + x) * pool * pool + cell] = 1 / ((bottom - top) * (right - left));
      }
    }
  }
  return weights;
}
