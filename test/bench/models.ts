import {
  buildModel,
  floatTensor,
  floatValue,
  node,
  type NodeLiteral,
  type TensorLiteral,
} from '../../server/core/onnx/build-model.ts';
import { createRandom } from '../../server/core/random.ts';

/** A residual network for 3 x 32 x 32 inputs: [channels, stride] per block of two 3 x 3 convolutions. */
export interface ResNetShape {
  readonly stem: number;
  readonly blocks: readonly (readonly [channels: number, stride: number])[];
  readonly classes: number;
}

/** ResNet-18 of He et al. 2015 for 32 x 32 inputs: 0.556 G multiply-adds, 11.2 M parameters. */
export const RESNET_18: ResNetShape = {
  stem: 64,
  blocks: [
    [64, 1],
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
    [512, 1],
  ],
  classes: 10,
};

/** Small enough that the server, not the engine, is what a measurement sees. */
export const TINY_RESNET: ResNetShape = {
  stem: 4,
  blocks: [
    [4, 1],
    [8, 2],
    [8, 1],
    [16, 2],
  ],
  classes: 10,
};

/**
 * The network with seeded He-normal weights; block outputs are the tensors `block0`, `block1`, ... The second convolution of a block is
 * scaled down, so that activations keep their size through the depth.
 */
export function randomResNet(shape: ResNetShape, seed: number): Uint8Array {
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
  const conv = (
    input: string,
    output: string,
    plan: { from: number; to: number; kernel: number; stride: number; gain: number },
  ): string => {
    const { from, to, kernel, stride, gain } = plan;
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
  };
  conv('image', 'stem.conv', { from: 3, to: shape.stem, kernel: 3, stride: 1, gain: 1 });
  nodes.push(node('Relu', ['stem.conv'], ['stem']));
  let current = 'stem';
  let channels = shape.stem;
  shape.blocks.forEach(([to, stride], index) => {
    const name = `block${index}`;
    conv(current, `${name}.conv1`, { from: channels, to, kernel: 3, stride, gain: 1 });
    nodes.push(node('Relu', [`${name}.conv1`], [`${name}.relu1`]));
    conv(`${name}.relu1`, `${name}.conv2`, { from: to, to, kernel: 3, stride: 1, gain: 0.3 });
    const shortcut =
      stride === 1 && channels === to
        ? current
        : conv(current, `${name}.shortcut`, {
            from: channels,
            to,
            kernel: 1,
            stride,
            gain: 1 / Math.SQRT2,
          });
    nodes.push(node('Add', [`${name}.conv2`, shortcut], [`${name}.sum`]));
    nodes.push(node('Relu', [`${name}.sum`], [name]));
    current = name;
    channels = to;
  });
  nodes.push(
    node('GlobalAveragePool', [current], ['pooled']),
    node('Flatten', ['pooled'], ['features']),
  );
  weights('classifier.weight', [shape.classes, channels], 1);
  nodes.push(node('Gemm', ['features', 'classifier.weight'], ['logits'], { transB: { int: 1 } }));
  return buildModel({
    nodes,
    initializers,
    inputs: [floatValue('image', ['N', 3, 32, 32])],
    outputs: [floatValue('logits', ['N', shape.classes])],
  });
}
