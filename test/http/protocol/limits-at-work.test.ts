import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { PolicyLimits } from '../../../crds/wire/policy.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import { createEchoEngine } from '../../support/echo-engine.ts';
import { eventually } from '../../support/eventually.ts';
import { rawExchange, rawRequest } from '../../support/raw-http.ts';
import type { HttpAnswer, TestServer } from '../../support/test-server.ts';
import { INFER, aPolicy, send, startTestServer } from '../../support/test-server.ts';

const started: TestServer[] = [];
afterEach(() => Promise.all(started.splice(0).map((server) => server.close())));

interface Setting {
  readonly environment?: Record<string, string>;
  readonly limits?: Partial<PolicyLimits>;
  readonly rowShape?: readonly number[];
}

async function serve({ environment = {}, limits, rowShape = [4] }: Setting): Promise<TestServer> {
  const server = await startTestServer({
    engine: createEchoEngine({ inputName: 'input', rowShape, outputNames: ['scores'] }),
    environment,
  });
  started.push(server);
  if (limits !== undefined) {
    await server.apply(aPolicy({ limits: { ...DEFAULT_LIMITS, ...limits } }));
  }
  return server;
}

const post = (server: TestServer, body: string | Uint8Array, headers = {}) =>
  send(server.data, INFER, { method: 'POST', headers, body });

function errorOf({ status, body }: HttpAnswer): [number, string] {
  return [status, (JSON.parse(body.toString()) as { error: string }).error];
}

const document = (more: object = {}) =>
  JSON.stringify({
    inputs: [{ name: 'input', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4], ...more }],
  });

/** JSON and its binary tail of `rows` rows, padded to `bytes` in all. */
function binaryBody(
  rows: number,
  datatype: string,
  elementBytes: number,
  bytes: number,
): [Buffer, object] {
  const tail = Buffer.alloc(rows * 4 * elementBytes);
  const json = JSON.stringify({
    inputs: [
      {
        name: 'input',
        shape: [rows, 4],
        datatype,
        parameters: { binary_data_size: tail.length },
      },
    ],
  }).padEnd(bytes - tail.length, ' ');
  return [
    Buffer.concat([Buffer.from(json), tail]),
    { 'inference-header-content-length': json.length },
  ];
}

describe('the bytes of a body', () => {
  const MAX = 20_000;

  test('in JSON may be the limit, and not one more', async () => {
    const server = await serve({ limits: { maxRequestBytes: MAX } });
    expect((await post(server, document().padEnd(MAX, ' '))).status).toBe(200);
    expect(errorOf(await post(server, document().padEnd(MAX + 1, ' ')))).toEqual([
      413,
      'The body is larger than the limit of 20000 bytes; send fewer rows per request.',
    ]);
  });

  test.each([
    ['FP32', 4],
    ['FP64', 8],
    ['FP16', 2],
    ['UINT8', 1],
  ])('as binary %s may be the limit, whatever its elements become', async (datatype, size) => {
    const server = await serve({ limits: { maxRequestBytes: MAX } });
    const rows = 500;
    const [body, headers] = binaryBody(rows, datatype, size, MAX);
    expect((await post(server, body, headers)).status).toBe(200);
    const [larger, more] = binaryBody(rows, datatype, size, MAX + 1);
    expect((await post(server, larger, more)).status).toBe(413);
  });

  test('change with the policy: the next request of an open connection has the new limit', async () => {
    const server = await serve({ limits: { maxRequestBytes: MAX } });
    expect((await post(server, document().padEnd(MAX, ' '))).status).toBe(200);
    const limits = { ...DEFAULT_LIMITS, maxRequestBytes: 1_000 };
    await server.apply(aPolicy({ revision: 2, limits }));
    expect((await post(server, document().padEnd(MAX, ' '))).status).toBe(413);
    expect((await post(server, document().padEnd(1_000, ' '))).status).toBe(200);
  });
});

describe('a request in JSON', () => {
  const nested = (depth: number) =>
    document({ parameters: undefined }).replace(
      /}$/,
      `,"extra":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`,
    );

  test('may be nested 32 levels deep, and 33 are refused before they are parsed', async () => {
    const server = await serve({});
    expect((await post(server, nested(32))).status).toBe(200);
    expect(errorOf(await post(server, nested(33)))).toEqual([
      400,
      'The request is not JSON that this server reads: it is nested deeper than 32.',
    ]);
  });

  test('has the depth that the variable says', async () => {
    const server = await serve({ environment: { LAYERCACHE_MAX_JSON_DEPTH: '9' } });
    expect((await post(server, nested(9))).status).toBe(200);
    expect((await post(server, nested(10))).status).toBe(400);
  });

  test('has the elements that the variable says, in both protocols', async () => {
    const server = await serve({ environment: { LAYERCACHE_MAX_TENSOR_ELEMENTS: '8' } });
    const rows = (count: number) =>
      document({ shape: [count, 4], data: new Array(count * 4).fill(1) });
    expect((await post(server, rows(2))).status).toBe(200);
    expect(errorOf(await post(server, rows(3)))).toEqual([
      400,
      expect.stringMatching(/^Input input has shape \[3,4\]; this model takes at most 8 elements/),
    ]);
    const predict = (count: number) =>
      send(server.data, '/v1/models/digits:predict', {
        method: 'POST',
        body: JSON.stringify({ instances: new Array(count).fill([1, 2, 3, 4]) }),
      });
    expect((await predict(2)).status).toBe(200);
    expect(errorOf(await predict(3))).toEqual([400, expect.stringMatching(/at most 8 elements/)]);
  });
});

