import type { HiddenSize } from '../../crds/wire/head-bundle.ts';

/** Layers of a head: features -> hidden -> classes, or features -> classes when hidden is 0. */
export interface DenseShape {
  readonly featureCount: number;
  readonly hidden: HiddenSize;
  readonly classCount: number;
}

/** Weights row-major [inputs][outputs]; w2 and b2 are null when hidden is 0. */
export interface DenseWeights {
  readonly w1: Float32Array;
  readonly b1: Float32Array;
  readonly w2: Float32Array | null;
  readonly b2: Float32Array | null;
}

/** Standardised rows with the targets of the loss (exits.md 4.2). */
export interface DenseBatch {
  readonly rows: number;
  /** [rows, featureCount] */
  readonly x: Float32Array;
  /** [rows, classCount]: the backbone's distribution at the loss temperature. */
  readonly soft: Float32Array;
  /** [rows, classCount]: one-hot class of the backbone. */
  readonly hard: Float32Array;
  /** [rows] */
  readonly weight: Float32Array;
}

/** What the loss and the optimiser are set to; see exits.md 4.2 and 4.3. */
export interface DenseSettings {
  readonly alpha: number;
  readonly temperature: number;
  /** Decoupled decay of w1 and w2, times the learning rate. */
  readonly weightDecay: number;
}

/** One head in training: weights and optimiser state live behind it. Calls do not overlap. */
export interface DenseTrainer {
  /** One Adam step; gives the batch's loss before the step. */
  step(batch: DenseBatch, learningRate: number): Promise<number>;
  /** A copy of the present weights. */
  weights(): DenseWeights;
  /** Logits [rows, classCount] of standardised rows under the given weights of the same shape. */
  logits(weights: DenseWeights, x: Float32Array, rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Starts training from the given weights with zeroed moments. */
export type DenseTrainerFactory = (
  shape: DenseShape,
  start: DenseWeights,
  settings: DenseSettings,
) => Promise<DenseTrainer>;
