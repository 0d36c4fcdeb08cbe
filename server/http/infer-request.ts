import { ServingError, shown } from '../errors.ts';
import { jsonDepth } from './json-depth.ts';
import type { ModelShape } from './model-shape.ts';
import { ELEMENT_BYTES, encodeJsonTensor, parseDatatype, parseRows } from './tensor-codec.ts';

// Open Inference Protocol v2, REST, with the binary tensor extension:
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
// https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md

export interface RequestedOutput {
  /** Index of the model's output. */
  readonly index: number;
  readonly binary: boolean;
}

export interface InferRequest {
  readonly id: string | null;
  readonly rows: number;
  readonly datatype: 'FP32' | 'UINT8';
  readonly input: Uint8Array;
  readonly outputs: readonly RequestedOutput[];
  readonly isBackboneOnly: boolean;
}

export interface InferHeaders {
  readonly 'content-type'?: string | undefined;
  readonly 'inference-header-content-length'?: string | string[] | undefined;
  readonly 'layercache-mode'?: string | string[] | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 32;
const ID_PATTERN = /^[\x20-\x7e]{0,128}$/;

export function parseInferRequest(
  body: Buffer,
  headers: InferHeaders,
  model: ModelShape,
): InferRequest {
  const jsonLength = jsonPart(body, headers);
  const fields = parseObject(body.subarray(0, jsonLength));
  const parameters = optionalFields(fields.parameters, 'parameters');
  const [tensor] = parseInputs(fields.inputs, model);
  return {
    id: parseId(fields.id),
    ...parseTensor(tensor, body.subarray(jsonLength), model),
    outputs: parseOutputs(fields.outputs, parameters, model),
    isBackboneOnly: isBackboneOnly(parameters.layercache_mode, headers['layercache-mode']),
  };
}

function jsonPart(body: Buffer, headers: InferHeaders): number {
  const header = headers['inference-header-content-length'];
  checkContentType(headers['content-type'], header !== undefined);
  if (header === undefined) return body.length;
  if (typeof header === 'string' && /^\d{1,9}$/.test(header) && Number(header) <= body.length) {
    return Number(header);
  }
  throw new ServingError('malformed_request', {
    field: 'Header Inference-Header-Content-Length',
    value: shown(header),
    fix: `send the bytes of the JSON part, at most the ${body.length} of the body.`,
  });
}

function checkContentType(header: string | undefined, hasBinary: boolean): void {
  if (header === undefined) return;
  const type = header.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  if (type === 'application/octet-stream' && hasBinary) return;
  throw new ServingError('unsupported_media_type', {
    value: shown(type),
    expected: 'application/json, or application/octet-stream with Inference-Header-Content-Length',
  });
}

function parseObject(json: Buffer): Fields {
  if (jsonDepth(json, MAX_DEPTH) > MAX_DEPTH) {
    throw new ServingError('malformed_json', { detail: `it is nested deeper than ${MAX_DEPTH}.` });
  }
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch (cause) {
    throw new ServingError(
      'malformed_json',
      { detail: json.length === 0 ? 'it is empty.' : 'it does not parse.' },
      { cause },
    );
  }
  if (isFields(value)) return value;
  throw new ServingError('malformed_json', { detail: 'it is not an object.' });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionalFields(value: unknown, field: string): Fields {
  if (value === undefined) return {};
  if (isFields(value)) return value;
  throw new ServingError('malformed_request', {
    field,
    value: shown(value),
    fix: 'send an object.',
  });
}

function parseId(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && ID_PATTERN.test(value)) return value;
  throw new ServingError('malformed_request', {
    field: 'id',
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

function parseTensor(
  tensor: Fields,
  binary: Buffer,
  model: ModelShape,
): Pick<InferRequest, 'rows' | 'datatype' | 'input'> {
  const name = model.inputName;
  const datatype = parseDatatype(name, tensor.datatype);
  const rows = parseRows(name, tensor.shape, model);
  const size = optionalFields(tensor.parameters, `parameters of input ${name}`).binary_data_size;
  const expected = { name, shape: [rows, ...model.rowShape], datatype };
  if (size === undefined) {
    requireBytes(name, binary.length, 0);
    return { rows, datatype, input: encodeJsonTensor(tensor.data, expected) };
  }
  if (tensor.data !== undefined) {
    throw new ServingError('wrong_input', {
      name,
      fix: 'send data or binary_data_size, not both.',
    });
  }
  const bytes = rows * model.rowElements * ELEMENT_BYTES[datatype];
  requireBytes(name, size, bytes);
  requireBytes(name, binary.length, bytes);
  // A plain view: Buffer's own slice() would not copy where others expect it to.
  return { rows, datatype, input: new Uint8Array(binary.buffer, binary.byteOffset, bytes) };
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
  const isBinary = parameters.binary_data_output === true;
  if (value === undefined) return model.outputs.map((_, index) => ({ index, binary: isBinary }));
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
    return { index, binary: typeof own === 'boolean' ? own : isBinary };
  });
}

/** A client may only steer towards the backbone: if either place says so, it is so. */
function isBackboneOnly(parameter: unknown, header: unknown): boolean {
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
