// The class output names a class for each row; an early answer has other scores and is right where it names the same one.
import { WHOLE_LOSS } from '../../../crds/wire/agreement.ts';
import { InvariantError } from '../invariant.ts';
import { argmax, calibratedOutput, type OutputKind } from '../score.ts';
import type { RowOutputs, Task } from './task.ts';

export interface Classes {
  /** Index of the class output among the model's; -1: it has none, and no exits. */
  readonly classOutput: number;
  readonly classCount: number;
  /** Null: there is no class output. */
  readonly outputKind: OutputKind | null;
}

/** Probability below which a logarithm stops falling: samples hold finite numbers only. */
const LEAST_PROBABILITY = 1e-30;

export function createClassification({ classOutput, classCount, outputKind }: Classes): Task {
  const scoresOf = (answer: RowOutputs): Float32Array => answer[classOutput] ?? new Float32Array(0);
  const classOf = (answer: RowOutputs): number => argmax(scoresOf(answer), 0, classCount);
  return {
    toAnswer: (outputs) => outputs,
    classOf,
    confidenceOf: (answer) => {
      if (outputKind === null) return NaN;
      const scores = scoresOf(answer);
      const largest = scores[classOf(answer)] ?? NaN;
      if (outputKind === 'Probabilities') return largest;
      if (outputKind === 'LogProbabilities') return Math.exp(largest);
      return 1 / weightsOf(scores, largest);
    },
    logProbabilitiesOf: (answer) => toLogProbabilities(scoresOf(answer), outputKind),
    answerable: null,
    lossTenthsOf: (classId, answer) => (classId === classOf(answer) ? 0 : WHOLE_LOSS),
    earlyAnswer: ({ logits, offset }, temperature) => {
      if (outputKind === null) throw new InvariantError('a head answers for no class output');
      return [calibratedOutput(logits, offset, classCount, { temperature, kind: outputKind })];
    },
    frames: null,
  };
}

function toLogProbabilities(scores: Float32Array, kind: OutputKind | null): Float32Array {
  switch (kind) {
    case 'LogProbabilities':
      return scores.slice();
    case 'Probabilities':
      return scores.map((p) => Math.log(Math.max(p, LEAST_PROBABILITY)));
    case 'Logits': {
      const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
      const logSum = Math.log(weightsOf(scores, largest));
      return scores.map((z) => z - largest - logSum);
    }
    case null:
      throw new InvariantError('a backbone without a class output gives no samples');
  }
}

/** Sum of what the classes weigh in a softmax, where the largest weighs 1. */
function weightsOf(logits: Float32Array, largest: number): number {
  return logits.reduce((sum, z) => sum + Math.exp(z - largest), 0);
}
