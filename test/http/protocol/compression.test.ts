import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import { createEchoEngine } from '../../support/echo-engine.ts';
import type { HttpAnswer, TestServer } from '../../support/test-server.ts';
import { INFER, MODEL, aPolicy, send, startTestServer } from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    engine: createEchoEngine({ inputName: 'input', rowShape: [2], outputNames: ['scores'] }),
  });
});
afterAll(() => server.close());

const CODINGS: [string, (bytes: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['identity', (bytes) => bytes],
];

const JSON_BODY = JSON.stringify({
  inputs: [{ name: 'input', shape: [1, 2], datatype: 'FP32', data: [1, 2] }],
});

function post(
  body: string | Uint8Array,
  headers: Record<string, string | number>,
  { to = server, path = INFER } = {},
): Promise<HttpAnswer> {
  return send(to.data, path, { method: 'POST', headers, body });
}

function errorOf({ status, body }: HttpAnswer): [number, string] {
  return [status, (JSON.parse(body.toString()) as { error: string }).error];
}

describe.each(CODINGS)('a body in %s', (coding, compress) => {
  test('is read as it was before', async () => {
    const answer = await post(compress(Buffer.from(JSON_BODY)), { 'content-encoding': coding });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ outputs: [{ data: [1, 2] }] });
  });

  test('may hold binary tensors: the length of its JSON counts before compression', async () => {
    const json = JSON.stringify({
      inputs: [
        { name: 'input', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } },
      ],
    });
    const body = Buffer.concat([Buffer.from(json), Buffer.from(Float32Array.of(3, 4).buffer)]);
    const answer = await post(compress(body), {
      'content-encoding': coding,
      'inference-header-content-length': json.length,
    });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ outputs: [{ data: [3, 4] }] });
  });

  test('is read by the first protocol too', async () => {
    const body = compress(Buffer.from('{"instances": [[5, 6]]}'));
    const path = `/v1/models/${MODEL}:predict`;
    const answer = await post(body, { 'content-encoding': coding }, { path });
    expect(JSON.parse(answer.body.toString())).toEqual({ predictions: [[5, 6]] });
  });
});

describe('a body that does not decompress', () => {
  test.each<[string, string, Buffer]>([
    ['plain JSON', 'gzip', Buffer.from(JSON_BODY)],
    ['half of it', 'gzip', gzipSync(JSON_BODY).subarray(0, 40)],
    ['another coding', 'br', gzipSync(JSON_BODY)],
    ['nothing', 'deflate', Buffer.alloc(0)],
  ])('%s is 400', async (_, coding, body) => {
    expect(errorOf(await post(body, { 'content-encoding': coding }))).toEqual([
      400,
      `The body does not decompress as ${coding}; send it whole, or uncompressed.`,
    ]);
  });

  test.each(['zstd', 'gzip, br', 'compress', 'gzip;q=1'])(
    'the coding %s is 415 and says which are read',
    async (coding) => {
      const answer = await post(JSON_BODY, { 'content-encoding': coding });
      expect(errorOf(answer)).toEqual([
        415,
        `Content-Encoding ${coding} is not read here; use gzip, deflate or br, one of them, or none.`,
      ]);
      expect(answer.headers['accept-encoding']).toBe('gzip, deflate, br');
    },
  );
});

describe('the limit of a compressed body', () => {
  const padded = (bytes: number) => Buffer.from(JSON_BODY.padEnd(bytes, ' '));
  let own: TestServer;
  beforeAll(async () => {
    own = await startTestServer({
      engine: createEchoEngine({ inputName: 'input', rowShape: [2], outputNames: ['scores'] }),
      environment: { LAYERCACHE_MAX_DECOMPRESSION_RATIO: '3' },
    });
    await own.apply(aPolicy({ limits: { ...DEFAULT_LIMITS, maxRequestBytes: 1_000 } }));
  });
  afterAll(() => own.close());

  test.each(CODINGS.filter(([name]) => name !== 'identity'))(
    '%s: it may become a multiple of the body limit, and not a byte more',
    async (coding, compress) => {
      const headers = { 'content-encoding': coding };
      expect((await post(compress(padded(3_000)), headers, { to: own })).status).toBe(200);
      expect(errorOf(await post(compress(padded(3_001)), headers, { to: own }))).toEqual([
        413,
        'Decompressed, the body is larger than the limit of 3000 bytes; send fewer rows per request.',
      ]);
    },
  );

  test('the bytes on the wire have the limit of any body', async () => {
    const noise = Buffer.from(Array.from({ length: 1_001 }, (_, i) => (i * i * 31) % 251));
    const answer = await post(noise, { 'content-encoding': 'gzip' }, { to: own });
    expect(errorOf(answer)).toEqual([413, expect.stringMatching(/larger than the limit of 1000/)]);
  });
});

test('the admin port reads nothing compressed', async () => {
  const answer = await send(server.admin, '/v1/policy', {
    method: 'PUT',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync('{}'),
  });
  expect(errorOf(answer)).toEqual([
    415,
    'Content-Encoding gzip is not read here; use none, and send the body as it is.',
  ]);
});
