/* eslint-disable @typescript-eslint/no-non-null-assertion -- every convolution has its parameters and moments */
import type { BundleStudent, StudentInput } from '../../../crds/wire/student.ts';
import { toFloat16 } from '../quantise.ts';
import type { BatchMoments, StudentShape, StudentWeights } from './student-trainer.ts';

/** Added to variances in training and here. */
export const NORM_EPSILON = 1e-5;

/**
 * The network that is served: each batch norm becomes part of its convolution, with the moments of training, and weights are rounded
 * to fp16. w' = w g / s, b' = b - mean g / s, s = sqrt(variance + epsilon).
 */
export function foldStudent(
  { convolutions, classCount }: StudentShape,
  weights: StudentWeights,
  moments: BatchMoments,
  input: StudentInput,
): BundleStudent {
  return {
    input,
    convolutions: convolutions.map(({ inputs, outputs, stride }, i) => {
      const [w, g, b] = [weights[`w${i}`]!, weights[`g${i}`]!, weights[`b${i}`]!];
      const gain = g.map((value, k) => value / Math.sqrt(moments.variance[i]![k]! + NORM_EPSILON));
      const rows = 9 * inputs;
      const folded = new Float32Array(rows * outputs);
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < outputs; k++) folded[row * outputs + k] = w[k * rows + row]! * gain[k]!;
      }
      return {
        stride,
        weights: toFloat16(folded, outputs),
        bias: b.map((value, k) => value - moments.mean[i]![k]! * gain[k]!),
      };
    }),
    dense: toFloat16(weights.dense!, classCount),
    denseBias: weights['dense.bias']!,
  };
}
