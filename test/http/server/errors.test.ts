import { connect } from 'node:net';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  HARD,
  INFER,
  MODEL,
  aPolicy,
  aTrack,
  fakeBundle,
  inferBody,
  send,
  startTestServer,
} from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const input = (more: object) => ({
  inputs: [{ name: 'input', shape: [1, 4], datatype: 'FP32', data: [1, 0, 0, 0], ...more }],
});

async function refusalOf(body: unknown, headers = {}): Promise<[number, string]> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await send(server.data, INFER, { method: 'POST', headers, body: text });
  const parsed = JSON.parse(answer.body.toString()) as { error: string };
  expect(Object.keys(parsed)).toEqual(['error']);
  return [answer.status, parsed.error];
}

describe('a request that does not fit is 400 and says field, value and next step', () => {
  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{"inputs": [', /does not parse/],
    ['nothing', '', /empty/],
    ['a list', '[]', /not an object/],
    ['33 levels', '['.repeat(33) + ']'.repeat(33), /deeper than 32/],
    ['no inputs', {}, /exactly one input, named input/],
    ['an input twice', { inputs: [...input({}).inputs, ...input({}).inputs] }, /exactly one input/],
    ['another input', input({ name: 'other' }), /Input other does not fit/],
    ['prototype tricks', '{"__proto__": {"inputs": []}}', /exactly one input/],
    ['another datatype', input({ datatype: 'INT64' }), /datatype INT64/],
    ['no datatype', input({ datatype: undefined }), /datatype missing/],
    ['a missing dimension', input({ shape: [4] }), /shape \[4\]/],
    ['another rank', input({ shape: [1, 4, 1] }), /\[rows, 4\]/],
    ['another size', input({ shape: [1, 5] }), /\[rows, 4\]/],
    ['negative rows', input({ shape: [-1, 4] }), /\[rows, 4\]/],
    ['no rows', input({ shape: [0, 4] }), /\[rows, 4\]/],
    ['fractional rows', input({ shape: [1.5, 4] }), /\[rows, 4\]/],
    [
      'a shape whose product leaves the safe integers',
      input({ shape: [2 ** 52, 4] }),
      /at most 67108864 elements/,
    ],
    ['too few values', input({ data: [1, 2, 3] }), /brings 3 values/],
    ['too many values', input({ data: [1, 2, 3, 4, 5] }), /brings 5 values/],
    [
      'nested data of another shape',
      input({
        data: [
          [1, 2],
          [3, 4],
        ],
      }),
      /brings 2 values|values in a place/,
    ],
    ['no data', input({ data: undefined }), /data must be an array/],
    ['a text among the numbers', input({ data: [1, 'x', 3, 4] }), /value 1 is x/],
    [
      'a number that rounds to infinity',
      JSON.stringify(input({})).replace('[1,0,0,0]', '[1e400,0,0,0]'),
      /finite numbers/,
    ],
    ['a byte above 255', input({ datatype: 'UINT8', data: [256, 0, 0, 0] }), /from 0 to 255/],
    ['data and binary at once', input({ parameters: { binary_data_size: 16 } }), /not both/],
    [
      'binary without bytes',
      input({ data: undefined, parameters: { binary_data_size: 16 } }),
      /brings 0 binary bytes/,
    ],
    [
      'a binary size that does not fit',
      input({ data: undefined, parameters: { binary_data_size: 12 } }),
      /12 binary bytes/,
    ],
    ['parameters that are no object', { ...input({}), parameters: 3 }, /parameters is 3/],
    ['an unknown output', { ...input({}), outputs: [{ name: 'nothing' }] }, /no output nothing/],
    [
      'an output twice',
      { ...input({}), outputs: [{ name: 'scores' }, { name: 'scores' }] },
      /at most once/,
    ],
    ['a long id', { ...input({}), id: 'x'.repeat(129) }, /128 printable/],
    ['an id that is no text', { ...input({}), id: 7 }, /128 printable/],
    [
      'an unknown mode',
      { ...input({}), parameters: { layercache_mode: 'fast' } },
      /auto or backbone/,
    ],
  ])('%s', async (_, body, message) => {
    const [status, error] = await refusalOf(body);
    expect(error).toMatch(message);
    expect(status).toBe(400);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['an unknown mode header', { 'layercache-mode': 'fast' }, /auto or backbone/],
    ['a timeout of 0', { 'request-timeout': '0' }, /request-timeout is 0/],
    ['a timeout that is no number', { 'request-timeout': 'soon' }, /seconds above 0/],
    [
      'a header length beyond the body',
      { 'inference-header-content-length': '99999' },
      /at most the/,
    ],
    [
      'a header length that is no number',
      { 'inference-header-content-length': '-1' },
      /at most the/,
    ],
  ])('%s', async (_, headers, message) => {
    const [status, error] = await refusalOf(input({}), headers);
    expect(error).toMatch(message);
    expect(status).toBe(400);
  });

  test('32 levels are read', async () => {
    const [, error] = await refusalOf('['.repeat(32) + ']'.repeat(32));
    expect(error).toMatch(/not an object/);
  });

  test('a value of the client is echoed short', async () => {
    const [, error] = await refusalOf(input({ name: 'x'.repeat(5000) }));
    expect(error.length).toBeLessThan(400);
  });
});

