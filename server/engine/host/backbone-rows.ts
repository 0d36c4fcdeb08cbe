// A model's outputs, row by row: the backbone's, or a companion's.
import { InvariantError } from '../../core/invariant.ts';
import { argmax } from '../../core/score.ts';
import type { ModelDescription } from '../segment-engine.ts';

/** Probability below which a logarithm stops falling: samples hold finite numbers only. */
const LEAST_PROBABILITY = 1e-30;

export class BackboneRows {
  private readonly outputs: readonly Float32Array[];
  private readonly rows: number;
  private readonly model: ModelDescription;
  private readonly classOutput: number;

  constructor(outputs: readonly Float32Array[], rows: number, model: ModelDescription) {
    this.outputs = outputs;
    this.rows = rows;
    this.model = model;
    this.classOutput = model.outputs.findIndex(({ name }) => name === model.outputName);
  }

  /** All outputs of the row at this place of the batch. */
  outputsAt(place: number): readonly Float32Array[] {
    return this.outputs.map((values) => {
      const size = values.length / this.rows;
      return values.subarray(place * size, (place + 1) * size);
    });
  }

  scoresAt(place: number): Float32Array {
    return this.outputsAt(place)[this.classOutput] ?? new Float32Array(0);
  }

  classAt(place: number): number {
    return argmax(this.scoresAt(place), 0, this.model.classCount);
  }

  isFiniteAt(place: number): boolean {
    return this.outputsAt(place).every((values) => values.every((value) => Number.isFinite(value)));
  }

  /** Probability of the class that the backbone names; NaN without a class output. */
  confidenceAt(place: number): number {
    const { outputKind, classCount } = this.model;
    if (outputKind === null) return NaN;
    const scores = this.scoresAt(place);
    const largest = scores[argmax(scores, 0, classCount)] ?? NaN;
    if (outputKind === 'Probabilities') return largest;
    if (outputKind === 'LogProbabilities') return Math.exp(largest);
    return 1 / weightsOf(scores, largest);
  }

  /** [rows, classes] */
  logProbabilities(): Float32Array {
    const { classCount } = this.model;
    const all = new Float32Array(this.rows * classCount);
    for (let place = 0; place < this.rows; place += 1) {
      all.set(this.logProbabilitiesAt(place), place * classCount);
    }
    return all;
  }

  logProbabilitiesAt(place: number): Float32Array {
    const scores = this.scoresAt(place);
    switch (this.model.outputKind) {
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
}

/** Sum of what the classes weigh in a softmax, where the largest weighs 1. */
function weightsOf(logits: Float32Array, largest: number): number {
  return logits.reduce((sum, z) => sum + Math.exp(z - largest), 0);
}
