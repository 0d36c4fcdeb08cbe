import { ServingError, shown } from '../errors.ts';
import { MAX_ID_LENGTH } from '../limits.ts';
import { decodeBase64Elements, splitBinaryElements } from './bytes-tensor.ts';
import type { Fields, JsonMembers } from './json-body.ts';
import { isFields, optionalFields } from './json-body.ts';
import type { ModelShape } from './model-shape.ts';
import type { RowDatatype } from './tensor-codec.ts';
import {
  ELEMENT_BYTES,
  decodeBinaryTensor,
  encodeJsonTensor,
  parseDatatype,
  parseImageCount,
  parseRows,
  toRowDatatype,
} from './tensor-codec.ts';

// Open Inference Protocol v2, REST, with the binary tensor extension:
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
// https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md

export interface RequestedOutput {
  /** Index of the model's output. */
  readonly index: number;
  readonly binary: boolean;
}

/** Rows as the engine takes them. */
export interface TensorRows {
  readonly rows: number;
  readonly datatype: RowDatatype;
  readonly input: Uint8Array;
}

/** Rows that are pictures still, each a file. */
export interface ImageRows {
  readonly rows: number;
  readonly images: readonly Uint8Array[];
}

export interface InferRequest {
  readonly id: string | null;
  readonly data: TensorRows | ImageRows;
  readonly outputs: readonly RequestedOutput[];
  readonly isBackboneOnly: boolean;
}

export interface InferHeaders {
  readonly 'content-type'?: string | undefined;
  readonly 'inference-header-content-length'?: string | string[] | undefined;
  readonly 'layercache-mode'?: string | string[] | undefined;
}

const ID_PATTERN = new RegExp(`^[\\x20-\\x7e]{0,${MAX_ID_LENGTH}}$`);
export const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp']);

/** A body with its JSON told from the rest. */
export interface OpenBody {
  /** Null: there is none. */
  readonly json: Buffer | null;
  readonly binary: Buffer;
}

export interface Document {
  /** What the JSON is; null: there is none. */
  readonly fields: Fields | null;
  readonly binary: Buffer;
}

export const INFER_MEMBERS: JsonMembers = new Map([
  ['id', 'value'],
  ['parameters', 'value'],
  ['inputs', 'value'],
  ['outputs', 'value'],
  ['name', 'value'],
  ['shape', 'value'],
  ['datatype', 'value'],
  ['data', 'numbers'],
  ['binary_data_size', 'value'],
  ['binary_data_output', 'value'],
  ['binary_data', 'value'],
  ['layercache_mode', 'value'],
]);

export function openInferBody(body: Buffer, headers: InferHeaders, model: ModelShape): OpenBody {
  const header = headers['inference-header-content-length'];
  const type = mediaType(headers['content-type']);
  if (model.image !== null && type !== null && IMAGE_TYPES.has(type)) {
    return { json: null, binary: body };
  }
  checkMediaType(type, header !== undefined, model);
  const jsonLength = header === undefined ? body.length : jsonPart(body, header);
  return { json: body.subarray(0, jsonLength), binary: body.subarray(jsonLength) };
}

export function parseInferDocument(
  { fields, binary }: Document,
  headers: InferHeaders,
  model: ModelShape,
): InferRequest {
  if (fields === null) {
    return {
      id: null,
      data: { rows: 1, images: [binary] },
      outputs: allOutputs(model, false),
      isBackboneOnly: isBackboneOnly(undefined, headers['layercache-mode']),
    };
  }
  const parameters = optionalFields(fields.parameters, 'parameters');
  const [tensor] = parseInputs(fields.inputs, model);
  return {
    id: parseId(fields.id),
    data: parseTensor(tensor, binary, model),
    outputs: parseOutputs(fields.outputs, parameters, model),
    isBackboneOnly: isBackboneOnly(parameters.layercache_mode, headers['layercache-mode']),
  };
}

function jsonPart(body: Buffer, header: string | string[]): number {
  if (typeof header === 'string' && /^\d{1,9}$/.test(header) && Number(header) <= body.length) {
    return Number(header);
  }
  throw new ServingError('malformed_request', {
    field: 'Header Inference-Header-Content-Length',
    value: shown(header),
    fix: `send the bytes of the JSON part, at most the ${body.length} of the body.`,
  });
}

function mediaType(header: string | undefined): string | null {
  return header === undefined ? null : (header.split(';')[0]?.trim().toLowerCase() ?? '');
}

