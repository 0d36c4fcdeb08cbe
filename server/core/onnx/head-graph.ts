// Pooling and heads as ONNX nodes: the same functions as server/core/pool.ts and head.ts. Pooling hangs on the segment; a head is a
// small model of its own over pooled features, its weights constants: the runtime packs them once, at load.
import type { PoolSize } from '../../../crds/wire/head-bundle.ts';
import { FEATURE_LIMIT, type HeadWeights } from '../head.ts';
import { cellWeights } from '../pool.ts';
import {
  anyValue,
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
  type NodeLiteral,
  type TensorLiteral,
} from './build-model.ts';
import type { SegmentTail } from './cut-segment.ts';

export interface TailRequest {
  readonly tensor: string;
  /** Shape of one row of the cut tensor. */
  readonly rowDims: readonly number[];
  /** Pooled features that are wanted, each size once. */
  readonly pools: readonly PoolSize[];
}

/** Input and output of a head's model: [rows, featureCount] -> [rows, classCount]. */
export const HEAD_FEATURES = 'features';
export const HEAD_LOGITS = 'logits';

export const NO_TAIL: SegmentTail = { nodes: [], initializers: [], outputs: [] };

/** Name of a segment's output: features pooled to pool x pool. */
export function pooledName(pool: PoolSize): string {
  return `layercache/pool${pool}`;
}

/** What is appended to the segment that ends in `tensor`. */
export function poolTail(request: TailRequest): SegmentTail {
  const pooling = new Pooling(request);
  for (const pool of request.pools) pooling.add(pool);
  return {
    nodes: pooling.nodes,
    initializers: pooling.initializers,
    outputs: request.pools.map((pool) => anyValue(pooledName(pool))),
  };
}

/** A head as a model. Non-finite features give NaN logits, whatever the weights. */
export function headModel(weights: HeadWeights): Uint8Array {
  const { featureCount, hidden, classCount, w2, b2 } = weights;
  const width = hidden === 0 ? classCount : hidden;
  const scaling = [
    node('Sub', [HEAD_FEATURES, 'mean'], ['centred']),
    node('Div', ['centred', 'scale'], ['scaled']),
    node('Clip', ['scaled', 'lower', 'upper'], ['x']),
  ];
  const layers =
    w2 === null || b2 === null
      ? { nodes: [node('Gemm', ['x', 'w1', 'b1'], ['z'])], initializers: [] }
      : {
          nodes: [
            node('Gemm', ['x', 'w1', 'b1'], ['hidden']),
            node('Relu', ['hidden'], ['rectified']),
            node('Gemm', ['rectified', 'w2', 'b2'], ['z']),
          ],
          initializers: [
            floatTensor('w2', [hidden, classCount], w2),
            floatTensor('b2', [classCount], b2),
          ],
        };
  return buildModel({
    nodes: [
      ...scaling,
      ...layers.nodes,
      // Zero times a non-finite feature is NaN: the clip and the rectifier would hide it, and the row could leave.
      node('MatMul', [HEAD_FEATURES, 'zeros'], ['poison']),
      node('Add', ['z', 'poison'], [HEAD_LOGITS]),
    ],
    inputs: [floatValue(HEAD_FEATURES, ['rows', featureCount])],
    outputs: [floatValue(HEAD_LOGITS, ['rows', classCount])],
    initializers: [
      floatTensor('mean', [featureCount], weights.mean),
      floatTensor('scale', [featureCount], weights.scale),
      floatTensor('lower', [], [-FEATURE_LIMIT]),
      floatTensor('upper', [], [FEATURE_LIMIT]),
      floatTensor('w1', [featureCount, width], weights.w1),
      floatTensor('b1', [width], weights.b1),
      ...layers.initializers,
      floatTensor('zeros', [featureCount, 1], new Float32Array(featureCount)),
    ],
  });
}

/** Nodes that pool the cut tensor. Order of the result: (cellRow * p + cellColumn) * channels + channel. */
class Pooling {
  readonly nodes: NodeLiteral[] = [];
  readonly initializers: TensorLiteral[] = [];
  private readonly request: TailRequest;

  constructor(request: TailRequest) {
    this.request = request;
  }

  add(pool: PoolSize): void {
    const name = pooledName(pool);
    this.nodes.push(
      ...this.steps(pool, name),
      node('Flatten', [`${name}/cells`], [name], { axis: { int: 1 } }),
    );
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
        cellWeights(pool, height, width, (cell, pixel) => pixel * pool * pool + cell),
      ),
    );
    return [
      node('Reshape', [tensor, `${name}/plane`], [`${name}/pixels`]),
      node('MatMul', [`${name}/pixels`, `${name}/weights`], [`${name}/map`]),
      node('Transpose', [`${name}/map`], [`${name}/cells`], { perm: { ints: [0, 2, 1] } }),
    ];
  }
}
