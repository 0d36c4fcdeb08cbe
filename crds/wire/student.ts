// A student inside a head bundle: the weights of a small convolutional network that servers build by themselves, so that a bundle stays
// data. Its shape is all that may vary: convolutions of 3 x 3 with ReLU, the mean over places, one dense layer.
import type { BundleMatrix } from './head-bundle.ts';

/** The name that the exit of a student has in every bundle; no exit of a manifest may have it. */
export const STUDENT_EXIT = 'student';

/** Rows that a student takes: as the backbone does, channels first or last. */
export interface StudentInput {
  readonly layout: 'NCHW' | 'NHWC';
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Per channel: x = (row - mean) / scale. */
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** A convolution of 3 x 3 with padding 1, followed by a ReLU. */
export interface StudentConvolution {
  readonly stride: 1 | 2;
  /** [9 * inputs, outputs]; row (input * 3 + y) * 3 + x. */
  readonly weights: BundleMatrix;
  readonly bias: Float32Array;
}

/** The whole network: convolutions, mean over places, dense layer to logits. */
export interface BundleStudent {
  readonly input: StudentInput;
  readonly convolutions: readonly StudentConvolution[];
  /** [outputs of the last convolution, classCount] */
  readonly dense: BundleMatrix;
  readonly denseBias: Float32Array;
}
