import type { AnswerOutput } from '../answer-output.ts';
import type { RowEncoder } from '../traffic/row-encoder.ts';

/** Which answer a request asks for: any exit that may answer, or the backbone's own. */
export type InferMode = 'auto' | 'backbone';

/** Row count and mode of a request fix everything but the tensor's bytes. */
export interface InferBody {
  readonly headerLength: number;
  readonly body: Buffer;
}

/** One answered request. Opted-out and early answers look alike but for `exit`. */
export interface InferAnswer {
  /** Name of the exit that answered, or backbone. */
  readonly exit: string;
  /** `epoch.revision` of the policy that served the request. */
  readonly policy: string;
  readonly headRevision: string;
  readonly classIds: readonly number[];
  /** Of each row what `AnswerParts` keep; absent: its class says all. */
  readonly parts?: readonly Float32Array[];
}

/** Open Inference Protocol v2 with the binary tensor extension: JSON padded with spaces to 8 bytes, then the tensor. */
export function createInferCodec(
  encoder: RowEncoder,
  output: AnswerOutput,
): {
  encode(raws: readonly Buffer[], mode: InferMode): InferBody;
  decode(headerLength: number, body: Buffer, rows: number): InferAnswer;
} {
  const headers = new Map<string, Buffer>();
  const headerOf = (rows: number, mode: InferMode): Buffer => {
    const key = `${rows} ${mode}`;
    const known = headers.get(key) ?? buildHeader(encoder, output.name, rows, mode);
    headers.set(key, known);
    return known;
  };
  return {
    encode: (raws, mode) => {
      const header = headerOf(raws.length, mode);
      const body = Buffer.alloc(header.byteLength + raws.length * encoder.rowBytes);
      header.copy(body);
      raws.forEach((raw, row) => {
        encoder.encode(raw, body, header.byteLength + row * encoder.rowBytes);
      });
      return { headerLength: header.byteLength, body };
    },
    decode: (headerLength, body, rows) => decodeAnswer(headerLength, body, { rows, output }),
  };
}

function buildHeader(
  encoder: RowEncoder,
  outputName: string,
  rows: number,
  mode: InferMode,
): Buffer {
  const text = JSON.stringify({
    inputs: [
      {
        name: encoder.inputName,
        shape: [rows, ...encoder.rowShape],
        datatype: encoder.datatype,
        parameters: { binary_data_size: rows * encoder.rowBytes },
      },
    ],
    outputs: [{ name: outputName, parameters: { binary_data: true } }],
    ...(mode === 'backbone' ? { parameters: { layercache_mode: 'backbone' } } : {}),
  });
  return Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8, ' '), 'utf8');
}

interface OutputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly parameters?: { readonly binary_data_size?: number };
}

interface AnswerHeader {
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly outputs: readonly OutputTensor[];
}

function decodeAnswer(
  headerLength: number,
  body: Buffer,
  wanted: { readonly rows: number; readonly output: AnswerOutput },
): InferAnswer {
  const header = JSON.parse(body.toString('utf8', 0, headerLength)) as AnswerHeader;
  let offset = headerLength;
  for (const output of header.outputs) {
    const size = output.parameters?.binary_data_size ?? 0;
    if (output.name === wanted.output.name) {
      const values = readFloats(body, offset, size);
      const width = values.length / wanted.rows;
      const rows = Array.from({ length: wanted.rows }, (_, row) =>
        values.subarray(row * width, (row + 1) * width),
      );
      const { classOf, parts } = wanted.output;
      return {
        ...provenance(header.parameters ?? {}),
        classIds: rows.map(classOf),
        ...(parts === null ? {} : { parts: rows.map(parts.keep) }),
      };
    }
    offset += size;
  }
  throw new Error(`the answer has no output ${wanted.output.name}`);
}

function provenance(
  parameters: Readonly<Record<string, unknown>>,
): Omit<InferAnswer, 'classIds' | 'parts'> {
  const text = (key: string): string => {
    const value = parameters[key];
    return typeof value === 'string' ? value : '';
  };
  return {
    exit: text('layercache_exit'),
    policy: text('layercache_policy'),
    headRevision: text('layercache_head_revision'),
  };
}

/** The offset need not be aligned, so the bytes are copied. */
function readFloats(body: Buffer, offset: number, sizeBytes: number): Float32Array {
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(body.subarray(offset, offset + sizeBytes));
  return new Float32Array(bytes.buffer);
}