function checkMediaType(type: string | null, hasBinary: boolean, model: ModelShape): void {
  if (type === null || type === 'application/json') return;
  if (type === 'application/octet-stream' && hasBinary) return;
  const images =
    model.image === null
      ? ' (images need input.image in layercache.json beside the model)'
      : `, or ${[...IMAGE_TYPES].join(', ')}`;
  throw new ServingError('unsupported_media_type', {
    value: shown(type),
    expected: `application/json, or application/octet-stream with Inference-Header-Content-Length${images}`,
  });
}

function parseId(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && ID_PATTERN.test(value)) return value;
  throw new ServingError('malformed_request', {
    field: 'Field id',
    value: shown(value),
    fix: 'send at most 128 printable ASCII characters.',
  });
}

function parseInputs(value: unknown, model: ModelShape): readonly [Fields] {
  const inputs: unknown[] = Array.isArray(value) ? value : [];
  const [tensor] = inputs;
  if (inputs.length === 1 && isFields(tensor) && tensor.name === model.inputName) return [tensor];
  const names = inputs.map((input) => (isFields(input) ? input.name : input));
  throw new ServingError('wrong_input', {
    name: shown(names.length === 1 ? names[0] : names),
    fix: `send exactly one input, named ${model.inputName}.`,
  });
}

function parseTensor(tensor: Fields, binary: Buffer, model: ModelShape): TensorRows | ImageRows {
  const name = model.inputName;
  const datatype = parseDatatype(tensor.datatype, model);
  const size = optionalFields(tensor.parameters, `parameters of input ${name}`).binary_data_size;
  if (size !== undefined && tensor.data !== undefined) {
    throw new ServingError('wrong_input', {
      name,
      fix: 'send either data or binary_data_size, not both.',
    });
  }
  if (size === undefined) requireBytes(name, binary.length, 0);
  if (datatype === 'BYTES') {
    const rows = parseImageCount(tensor.shape, model);
    if (size === undefined) return { rows, images: decodeBase64Elements(name, tensor.data, rows) };
    requireBytes(name, size, binary.length);
    return { rows, images: splitBinaryElements(name, binary, rows) };
  }
  const rows = parseRows(name, tensor.shape, model);
  const rowDatatype = toRowDatatype(datatype);
  if (size === undefined) {
    const expected = { name, shape: [rows, ...model.rowShape], datatype: rowDatatype };
    return { rows, datatype: rowDatatype, input: encodeJsonTensor(tensor.data, expected) };
  }
  const bytes = rows * model.rowElements * ELEMENT_BYTES[datatype];
  requireBytes(name, size, bytes);
  requireBytes(name, binary.length, bytes);
  return { rows, datatype: rowDatatype, input: decodeBinaryTensor(name, datatype, binary) };
}

function requireBytes(name: string, given: unknown, expected: number): void {
  if (given === expected) return;
  throw new ServingError('wrong_byte_length', {
    name,
    value: `${shown(given)} binary bytes`,
    expected: String(expected),
  });
}

function parseOutputs(
  value: unknown,
  parameters: Fields,
  model: ModelShape,
): readonly RequestedOutput[] {
  const isBinary =
    parseSwitch(parameters.binary_data_output, 'Parameter binary_data_output') === true;
  if (value === undefined) return allOutputs(model, isBinary);
  const requested: unknown[] = Array.isArray(value) ? value : [value];
  const seen = new Set<number>();
  return requested.map((output) => {
    const fields = isFields(output) ? output : {};
    const index = model.outputs.findIndex(({ name }) => name === fields.name);
    if (index === -1 || seen.has(index)) {
      throw new ServingError('unknown_output', {
        name: shown(fields.name ?? output),
        expected: `${model.outputs.map(({ name }) => name).join(', ')}, each at most once`,
      });
    }
    seen.add(index);
    const own = optionalFields(fields.parameters, 'parameters of an output').binary_data;
    return { index, binary: parseSwitch(own, 'Parameter binary_data') ?? isBinary };
  });
}

function allOutputs({ outputs }: ModelShape, binary: boolean): readonly RequestedOutput[] {
  return outputs.map((_, index) => ({ index, binary }));
}

function parseSwitch(value: unknown, field: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ServingError('invalid_parameter', {
    field,
    value: shown(value),
    expected: 'true or false',
  });
}

/** A client may only steer towards the backbone: if either place says so, it is so. */
export function isBackboneOnly(parameter: unknown, header: unknown): boolean {
  for (const [field, value] of [
    ['Parameter layercache_mode', parameter],
    ['Header layercache-mode', header],
  ] as const) {
    if (value === undefined || value === 'auto' || value === 'backbone') continue;
    throw new ServingError('invalid_parameter', {
      field,
      value: shown(value),
      expected: 'auto or backbone',
    });
  }
  return parameter === 'backbone' || header === 'backbone';
}
