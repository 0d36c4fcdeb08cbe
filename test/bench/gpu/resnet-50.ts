import { node } from '../../../server/core/onnx/build-model.ts';
import { seededNetwork } from '../seeded-network.ts';

/** Blocks of each stage, their inner channels and the stride of the first (He et al. 2015, table 1). */
const STAGES = [
  { blocks: 3, inner: 64, stride: 1 },
  { blocks: 4, inner: 128, stride: 2 },
  { blocks: 6, inner: 256, stride: 2 },
  { blocks: 3, inner: 512, stride: 2 },
] as const;
const WIDENS = 4;
const CLASSES = 1000;

/** Last tensors of the first three stages: 3.2, 1.6 and 0.8 MB a row of 224 x 224. */
export const STAGE_ENDS = ['stage0.2', 'stage1.3', 'stage2.5'] as const;

/** ResNet-50, at 224 x 224 of 4.1 G multiply-adds, with 25.5 M parameters of seeded weights; batch norm is folded. */
export function randomResNet50(seed: number, side: number): Uint8Array {
  const { nodes, conv, relu, classify } = seededNetwork(seed);
  const stem = conv('image', 'stem.conv', { from: 3, to: 64, kernel: 7, stride: 2 });
  nodes.push(
    node('MaxPool', [relu(stem, 'stem.relu')], ['stem'], {
      kernel_shape: { ints: [3, 3] },
      pads: { ints: [1, 1, 1, 1] },
      strides: { ints: [2, 2] },
    }),
  );
  let current = 'stem';
  let from = 64;
  for (const [index, { blocks, inner, stride: first }] of STAGES.entries()) {
    const to = inner * WIDENS;
    for (let block = 0; block < blocks; block += 1) {
      const name = `stage${index}.${block}`;
      const stride = block === 0 ? first : 1;
      const narrow = relu(conv(current, `${name}.a`, { from, to: inner }), `${name}.a.relu`);
      const shape = { from: inner, to: inner, kernel: 3, stride };
      const wide = relu(conv(narrow, `${name}.b`, shape), `${name}.b.relu`);
      conv(wide, `${name}.c`, { from: inner, to, gain: 0.3 });
      const gain = Math.SQRT1_2;
      const shortcut =
        block === 0 ? conv(current, `${name}.shortcut`, { from, to, stride, gain }) : current;
      nodes.push(node('Add', [`${name}.c`, shortcut], [`${name}.sum`]));
      current = relu(`${name}.sum`, name);
      from = to;
    }
  }
  return classify(current, from, { side, classes: CLASSES });
}