describe('a request to the wrong place', () => {
  test.each([
    ['another model', INFER.replace(MODEL, 'other'), 404, /no model other/],
    ['another version', INFER.replace('/infer', '/versions/9/infer'), 404, /no version 9/],
    ['another path', '/v3/models', 404, /nothing at POST/],
    ['a path that does not decode', '/v2/models/%E0%A4%A/infer', 404, /nothing at/],
  ])('%s is 404', async (_, path, status, message) => {
    const answer = await send(server.data, path, { method: 'POST', body: inferBody([HARD]) });
    expect(answer.status).toBe(status);
    expect(answer.body.toString()).toMatch(message);
  });

  test('another method is 405 and names the right one', async () => {
    const answer = await send(server.data, INFER);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
    expect((await send(server.data, '/v2', { method: 'DELETE' })).status).toBe(405);
    expect((await send(server.admin, '/v1/policy')).status).toBe(405);
    expect((await send(server.metrics, '/metrics', { method: 'PUT', body: '' })).status).toBe(405);
  });
});

describe('a body that is not read', () => {
  test('without any length it is 411', async () => {
    const answer = await raw(`POST ${INFER} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 411/);
  });

  test('announced above the limit it is 413 before a byte of it is read', async () => {
    const answer = await raw(
      `POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\nexpect: 100-continue\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413/);
    expect(answer).not.toMatch(/100 Continue/);
    expect(answer.toLowerCase()).toMatch(/connection: close/);
  });

  test('announced within the limit it is asked for', async () => {
    const body = inferBody([HARD]);
    const answer = await raw(
      `POST ${INFER} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue/);
    expect(answer).toMatch(/HTTP\/1.1 200/);
  });

  test('of another type it is 415, compressed in another way too', async () => {
    expect(await refusalOf(input({}), { 'content-type': 'text/plain' })).toEqual([
      415,
      expect.stringMatching(/application\/json/),
    ]);
    expect(await refusalOf(input({}), { 'content-type': 'application/octet-stream' })).toEqual([
      415,
      expect.stringMatching(/Inference-Header-Content-Length/),
    ]);
    expect(await refusalOf(input({}), { 'content-encoding': 'zstd' })).toEqual([
      415,
      expect.stringMatching(/Content-Encoding zstd is not read here; use gzip, deflate or br/),
    ]);
  });

  test('in pieces beyond the limit it is 413, with 65,536 one-byte pieces within it is read', async () => {
    const own = await startTestServer();
    const limits = { ...DEFAULT_LIMITS, maxRequestBytes: 70_000 };
    const headRevision = await own.push(fakeBundle(2));
    await own.apply(aPolicy({ stable: aTrack(headRevision), limits }));
    const text = inferBody([HARD]);
    expect(await sendPieces(own.data, text.padEnd(65_536, ' '))).toBe(200);
    expect(await sendPieces(own.data, text.padEnd(70_001, ' '))).toBe(413);
    await own.close();
  });

  test('too slow it is 408', async () => {
    const status = await new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: server.data,
          path: INFER,
          method: 'POST',
          headers: { 'request-timeout': '0.05', 'content-length': 10 },
        },
        (incoming) => {
          resolve(incoming.statusCode);
          incoming.resume();
          outgoing.destroy();
        },
      );
      outgoing.on('error', reject);
      outgoing.write('{');
    });
    expect(status).toBe(408);
  });
});

describe('what is full or late', () => {
  test('a queue without room is 429 at once, more rows than it ever has is 413', async () => {
    const own = await startTestServer();
    const limits = { ...DEFAULT_LIMITS, maxBatchSize: 1, maxQueueLength: 4 };
    await own.apply(aPolicy({ limits }));
    own.engine.isHeld = true;
    const waiting = Array.from({ length: 6 }, () => own.infer([HARD]));
    await expect.poll(async () => (await own.state()).queue.rows).toBe(4);
    const full = await own.infer([HARD]);
    expect(full.status).toBe(429);
    expect(full.headers['retry-after']).toBe('1');
    expect((await own.infer([HARD, HARD, HARD, HARD, HARD])).status).toBe(413);
    own.engine.isHeld = false;
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([
      200, 200, 200, 200, 200, 200,
    ]);
    await own.close();
  });

  test('more requests than may be answered at once are 429', async () => {
    const own = await startTestServer();
    await own.apply(aPolicy({ limits: { ...DEFAULT_LIMITS, maxConcurrentRequests: 1 } }));
    own.engine.isHeld = true;
    const first = own.infer([HARD]);
    await expect.poll(() => own.engine.batches.length).toBe(1);
    expect((await own.infer([HARD])).status).toBe(429);
    own.engine.isHeld = false;
    expect((await first).status).toBe(200);
    await own.close();
  });

  test('past its deadline it is 504, and its place in the queue is free', async () => {
    const own = await startTestServer();
    own.engine.isHeld = true;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => own.infer([HARD], {}, { 'request-timeout': '0.05' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(new Array(8).fill(504));
    expect(answers[0]?.body.toString()).toMatch(/within 0.05 s/);
    expect((await own.state()).queue.rows).toBe(0);
    own.engine.isHeld = false;
    await own.close();
  });

  test('a client that hangs up leaves the queue', async () => {
    const own = await startTestServer();
    own.engine.isHeld = true;
    own.engine.slotCount = 1;
    const running = own.infer([HARD]);
    await expect.poll(() => own.engine.batches.length).toBe(1);
    const gone = new AbortController();
    const left = send(own.data, INFER, {
      method: 'POST',
      body: inferBody([HARD]),
      signal: gone.signal,
    });
    await expect.poll(async () => (await own.state()).queue.rows).toBe(1);
    gone.abort();
    await expect(left).rejects.toThrow();
    await expect.poll(async () => (await own.state()).queue.rows).toBe(0);
    own.engine.isHeld = false;
    expect((await running).status).toBe(200);
    expect(own.engine.batches.length).toBe(1);
    await own.close();
  });

  test('before the backbone is loaded it is 503; the state says how far it is', async () => {
    const own = await startTestServer({ isStarted: false });
    const answer = await own.infer([HARD]);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('2');
    expect((await send(own.admin, '/v1/evidence')).status).toBe(503);
    const state = await send(own.admin, '/v1/state');
    expect(JSON.parse(state.body.toString())).toMatchObject({
      podUid: 'pod-1',
      loading: { step: 'Loading', failedAttempts: 0, failure: null },
    });
    expect((await send(own.data, '/v2/health/ready')).status).toBe(503);
    expect((await send(own.data, '/v2/health/live')).status).toBe(200);
    expect((await send(own.metrics, '/livez')).status).toBe(200);
    expect((await send(own.metrics, '/readyz')).status).toBe(503);
    expect((await send(own.metrics, '/startupz')).status).toBe(503);
    await own.close();
  });
});

function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.data, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(answer);
    });
  });
}

function sendPieces(port: number, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path: INFER,
        method: 'POST',
        headers: { 'transfer-encoding': 'chunked' },
      },
      (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode ?? 0);
      },
    );
    outgoing.on('error', reject);
    for (const piece of text) outgoing.write(piece);
    outgoing.end();
  });
}
