import type { ServerState } from '../../crds/wire/state.ts';
import type { TaskName } from '../../crds/wire/task.ts';
import { argmax } from '../../server/core/score.ts';
import { boxLossTenths, classOfBoxes, trimBoxes } from '../../server/core/task/detection.ts';
import { CliError } from '../errors.ts';

/** The output that exits supply, and the class of a row of it. */
export interface AnswerOutput {
  readonly name: string;
  readonly classOf: (row: Float32Array) => number;
  /** Of answers of one class that are not alike; null: the class says all. */
  readonly parts: AnswerParts | null;
}

/** Answers that can be partly right. */
interface AnswerParts {
  /** What has to be kept of a row of the output to hold it against another. */
  readonly keep: (row: Float32Array) => Float32Array;
  /** How far an early answer is from the backbone's, both as they were kept: 0 to 10 tenths. */
  readonly lossTenthsOf: (early: Float32Array, backbone: Float32Array) => number;
}

type Told = Omit<AnswerOutput, 'name'>;

/** An output of class scores, whose largest names the class. */
export function classScores(name: string): AnswerOutput {
  return { name, ...TOLD_BY.Classification };
}

const TOLD_BY: Readonly<Record<TaskName, Told>> = {
  Classification: { classOf: (scores) => argmax(scores, 0, scores.length), parts: null },
  Detection: { classOf: classOfBoxes, parts: { keep: trimBoxes, lossTenthsOf: boxLossTenths } },
};

/** The output whose classes a run counts and compares; a backbone without one is served, but there is nothing to certify. */
export function answerOutputOf(
  { outputName, outputProblem, task }: ServerState['backbone'],
  where: string,
): AnswerOutput {
  if (outputName !== null) return { name: outputName, ...TOLD_BY[task ?? 'Classification'] };
  throw new CliError('NoClassOutput', { where, why: outputProblem?.message ?? 'it has none.' });
}
