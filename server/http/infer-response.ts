import type { AnsweredRow } from '../queue/job.ts';
import { policyLabel } from '../serving.ts';
import type { InferRequest, RequestedOutput } from './infer-request.ts';
import type { ModelShape } from './model-shape.ts';

export interface EncodedResponse {
  readonly headers: Record<string, string | number>;
  readonly body: Buffer | string;
  /** Exit of the row that went deepest, `backbone` last. */
  readonly deepest: AnsweredRow;
}

/** A binary part after JSON of a multiple of 8 bytes can be viewed as floats without a copy. */
const ALIGNMENT = 8;

export function encodeInferResponse(
  request: InferRequest,
  rows: readonly AnsweredRow[],
  names: { readonly model: string; readonly version: string; readonly shape: ModelShape },
): EncodedResponse {
  const deepest = rows.reduce((deep, row) => (depth(row) > depth(deep) ? row : deep));
  const tensors = request.outputs.map((output) => encodeOutput(output, rows, names.shape));
  const document = {
    model_name: names.model,
    model_version: names.version,
    ...(request.id === null ? {} : { id: request.id }),
    parameters: describeAnswer(rows, deepest),
    outputs: tensors.map(({ json }) => json),
  };
  const headers: Record<string, string | number> = {
    'layercache-exit': deepest.exit,
    'layercache-policy': policies(rows),
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

function depth({ answer }: AnsweredRow): number {
  return answer.exit === -1 ? Infinity : answer.exit;
}

/** Rows of one request may have run in two batches, under two policies: then both are named. */
function policies(rows: readonly AnsweredRow[]): string {
  return distinct(rows.map(({ serving }) => policyLabel(serving)));
}

function distinct(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : [...new Set(values)].join(',');
}

function describeAnswer(
  rows: readonly AnsweredRow[],
  deepest: AnsweredRow,
): Record<string, unknown> {
  const scores = rows.flatMap(({ answer }) => (answer.exit === -1 ? [] : [answer.score]));
  const revisions = rows.flatMap(({ headRevision }) => headRevision ?? []);
  return {
    layercache_exit: deepest.exit,
    ...(rows.length > 1 ? { layercache_exits: rows.map(({ exit }) => exit).join(',') } : {}),
    ...(scores.length > 0 ? { layercache_score: Math.min(...scores) } : {}),
    layercache_policy: policies(rows),
    ...(revisions.length > 0 ? { layercache_head_revision: distinct(revisions) } : {}),
    layercache_track: distinct(rows.map(({ track }) => track)),
  };
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
    json.parameters = { binary_data_size: rows.length * width * 4 };
    return { json, parts: values.map(bytesOf) };
  }
  // JSON has no NaN: what is not finite becomes null, by JSON's own rule.
  json.data =
    values.length === 1 ? Array.from(values[0] ?? []) : values.flatMap((row) => Array.from(row));
  return { json, parts: [] };
}

/** An early answer has the class output alone; requests for others ran to the end. */
function rowOutput({ answer }: AnsweredRow, index: number, shape: ModelShape): Float32Array {
  const place = answer.exit === -1 ? index : index - shape.classOutput;
  return answer.outputs[place] ?? new Float32Array(0);
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** The model's shape without the rows, when its sizes are known and fit; else flat. */
function outputRowShape(shape: readonly number[], width: number): readonly number[] {
  const row = shape.slice(1);
  const product = row.reduce((all, size) => all * size, 1);
  return row.every((size) => size > 0) && product === width ? row : [width];
}
