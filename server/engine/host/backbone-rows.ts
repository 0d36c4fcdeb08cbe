// A model's outputs, row by row: the backbone's, or a companion's.
import type { RowOutputs, Task } from '../../core/task/task.ts';

export class BackboneRows {
  private readonly outputs: readonly Float32Array[];
  private readonly rows: number;
  private readonly task: Task;
  private readonly answers: (RowOutputs | undefined)[];

  constructor(outputs: readonly Float32Array[], rows: number, task: Task) {
    this.outputs = outputs;
    this.rows = rows;
    this.task = task;
    this.answers = new Array<RowOutputs | undefined>(rows);
  }

  /** What clients get for the row at this place of the batch. */
  answerAt(place: number): RowOutputs {
    return (this.answers[place] ??= this.task.toAnswer(this.outputsAt(place)));
  }

  classAt(place: number): number {
    return this.task.classOf(this.answerAt(place));
  }

  isFiniteAt(place: number): boolean {
    return this.outputsAt(place).every((values) => values.every((value) => Number.isFinite(value)));
  }

  /** Probability of the class that the backbone names; NaN where it gives none. */
  confidenceAt(place: number): number {
    return this.task.confidenceOf(this.answerAt(place));
  }

  /** [rows, classCount] */
  logProbabilities(classCount: number): Float32Array {
    const all = new Float32Array(this.rows * classCount);
    for (let place = 0; place < this.rows; place += 1) {
      all.set(this.logProbabilitiesAt(place), place * classCount);
    }
    return all;
  }

  logProbabilitiesAt(place: number): Float32Array {
    return this.task.logProbabilitiesOf(this.answerAt(place));
  }

  /** Of the model, as it gives them. */
  outputsAt(place: number): RowOutputs {
    return this.outputs.map((values) => {
      const size = values.length / this.rows;
      return values.subarray(place * size, (place + 1) * size);
    });
  }
}
