import type { ServerState } from '../../crds/wire/state.ts';
import type { TaskName } from '../../crds/wire/task.ts';
import { argmax } from '../../server/core/score.ts';
import { classOfBoxes } from '../../server/core/task/detection.ts';
import { CliError } from '../errors.ts';

/** The output that exits supply, and the class of a row of it. */
export interface AnswerOutput {
  readonly name: string;
  readonly classOf: (row: Float32Array) => number;
}

/** An output of class scores, whose largest names the class. */
export function classScores(name: string): AnswerOutput {
  return { name, classOf: CLASS_OF.Classification };
}

const CLASS_OF: Readonly<Record<TaskName, AnswerOutput['classOf']>> = {
  Classification: (scores) => argmax(scores, 0, scores.length),
  Detection: classOfBoxes,
};

/** The output whose classes a run counts and compares; a backbone without one is served, but there is nothing to certify. */
export function answerOutputOf(
  { outputName, outputProblem, task }: ServerState['backbone'],
  where: string,
): AnswerOutput {
  if (outputName !== null) return { name: outputName, classOf: CLASS_OF[task ?? 'Classification'] };
  throw new CliError('NoClassOutput', { where, why: outputProblem?.message ?? 'it has none.' });
}