describe('numbers in headers', () => {
  test.each(['-1', '1e3', '0x10', '99999999999999999999', '1.5', 'NaN', ''])(
    'Inference-Header-Content-Length %s is 400',
    async (length) => {
      const server = await serve({});
      const answer = await post(server, document(), { 'inference-header-content-length': length });
      expect(errorOf(answer)).toEqual([
        400,
        expect.stringMatching(/^Header Inference-Header-Content-Length is .*; send the bytes/),
      ]);
    },
  );

  test.each(['-1', '0', '1e3', '3601', '99999999999999999999', 'NaN', '0.0000001'])(
    'request-timeout %s is 400',
    async (seconds) => {
      const server = await serve({});
      const answer = await post(server, document(), { 'request-timeout': seconds });
      expect(errorOf(answer)).toEqual([400, expect.stringMatching(/^Header request-timeout is /)]);
    },
  );
});

describe('values that are no finite numbers', () => {
  const VALUES = Buffer.from(Uint32Array.of(0x7fc12345, 0xff800000, 0x7f800000, 0x80000000).buffer);

  test('pass through binary tensors bit by bit, and are null in JSON', async () => {
    const server = await serve({});
    const json = JSON.stringify({
      inputs: [
        { name: 'input', shape: [1, 4], datatype: 'FP32', parameters: { binary_data_size: 16 } },
      ],
      outputs: [{ name: 'scores', parameters: { binary_data: true } }],
    });
    const ask = (text: string) =>
      post(server, Buffer.concat([Buffer.from(text), VALUES]), {
        'inference-header-content-length': text.length,
      });
    const exact = await ask(json);
    const length = Number(exact.headers['inference-header-content-length']);
    expect(exact.body.subarray(length)).toEqual(VALUES);
    const inJson = await ask(json.replace('true', 'false'));
    expect(JSON.parse(inJson.body.toString())).toMatchObject({
      outputs: [{ data: [null, null, null, 0] }],
    });
  });
});

describe('a connection', () => {
  const GOOD = rawRequest(
    `POST ${INFER} HTTP/1.1`,
    [`content-length: ${document().length}`],
    document(),
  );

  test('whose headers are larger than the limit is answered 431 in one string', async () => {
    const server = await serve({ environment: { LAYERCACHE_MAX_HEADER_SIZE: '2Ki' } });
    const request = rawRequest('GET /v2 HTTP/1.1', [`x-long: ${'x'.repeat(3_000)}`]);
    expect(await rawExchange(server.data, request)).toEqual([
      {
        status: 431,
        head: expect.stringMatching(/connection: close/) as string,
        body: '{"error":"The headers are larger than the limit of 2048 bytes; send fewer or shorter ones."}',
      },
    ]);
  });

  test('whose headers take too long is answered 408 in one string', async () => {
    const server = await serve({ environment: { LAYERCACHE_HEADERS_TIMEOUT: '200ms' } });
    const answers = await rawExchange(server.data, 'GET /v2 HTTP/1.1\r\nhost: x\r\n');
    expect(answers).toMatchObject([
      { status: 408, body: expect.stringMatching(/did not arrive in time/) as string },
    ]);
  });

  test('that stays idle after its answer is closed', async () => {
    const server = await serve({ environment: { LAYERCACHE_KEEP_ALIVE_TIMEOUT: '200ms' } });
    expect(await rawExchange(server.data, GOOD)).toMatchObject([{ status: 200 }]);
  });

  test('whose client takes nothing of its answer is cut off', async () => {
    const server = await serve({
      environment: { LAYERCACHE_WRITE_TIMEOUT: '300ms' },
      rowShape: [4096],
    });
    const rows = 200;
    const body = JSON.stringify({
      inputs: [{ name: 'input', shape: [rows, 4096], datatype: 'UINT8', data: new Array(rows * 4096).fill(1) }], // prettier-ignore
    });
    const socket = connect(server.data, '127.0.0.1');
    socket.pause();
    let isCut = false;
    socket.on('error', () => {
      isCut = true;
    });
    const request = rawRequest(`POST ${INFER} HTTP/1.1`, [`content-length: ${body.length}`], body);
    // Answers of more than what sockets hold on both sides.
    for (let i = 0; i < 8; i++) socket.write(request);
    await eventually(() => {
      socket.write('x');
      expect(isCut).toBe(true);
    }, 20_000);
    socket.destroy();
    expect(
      (await post(server, document({ shape: [1, 4096], data: new Array(4096).fill(1) }))).status,
    ).toBe(200);
  });

  test('whose bytes stop being requests keeps the answers before them', async () => {
    const server = await serve({});
    const answers = await rawExchange(
      server.data,
      Buffer.concat([GOOD, GOOD, Buffer.from('\x01\x02\r\n\r\n')]),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
    expect(answers.at(-1)?.body).toBe(
      '{"error":"The request is not HTTP/1.1 that this server reads."}',
    );
  });

  test('beyond the number of connections is closed without an answer', async () => {
    const server = await serve({ environment: { LAYERCACHE_MAX_CONNECTIONS: '2' } });
    const held = [0, 1].map(() => connect(server.data, '127.0.0.1'));
    await Promise.all(
      held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
    );
    expect(await rawExchange(server.data, GOOD)).toEqual([]);
    for (const socket of held) socket.destroy();
    await eventually(async () => {
      const close = rawRequest('GET /v2 HTTP/1.1', ['connection: close']);
      expect(await rawExchange(server.data, close)).toMatchObject([{ status: 200 }]);
    });
  });
});
