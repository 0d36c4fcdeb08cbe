import { node } from '../../server/core/onnx/build-model.ts';
import { seededNetwork } from './seeded-network.ts';

/** A residual network for small pictures of three channels: [channels, stride] per block of two 3 x 3 convolutions. */
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
export function randomResNet(shape: ResNetShape, seed: number, side = 32): Uint8Array {
  const { nodes, conv, relu, classify } = seededNetwork(seed);
  const stem = conv('image', 'stem.conv', { from: 3, to: shape.stem, kernel: 3 });
  let current = relu(stem, 'stem');
  let channels = shape.stem;
  shape.blocks.forEach(([to, stride], index) => {
    const name = `block${index}`;
    conv(current, `${name}.conv1`, { from: channels, to, kernel: 3, stride });
    relu(`${name}.conv1`, `${name}.relu1`);
    conv(`${name}.relu1`, `${name}.conv2`, { from: to, to, kernel: 3, gain: 0.3 });
    const gain = 1 / Math.SQRT2;
    const shortcut =
      stride === 1 && channels === to
        ? current
        : conv(current, `${name}.shortcut`, { from: channels, to, stride, gain });
    nodes.push(node('Add', [`${name}.conv2`, shortcut], [`${name}.sum`]));
    current = relu(`${name}.sum`, name);
    channels = to;
  });
  return classify(current, channels, { side, classes: shape.classes });
}
