import type { AnsweredRow } from '../queue/job.ts';
import type { ModelShape } from './model-shape.ts';

/** An early answer has the class output alone; requests for others ran to the end. */
export function rowOutput({ answer }: AnsweredRow, index: number, shape: ModelShape): Float32Array {
  const place = answer.exit === -1 ? index : index - shape.classOutput;
  return answer.outputs[place] ?? new Float32Array(0);
}

/** The model's shape without the rows, when its sizes are known and fit; else flat. */
export function outputRowShape(shape: readonly number[], width: number): readonly number[] {
  const row = shape.slice(1);
  const product = row.reduce((all, size) => all * size, 1);
  return row.every((size) => size > 0) && product === width ? row : [width];
}
