// What differs by task. Whatever the task, a head names one of a few classes and how sure it is that the backbone's answer is of that
// class; a task says which class an answer is of, and what an exit answers that names one. Everything else knows classes only.

import type { KeyFrame, RecalledFrame } from '../detection/frame-memory.ts';

/** Outputs of one row as a client gets them, in the order in which the model's description lists them. */
export type RowOutputs = readonly Float32Array[];

/** One row of what a head says: `classCount` logits from `offset`. */
export interface HeadRow {
  readonly logits: Float32Array;
  readonly offset: number;
}

/** How answers of one frame stand in for those of the next ones of its source. */
export interface FrameComparison {
  /** What later frames are compared with. @param features of the row at the cut; @param outputs of the model */
  readonly toKeyFrame: (features: Float32Array, outputs: RowOutputs) => KeyFrame;
  /** What the head reads: `COMPARISON_VALUES` numbers. */
  readonly valuesOf: (key: RecalledFrame, features: Float32Array, channels: number) => Float32Array;
  /** What the exit answers. */
  readonly answerOf: (key: KeyFrame) => RowOutputs;
  /** How far an earlier answer is from the backbone's: tenths, as `lossTenthsOf`. */
  readonly lossTenths: (earlier: RowOutputs, answer: RowOutputs) => number;
}

export interface Task {
  /** Of one row of every output of the model, what clients get. */
  readonly toAnswer: (outputs: RowOutputs) => RowOutputs;
  /** The class that heads are to name where the backbone answers this. */
  readonly classOf: (answer: RowOutputs) => number;
  /** Probability that the backbone gives that class; NaN where it gives none. */
  readonly confidenceOf: (answer: RowOutputs) => number;
  /** [classCount] natural logarithms of the probabilities that heads learn. Finite where the answer is. */
  readonly logProbabilitiesOf: (answer: RowOutputs) => Float32Array;
  /** Classes that an exit may answer; null: all. A head that names another has score 0, and the row runs on. */
  readonly answerable: readonly number[] | null;
  /** How far an exit's answer of that class is from the backbone's: tenths, rounded up, 0 where it is as good as that. */
  readonly lossTenthsOf: (classId: number, answer: RowOutputs) => number;
  /** What an exit answers in place of the backbone. @param temperature T_e of its head */
  readonly earlyAnswer: (said: HeadRow, temperature: number) => RowOutputs;
  /** Null: its rows are no frames. */
  readonly frames: FrameComparison | null;
}
