// Tensors that do not fit, by the thousand: each is answered, in one sentence that names the input, and nothing else happens.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServingError } from '../../../server/errors.ts';
import type { ModelShape } from '../../../server/http/model-shape.ts';
import { OPEN_INFERENCE, parseAtOnce, PREDICT } from '../../../server/http/protocols.ts';
import { createEchoEngine } from '../../support/echo-engine.ts';
import type { HttpAnswer, TestServer } from '../../support/test-server.ts';
import { INFER, MODEL, send, startTestServer } from '../../support/test-server.ts';

const ROW_SHAPE = [2, 3];
const ELEMENTS = 6;
const NAME = 'pixels';

const SHAPE: ModelShape = {
  inputName: NAME,
  rowShape: ROW_SHAPE,
  rowElements: ELEMENTS,
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2, 3] }],
  classOutput: 0,
  image: null,
  limits: {
    maxJsonDepth: 32,
    maxTensorElements: 2 ** 26,
    maxDecompressionRatio: 4,
    maxImagePixels: 100,
    maxHeldBytes: 2 ** 28,
  },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    engine: createEchoEngine({ inputName: NAME, rowShape: ROW_SHAPE, outputNames: ['scores'] }),
  });
});
afterAll(() => server.close());

const WIDTHS: Readonly<Record<string, number>> = { FP16: 2, FP32: 4, FP64: 8, UINT8: 1 };

/** Sizes that products, signs and types trip over. */
const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -2, max: 4 }) },
  fc.constantFrom<unknown>(
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
    2 ** 60,
    2 ** 63,
    1e308,
    -(2 ** 53),
    1.5,
    0,
    null,
    '2',
    [],
    true,
  ),
);
const shape: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>([1, 2, 3], [2, 2, 3]) },
  { weight: 2, arbitrary: fc.array(size, { maxLength: 6 }) },
  fc.tuple(size, fc.constant(2), fc.constant(3)),
  fc.constantFrom<unknown>(
    undefined,
    null,
    {},
    '1,2,3',
    6,
    [[1], [2], [3]],
    new Array(100).fill(1),
  ),
);
const datatype = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>('FP32', 'UINT8', 'FP16', 'FP64') },
  fc.constantFrom<unknown>('BYTES', 'BOOL', 'INT8', 'INT64', 'UINT32', 'BF16', 'fp32', '', null, 7, undefined, ['FP32'], '__proto__', 'constructor'), // prettier-ignore
);
const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 255 }) },
  fc.double(),
  fc.constantFrom<unknown>(null, '1', true, {}, [], 1e39, -1, 256, 0.5, 'NaN'),
);
const data: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: ELEMENTS, maxLength: ELEMENTS }) }, // prettier-ignore
  fc.array(value, { maxLength: 14 }),
  fc.array(fc.array(fc.array(value, { maxLength: 4 }), { maxLength: 3 }), { maxLength: 3 }),
  fc.constantFrom<unknown>(undefined, null, 'AAAA', 6, {}, { length: 6 }),
);
const parameters = fc.oneof(
  { weight: 3, arbitrary: fc.constant<unknown>(undefined) },
  fc.record({ binary_data_size: fc.oneof(size, fc.constant<unknown>(24)) }),
  fc.constantFrom<unknown>(null, [], 'x', {}),
);
const tensor = fc.record({
  name: fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>(NAME) }, fc.constantFrom<unknown>('other', '', null, undefined, 5, ['pixels'], '__proto__')), // prettier-ignore
  shape,
  datatype,
  data,
  parameters,
});
const inputs: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: tensor.map((one) => [one]) },
  fc.array(tensor, { maxLength: 3 }),
  tensor.map((one) => [one, one]),
  fc.constantFrom<unknown>(undefined, null, {}, 'pixels', [null], [[]], [7]),
);
/** A request of the second protocol, with bytes behind its JSON at any offset. */
const request = fc.record({
  document: fc.record({ inputs }),
  padding: fc.nat({ max: 9 }),
  binary: fc.option(fc.uint8Array({ maxLength: 60 }), { nil: null }),
});

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function encode({ document, padding, binary }: Request): [Buffer, Record<string, string>] {
  const json = Buffer.from(JSON.stringify(document) + ' '.repeat(padding));
  if (binary === null) return [json, {}];
  return [
    Buffer.concat([json, binary]),
    { 'inference-header-content-length': String(json.length) },
  ];
}

/** One printable sentence, short, with a next step; about the input when a tensor is at fault. */
function expectSentence(error: string): void {
  expect(error).toMatch(/^[A-Z][\x20-\x7e]{10,600}\.$/);
  if (
    error.startsWith('Input ') &&
    !/^Input .* does not fit this model: send exactly/.test(error)
  ) {
    expect(error.startsWith(`Input ${NAME} `)).toBe(true);
  }
}

const RUNS = { seed: 20251125, numRuns: 4_000 };

