import type { HttpMessage } from '../http-message.ts';

/** Text or bytes: servers are compared with Layercache in the same kind of body, since digits cost more than any server. */
export type BodyKind = 'JSON' | 'binary';

/** How a row is sent to a server and its answer read. */
export interface Protocol {
  readonly kind: BodyKind;
  /** As the table says it. */
  readonly label: string;
  readonly message: (row: Float32Array, rowShape: readonly number[]) => HttpMessage;
  /** The class scores of an answer's body; throws where it has none. @param head of the answer, in lower case */
  readonly scores: (body: Buffer, head: string) => readonly number[];
}

/** Open Inference Protocol v2. */
const V2_PATH = '/v2/models/bench/infer';
/** What it calls the input of the benchmark's models. */
const INPUT = 'image';
const JSON_HEADERS = { 'content-type': 'application/json' };

export function v2Json(): Protocol {
  return {
    kind: 'JSON',
    label: 'v2, JSON',
    message: (row, rowShape) => {
      const input = { name: INPUT, shape: [1, ...rowShape], datatype: 'FP32', data: [...row] };
      return jsonMessage(V2_PATH, { inputs: [input] });
    },
    scores: (body) => {
      const { outputs } = JSON.parse(body.toString()) as {
        readonly outputs: readonly { readonly data: readonly number[] }[];
      };
      return outputs[0]?.data ?? [];
    },
  };
}

export function v2Binary(): Protocol {
  return {
    kind: 'binary',
    label: 'v2, binary',
    message: (row, rowShape) => {
      const parameters = { binary_data_size: row.byteLength };
      const shape = [1, ...rowShape];
      const header = Buffer.from(
        JSON.stringify({
          inputs: [{ name: INPUT, shape, datatype: 'FP32', parameters }],
          parameters: { binary_data_output: true },
        }),
      );
      return {
        path: V2_PATH,
        headers: {
          'content-type': 'application/octet-stream',
          'inference-header-content-length': header.length,
        },
        body: Buffer.concat([header, bytesOf(row)]),
      };
    },
    scores: (body, head) => {
      const [, length] = /^inference-header-content-length: *(\d+)/m.exec(head) ?? [];
      if (length === undefined) throw new TypeError('the answer has no binary tensors');
      return floatsOf(body.subarray(Number(length)));
    },
  };
}

/** A row's float32 values, least significant byte first, and nothing else; the answer likewise. */
export function plainBytes(path: string): Protocol {
  return {
    kind: 'binary',
    label: 'bytes',
    message: (row) => ({
      path,
      headers: { 'content-type': 'application/octet-stream' },
      body: bytesOf(row),
    }),
    scores: (body) => floatsOf(body),
  };
}

/** Nested arrays under a name; the answer is an array of rows, under a name of its own or bare. */
export function namedJson(path: string, input: string, output: string | null): Protocol {
  return {
    kind: 'JSON',
    label: 'JSON',
    message: (row, rowShape) => jsonMessage(path, { [input]: [nested([...row], rowShape)] }),
    scores: (body) => {
      const answer = JSON.parse(body.toString()) as Record<string, readonly unknown[]>;
      const rows = output === null ? answer : answer[output];
      if (!Array.isArray(rows)) throw new TypeError('the answer has no rows');
      return rows.flat() as number[];
    },
  };
}

function jsonMessage(path: string, value: unknown): HttpMessage {
  return { path, headers: JSON_HEADERS, body: Buffer.from(JSON.stringify(value)) };
}

function bytesOf(row: Float32Array): Buffer {
  return Buffer.from(row.buffer, row.byteOffset, row.byteLength);
}

function floatsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

function nested(values: readonly number[], shape: readonly number[]): unknown {
  const [, ...inner] = shape;
  if (inner.length === 0) return values;
  const size = inner.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: values.length / size }, (_, i) =>
    nested(values.slice(i * size, (i + 1) * size), inner),
  );
}
