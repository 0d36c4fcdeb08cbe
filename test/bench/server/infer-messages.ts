import { createRandom } from '../../../server/core/random.ts';
import type { HttpMessage } from '../http-message.ts';

const DISTINCT = 32;
const INPUT = 'image';

export interface MessagesPlan {
  readonly path: string;
  /** Of one row, without the batch axis. */
  readonly rowShape: readonly number[];
  readonly format: 'json' | 'binary';
}

/** Requests of one seeded row each. JSON numbers have all digits of their float32, as a client that prints its array sends them. */
export function inferMessages({ path, rowShape, format }: MessagesPlan): HttpMessage[] {
  const random = createRandom(11);
  const size = rowShape.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: DISTINCT }, () => {
    const row = Float32Array.from({ length: size }, () => random.normal());
    return format === 'json'
      ? jsonMessage(path, rowShape, row)
      : binaryMessage(path, rowShape, row);
  });
}

function jsonMessage(path: string, rowShape: readonly number[], row: Float32Array): HttpMessage {
  const input = { name: INPUT, shape: [1, ...rowShape], datatype: 'FP32', data: [...row] };
  return {
    path,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ inputs: [input] })),
  };
}

function binaryMessage(path: string, rowShape: readonly number[], row: Float32Array): HttpMessage {
  const parameters = { binary_data_size: row.byteLength };
  const header = Buffer.from(
    JSON.stringify({
      inputs: [{ name: INPUT, shape: [1, ...rowShape], datatype: 'FP32', parameters }],
      parameters: { binary_data_output: true },
    }),
  );
  return {
    path,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': header.length,
    },
    body: Buffer.concat([header, Buffer.from(row.buffer)]),
  };
}
