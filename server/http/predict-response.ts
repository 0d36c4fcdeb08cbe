import type { AnsweredRow } from '../queue/job.ts';
import { describeAnswer } from './answer-facts.ts';
import type { AnswerNames, EncodedResponse } from './infer-response.ts';
import type { ModelShape } from './model-shape.ts';
import { outputRowShape, rowOutput } from './output-rows.ts';
import type { PredictRequest } from './predict-request.ts';

/** `predictions` for rows, `outputs` for columns; a model with one output has its values without the name. */
export function encodePredictResponse(
  request: PredictRequest,
  rows: readonly AnsweredRow[],
  { shape }: AnswerNames,
): EncodedResponse {
  const { deepest, parameters, headers } = describeAnswer(rows);
  const document = request.isColumnar
    ? { outputs: inColumns(rows, shape) }
    : { predictions: inRows(rows, shape) };
  headers['content-type'] = 'application/json';
  // The protocol has no place in its documents for who answered.
  for (const name of ['layercache_score', 'layercache_track', 'layercache_head_revision']) {
    const value = parameters[name];
    if (value !== undefined) headers[name.replaceAll('_', '-')] = value;
  }
  return { headers, body: JSON.stringify(document), deepest };
}

function inRows(rows: readonly AnsweredRow[], shape: ModelShape): unknown {
  return rows.map((row) => named(shape, (index) => nestedRow(row, index, shape)));
}

function inColumns(rows: readonly AnsweredRow[], shape: ModelShape): unknown {
  return named(shape, (index) => rows.map((row) => nestedRow(row, index, shape)));
}

function named({ outputs }: ModelShape, valueOf: (index: number) => unknown): unknown {
  return outputs.length === 1
    ? valueOf(0)
    : Object.fromEntries(outputs.map(({ name }, index) => [name, valueOf(index)]));
}

function nestedRow(row: AnsweredRow, index: number, shape: ModelShape): unknown {
  const values = rowOutput(row, index, shape);
  return nest(Array.from(values), outputRowShape(shape.outputs[index]?.shape ?? [], values.length));
}

/** Numbers in C order -> lists within lists, as the shape says. */
function nest(values: readonly number[], shape: readonly number[]): unknown {
  if (shape.length <= 1) return shape.length === 0 ? values[0] : values;
  const [size = 0, ...inner] = shape;
  const step = values.length / size;
  return Array.from({ length: size }, (_, i) =>
    nest(values.slice(i * step, (i + 1) * step), inner),
  );
}
