import type { AnsweredRow } from '../queue/job.ts';
import { describeAnswer } from './answer-facts.ts';
import type { InferRequest, RequestedOutput } from './infer-request.ts';
import type { ModelShape } from './model-shape.ts';
import { outputBytes } from './output-bytes.ts';
import { outputRowShape, rowOutput } from './output-rows.ts';

export interface EncodedResponse {
  readonly headers: Record<string, string | number>;
  readonly body: Buffer | string;
  /** Exit of the row that went deepest, `backbone` last. */
  readonly deepest: AnsweredRow;
}

export interface AnswerNames {
  readonly model: string;
  readonly version: string;
  readonly shape: ModelShape;
}

/** A binary part after JSON of a multiple of 8 bytes can be viewed as floats without a copy. */
const ALIGNMENT = 8;

export function encodeInferResponse(
  request: InferRequest,
  rows: readonly AnsweredRow[],
  names: AnswerNames,
): EncodedResponse {
  const { deepest, parameters, headers } = describeAnswer(rows);
  const tensors = request.outputs.map((output) => encodeOutput(output, rows, names.shape));
  const document = {
    model_name: names.model,
    model_version: names.version,
    ...(request.id === null ? {} : { id: request.id }),
    parameters,
    outputs: tensors.map(({ json }) => json),
  };
  const binary = tensors.flatMap(({ parts }) => parts);
  const text = JSON.stringify(document);
  if (binary.length === 0) {
    headers['content-type'] = 'application/json';
    return { headers, body: text, deepest };
  }
  const padded = Buffer.from(text + ' '.repeat(-Buffer.byteLength(text) & (ALIGNMENT - 1)));
  headers['content-type'] = 'application/octet-stream';
  headers['inference-header-content-length'] = padded.length;
  return { headers, body: Buffer.concat([padded, ...binary]), deepest };
}

function encodeOutput(
  { index, binary }: RequestedOutput,
  rows: readonly AnsweredRow[],
  shape: ModelShape,
): { json: Record<string, unknown>; parts: Buffer[] } {
  const spec = shape.outputs[index];
  const values = rows.map((row) => rowOutput(row, index, shape));
  const width = values[0]?.length ?? 0;
  const json: Record<string, unknown> = {
    name: spec?.name,
    datatype: spec?.datatype,
    shape: [rows.length, ...outputRowShape(spec?.shape ?? [], width)],
  };
  if (binary) {
    const parts = values.map((row) => outputBytes(row, spec?.datatype));
    json.parameters = { binary_data_size: parts.reduce((sum, part) => sum + part.length, 0) };
    return { json, parts };
  }
  // JSON has no NaN: what is not finite becomes null, by JSON's own rule.
  json.data =
    values.length === 1 ? Array.from(values[0] ?? []) : values.flatMap((row) => Array.from(row));
  return { json, parts: [] };
}
