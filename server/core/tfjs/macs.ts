// Multiply-adds per row of TensorFlow operators and of Keras layers, whose weights stand among the inputs of their nodes.
import { sizeOf, type GraphNode, type GraphVocabulary } from '../graph/compute-graph.ts';

type Dims = readonly number[];
/** Multiply-adds of all rows. */
type Count = (inputs: readonly Dims[], output: Dims) => number;

/** Filter [height, width, in, out]: every output value reads a window of all input channels. */
const convolution: Count = ([, filter = []], output) =>
  sizeOf(output) * sizeOf(filter.slice(0, -1));
/** Filter [height, width, in, multiplier]: a window of one channel. */
const depthwise: Count = ([, filter = []], output) => sizeOf(output) * sizeOf(filter.slice(0, 2));
/** [.., rows, inner] times [.., inner, columns]; either may be stored transposed. */
const product: Count = ([left = []], output) => sizeOf(left) * sizeOf(output.slice(-1));

const COUNTS: ReadonlyMap<string, Count> = new Map<string, Count>([
  ['Conv1D', convolution],
  ['Conv2D', convolution],
  ['_FusedConv2D', convolution],
  ['FusedConv2D', convolution],
  ['Conv3D', convolution],
  ['DepthwiseConv2dNative', depthwise],
  ['FusedDepthwiseConv2dNative', depthwise],
  ['DepthwiseConv2D', depthwise],
  // Filter [height, width, out, in]: every input value is spread over a window.
  [
    'Conv2DBackpropInput',
    ([, filter = [], input = []]) => sizeOf(input) * sizeOf(filter.slice(0, 3)),
  ],
  ['Conv2DTranspose', ([input = [], filter = []]) => sizeOf(input) * sizeOf(filter.slice(0, 3))],
  [
    'SeparableConv2D',
    ([, deep = [], point = []], output) =>
      (sizeOf(output) / Math.max(1, sizeOf(output.slice(-1)))) * sizeOf(deep) +
      sizeOf(output) * sizeOf(point.slice(0, -1)),
  ],
  ['MatMul', product],
  ['_FusedMatMul', product],
  ['BatchMatMul', product],
  ['BatchMatMulV2', product],
  ['Dense', product],
]);

export const TFJS_VOCABULARY: GraphVocabulary = {
  layout: 'NHWC',
  macTensors: ({ op, inputs, outputs }: GraphNode) =>
    COUNTS.has(op) ? [...inputs, ...outputs] : [],
  macsOf: ({ op, inputs, outputs }, dimsOf, rows) => {
    const count = COUNTS.get(op);
    if (count === undefined) return 0;
    const [output = []] = outputs.map(dimsOf);
    return count(inputs.map(dimsOf), output) / rows;
  },
};
