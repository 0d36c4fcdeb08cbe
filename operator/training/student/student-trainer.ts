import type { BundleStudent } from '../../../crds/wire/student.ts';
import type { ConvolutionShape } from '../../../server/core/student/student-shape.ts';
import type { DenseSettings } from '../dense-trainer.ts';

/** A student in training: convolutions with batch norm and ReLU, mean over places, dense layer. */
export interface StudentShape {
  readonly convolutions: readonly ConvolutionShape[];
  readonly classCount: number;
  /** Rows of every step. */
  readonly batchRows: number;
}

/** Parameters by name, in the layout of the training graph; see `parametersOf`. */
export type StudentWeights = Readonly<Record<string, Float32Array>>;

/** Standardised rows with the targets of the loss (exits.md 4.2). */
export interface StudentBatch {
  /** [batchRows, channels, height, width] */
  readonly x: Float32Array;
  /** [batchRows, classCount]: the backbone's distribution at the loss temperature. */
  readonly soft: Float32Array;
  /** [batchRows, classCount] */
  readonly hard: Float32Array;
  /** [batchRows] */
  readonly weight: Float32Array;
}

/** Per convolution: mean and variance of its outputs over a batch. */
export interface BatchMoments {
  readonly mean: readonly Float32Array[];
  readonly variance: readonly Float32Array[];
}

/** Weights and optimiser state live behind it. Calls do not overlap. */
export interface StudentTrainer {
  /** One Adam step; gives the batch's loss before the step. */
  step(
    batch: StudentBatch,
    learningRate: number,
  ): Promise<{ readonly loss: number; readonly moments: BatchMoments }>;
  /** A copy of the present weights. */
  weights(): StudentWeights;
  close(): Promise<void>;
}

/** Starts training from the given weights with zeroed moments. */
export type StudentTrainerFactory = (
  shape: StudentShape,
  start: StudentWeights,
  settings: DenseSettings,
) => Promise<StudentTrainer>;

/** Logits [rows, classCount] of a finished student, as servers compute them. @param x rows as the backbone takes them. */
export type StudentRunner = (
  student: BundleStudent,
  x: Float32Array,
  rows: number,
) => Promise<Float32Array>;
