import { ServingError, shown } from '../errors.ts';
import { decodeBase64 } from './bytes-tensor.ts';
import type {
  Document,
  ImageRows,
  InferHeaders,
  InferRequest,
  OpenBody,
  TensorRows,
} from './infer-request.ts';
import { isBackboneOnly } from './infer-request.ts';
import type { Fields, JsonMembers } from './json-body.ts';
import { isFields } from './json-body.ts';
import type { ModelShape } from './model-shape.ts';
import { NumberTensor } from '../core/json/number-tensor.ts';
import { encodeJsonTensor, encodeRowTensors } from './tensor-codec.ts';

// TensorFlow Serving's RESTful API, predict:
// https://github.com/tensorflow/serving/blob/master/tensorflow_serving/g3doc/api_rest.md

/** The one signature that there is; a request may leave it out. */
export const SIGNATURE = 'serving_default';

export interface PredictRequest extends InferRequest {
  /** Asked in columns (`inputs`), so answered in columns. */
  readonly isColumnar: boolean;
}

export function predictMembers({ inputName }: ModelShape): JsonMembers {
  return new Map([
    ['signature_name', 'value'],
    ['b64', 'value'],
    ['instances', 'numbers'],
    ['inputs', 'numbers'],
    [inputName, 'numbers'],
  ]);
}

export function openPredictBody(body: Buffer): OpenBody {
  return { json: body, binary: body.subarray(body.length) };
}

export function parsePredictDocument(
  document: Document,
  headers: InferHeaders,
  model: ModelShape,
): PredictRequest {
  const fields = document.fields ?? {};
  checkSignature(fields.signature_name);
  const isColumnar = fields.inputs !== undefined;
  if (isColumnar === (fields.instances !== undefined)) {
    throw new ServingError('malformed_request', {
      field: 'The request',
      value: isColumnar ? 'in rows and in columns' : 'without rows',
      fix: 'send either instances (a list of rows) or inputs (columns).',
    });
  }
  const rows = isColumnar
    ? readColumns(fields.inputs, model)
    : readRows(requireList(fields.instances, model, 'instances'), model);
  return {
    id: null,
    data: encodeRows(rows, model),
    outputs: model.outputs.map((_, index) => ({ index, binary: false })),
    isBackboneOnly: isBackboneOnly(undefined, headers['layercache-mode']),
    isColumnar,
  };
}

function checkSignature(value: unknown): void {
  if (value === undefined || value === '' || value === SIGNATURE) return;
  throw new ServingError('unknown_signature', { value: shown(value), expected: SIGNATURE });
}

/** Rows of numbers alone are one tensor. */
type Rows = NumberTensor | readonly unknown[];

function requireList(value: unknown, model: ModelShape, field: string): Rows {
  if (value instanceof NumberTensor) return value;
  if (Array.isArray(value) && value.length > 0) return value as unknown[];
  throw new ServingError('wrong_input', {
    name: model.inputName,
    fix: `${field} is ${shown(value)}; send a list of one or more rows.`,
  });
}

function readColumns(value: unknown, model: ModelShape): Rows {
  const column = isFields(value) && !isBase64(value) ? namedValue(value, model) : value;
  return isBase64(column) ? [column] : requireList(column, model, 'inputs');
}

function readRows(rows: Rows, model: ModelShape): Rows {
  return rows instanceof NumberTensor ? rows : rows.map((row) => readRow(row, model));
}

/** A row: the value of the input alone, or an object that names it. */
function readRow(row: unknown, model: ModelShape): unknown {
  return isFields(row) && !isBase64(row) ? namedValue(row, model) : row;
}

function namedValue(fields: Fields, model: ModelShape): unknown {
  const names = Object.keys(fields);
  if (names.length === 1 && names[0] === model.inputName) return fields[model.inputName];
  throw new ServingError('wrong_input', {
    name: shown(names.length === 1 ? names[0] : names),
    fix: `send exactly one input, named ${model.inputName}.`,
  });
}

function isBase64(value: unknown): value is { readonly b64: unknown } {
  return isFields(value) && 'b64' in value && Object.keys(value).length === 1;
}

function encodeRows(given: Rows, model: ModelShape): TensorRows | ImageRows {
  const name = model.inputName;
  const isTensor = given instanceof NumberTensor;
  if (!isTensor && given.some(isBase64)) return encodeImages(given, model);
  const rows = isTensor ? (given.dims[0] ?? 0) : given.length;
  if (rows > model.limits.maxTensorElements / model.rowElements) {
    throw new ServingError('wrong_shape', {
      name,
      value: `[${rows}, ${model.rowShape.join(', ')}]`,
      expected: `at most ${model.limits.maxTensorElements} elements`,
    });
  }
  const expected = { name, shape: [rows, ...model.rowShape], datatype: 'FP32' } as const;
  const input =
    !isTensor && given.every((row) => row instanceof NumberTensor)
      ? encodeRowTensors(given, expected)
      : encodeJsonTensor(given, expected);
  return { rows, datatype: 'FP32', input };
}

function encodeImages(rows: readonly unknown[], model: ModelShape): ImageRows {
  const name = model.inputName;
  if (model.image === null) {
    throw new ServingError('wrong_datatype', {
      name,
      value: 'b64',
      expected: 'numbers; images need input.image in layercache.json beside the model',
    });
  }
  const images = rows.map((row, index) => decodeBase64(name, isBase64(row) ? row.b64 : row, index));
  return { rows: rows.length, images };
}
