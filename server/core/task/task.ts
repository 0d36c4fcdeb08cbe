// What differs by task. Whatever the task, a head names one of a few classes and how sure it is that the backbone's answer is of that
// class; a task says which class an answer is of, and what an exit answers that names one. Everything else knows classes only.

/** Outputs of one row as a client gets them, in the order in which the model's description lists them. */
export type RowOutputs = readonly Float32Array[];

/** One row of what a head says: `classCount` logits from `offset`. */
export interface HeadRow {
  readonly logits: Float32Array;
  readonly offset: number;
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
}
