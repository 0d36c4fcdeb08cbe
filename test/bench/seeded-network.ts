import {
  buildModel,
  floatTensor,
  floatValue,
  node,
  type NodeLiteral,
  type TensorLiteral,
} from '../../server/core/onnx/build-model.ts';
import { createRandom } from '../../server/core/random.ts';

interface Convolution {
  /** Channels. */
  readonly from: number;
  readonly to: number;
  /** @defaultValue 1 */
  readonly kernel?: number;
  /** @defaultValue 1 */
  readonly stride?: number;
  /** Of its weights, which are He-normal otherwise. @defaultValue 1 */
  readonly gain?: number;
}

/** A network of seeded weights, layer by layer; a layer returns the name of its tensor. Batch norm is folded. */
interface SeededNetwork {
  /** Those of other layers are added to them. */
  readonly nodes: NodeLiteral[];
  readonly conv: (input: string, output: string, plan: Convolution) => string;
  readonly relu: (input: string, output: string) => string;
  /** The model of three-channel images `image`: each channel's mean, and `logits` of it by one linear layer. */
  readonly classify: (
    input: string,
    channels: number,
    shape: { readonly side: number; readonly classes: number },
  ) => Uint8Array;
}

export function seededNetwork(seed: number): SeededNetwork {
  const random = createRandom(seed);
  const nodes: NodeLiteral[] = [];
  const initializers: TensorLiteral[] = [];
  const weights = (name: string, dims: readonly number[], gain: number): string => {
    const fanIn = dims.slice(1).reduce((product, size) => product * size, 1);
    const count = fanIn * (dims[0] ?? 0);
    const values = Float32Array.from(
      { length: count },
      () => random.normal() * gain * Math.sqrt(2 / fanIn),
    );
    initializers.push(floatTensor(name, dims, values));
    return name;
  };
  return {
    nodes,
    conv: (input, output, { from, to, kernel = 1, stride = 1, gain = 1 }) => {
      const pad = (kernel - 1) / 2;
      const name = weights(`${output}.weight`, [to, from, kernel, kernel], gain);
      nodes.push(
        node('Conv', [input, name], [output], {
          kernel_shape: { ints: [kernel, kernel] },
          pads: { ints: [pad, pad, pad, pad] },
          strides: { ints: [stride, stride] },
        }),
      );
      return output;
    },
    relu: (input, output) => {
      nodes.push(node('Relu', [input], [output]));
      return output;
    },
    classify: (input, channels, { side, classes }) => {
      const name = weights('classifier.weight', [classes, channels], 1);
      nodes.push(
        node('GlobalAveragePool', [input], ['pooled']),
        node('Flatten', ['pooled'], ['features']),
        node('Gemm', ['features', name], ['logits'], { transB: { int: 1 } }),
      );
      return buildModel({
        nodes,
        initializers,
        inputs: [floatValue('image', ['N', 3, side, side])],
        outputs: [floatValue('logits', ['N', classes])],
      });
    },
  };
}