describe('any tensor', () => {
  test('is read as its shape and type say, or refused with a code of 400', () => {
    let taken = 0;
    fc.assert(
      fc.property(request, (sent) => {
        const [body, headers] = encode(sent);
        try {
          const { data: rows } = parseAtOnce(OPEN_INFERENCE, body, headers, SHAPE);
          if ('images' in rows) throw new Error('pictures for a model that takes none');
          const width = rows.datatype === 'FP32' ? 4 : 1;
          expect(rows.input.length).toBe(rows.rows * ELEMENTS * width);
          taken += 1;
        } catch (error) {
          if (!(error instanceof ServingError)) throw error;
          expect(error.status).toBe(400);
          expectSentence(error.message);
        }
      }),
      RUNS,
    );
    // The property is about both.
    expect(taken).toBeGreaterThan(20);
  });

  test('of the first protocol is read or refused the same way', () => {
    const rows = fc.oneof(data, fc.array(data, { maxLength: 3 }), fc.array(fc.record({ [NAME]: data }), { maxLength: 3 })); // prettier-ignore
    const document = fc.oneof(
      fc.record({ instances: rows }),
      fc.record({
        inputs: fc.oneof(rows, fc.record({ [NAME]: rows }), fc.record({ other: rows })),
      }),
      fc.record({ instances: rows, inputs: rows }),
    );
    fc.assert(
      fc.property(document, (sent) => {
        try {
          parseAtOnce(PREDICT, Buffer.from(JSON.stringify(sent)), {}, SHAPE);
        } catch (error) {
          if (!(error instanceof ServingError)) throw error;
          expect(error.status).toBe(400);
          expectSentence(error.message);
        }
      }),
      RUNS,
    );
  });

  test('comes back exactly as it was sent when it is good: every type, flat, nested and binary at any offset', async () => {
    const good = fc.record({
      type: fc.constantFrom('FP32', 'FP16', 'FP64', 'UINT8'),
      rows: fc.integer({ min: 1, max: 3 }),
      form: fc.constantFrom('flat', 'nested', 'binary'),
      padding: fc.nat({ max: 7 }),
      seed: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 18, maxLength: 18 }),
    });
    await fc.assert(
      fc.asyncProperty(good, async ({ type, rows, form, padding, seed }) => {
        const values = seed.slice(0, rows * ELEMENTS);
        const nested = Array.from({ length: rows }, (_, row) =>
          [0, 1].map((line) => values.slice(row * 6 + line * 3, row * 6 + line * 3 + 3)),
        );
        const bytes = toBinary(type, values);
        const json = JSON.stringify({
          inputs: [
            {
              name: NAME,
              shape: [rows, ...ROW_SHAPE],
              datatype: type,
              ...(form === 'binary'
                ? { parameters: { binary_data_size: bytes.length } }
                : { data: form === 'flat' ? values : nested }),
            },
          ],
        }) + ' '.repeat(padding); // prettier-ignore
        const answer = await send(server.data, INFER, {
          method: 'POST',
          body: form === 'binary' ? Buffer.concat([Buffer.from(json), bytes]) : json,
          headers: form === 'binary' ? { 'inference-header-content-length': json.length } : {},
        });
        const { outputs } = JSON.parse(answer.body.toString()) as { outputs: { data: number[] }[] };
        expect(outputs[0]?.data).toEqual(values);
      }),
      { seed: 7, numRuns: 150 },
    );
  });

  test('leaves the server as it was', async () => {
    const statuses = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(request, async (sent) => {
        const [body, headers] = encode(sent);
        const answer = await send(server.data, INFER, { method: 'POST', headers, body });
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.status === 200) return;
        expect(answer.status).toBe(400);
        expectSentence(errorOf(answer));
      }),
      { seed: 11, numRuns: 400 },
    );
    expect([...statuses.keys()].toSorted()).toEqual([200, 400]);
    expect((await send(server.data, '/v2/health/ready')).status).toBe(200);
    const answer = await send(server.data, `/v1/models/${MODEL}:predict`, {
      method: 'POST',
      body: JSON.stringify({ instances: [[[1, 2, 3], [4, 5, 6]]] }), // prettier-ignore
    });
    expect(answer.status).toBe(200);
  });
});

function errorOf({ body }: HttpAnswer): string {
  const document = JSON.parse(body.toString()) as { error: string };
  expect(Object.keys(document)).toEqual(['error']);
  return document.error;
}

/** Whole numbers up to 255 are exact in every type. */
function toBinary(type: string, values: readonly number[]): Buffer {
  const width = WIDTHS[type]!;
  const bytes = Buffer.alloc(values.length * width);
  values.forEach((number, i) => {
    if (type === 'UINT8') bytes.writeUInt8(number, i);
    else if (type === 'FP32') bytes.writeFloatLE(number, i * 4);
    else if (type === 'FP64') bytes.writeDoubleLE(number, i * 8);
    else bytes.writeUInt16LE(toHalfBits(number), i * 2);
  });
  return bytes;
}

function toHalfBits(number: number): number {
  if (number === 0) return 0;
  const exponent = Math.floor(Math.log2(number));
  return ((exponent + 15) << 10) + (number / 2 ** exponent - 1) * 1024;
}
