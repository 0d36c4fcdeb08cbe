import {
  buildModel,
  floatTensor,
  floatValue,
  node,
} from '../../../server/core/onnx/build-model.ts';
import { createRandom } from '../../../server/core/random.ts';

export const TRIVIAL_CLASSES = 10;

/** One average pool and one matrix product: all that a measurement sees of it is the server around it. */
export function trivialModel(rowShape: readonly number[], seed: number): Uint8Array {
  const random = createRandom(seed);
  const [channels = 1] = rowShape;
  const weights = Float32Array.from({ length: channels * TRIVIAL_CLASSES }, () => random.normal());
  return buildModel({
    nodes: [
      node('GlobalAveragePool', ['image'], ['pooled']),
      node('Flatten', ['pooled'], ['features']),
      node('Gemm', ['features', 'classifier.weight'], ['logits'], { transB: { int: 1 } }),
    ],
    initializers: [floatTensor('classifier.weight', [TRIVIAL_CLASSES, channels], weights)],
    inputs: [floatValue('image', ['N', ...rowShape])],
    outputs: [floatValue('logits', ['N', TRIVIAL_CLASSES])],
  });
}
