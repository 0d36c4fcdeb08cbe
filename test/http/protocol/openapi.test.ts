// The description is held against OpenAPI's own schema, and every answer of the port against the description.
import { gzipSync } from 'node:zlib';
import type { OutputUnit } from '@hyperjump/json-schema/openapi-3-1';
import { registerSchema, unregisterSchema, validate } from '@hyperjump/json-schema/openapi-3-1';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ModelNotesSchema } from '../../../server/engine/model-notes.ts';
import type { ErrorCode } from '../../../server/errors.ts';
import { ERRORS } from '../../../server/errors.ts';
import type { DataPath } from '../../../server/http/data-routes.ts';
import { DATA_PATHS } from '../../../server/http/data-routes.ts';
import { ImageDecoderError } from '../../../server/image/image-decoder.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import { RowCode } from '../../support/fake-engine.ts';
import { rawExchange, rawRequest } from '../../support/raw-http.ts';
import type { HttpAnswer, Sent, TestServer, TestServerOptions } from '../../support/test-server.ts';
import {
  EASY,
  HARD,
  aCandidate,
  aPolicy,
  aTrack,
  fakeBundle,
  inferBody,
  send,
  startTestServer,
} from '../../support/test-server.ts';

type Content = Record<string, { schema: object; example?: unknown; examples?: Record<string, { value: unknown }> }>; // prettier-ignore
interface Reply {
  readonly description: string;
  readonly headers?: Record<string, unknown>;
  readonly content: Content;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Reply>>;
}
interface Description {
  readonly paths: Readonly<Record<string, { readonly get?: Operation; readonly post?: Operation }>>;
}

const BASE = 'https://layercache.test/openapi.json';
const NOTES = ModelNotesSchema.parse({
  input: { image: { width: 2, height: 2, colors: 'Gray' } },
  labels: ['a', 'b', 'c'],
});
/** A picture that is none behind its header. */
const PICTURE = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
  Buffer.from([0, 0, 0, 2, 0, 0, 0, 2, 8, 0, 0, 0, 0]),
]);

let server: TestServer;
let description: Description;
beforeAll(async () => {
  server = await startTestServer({ notes: NOTES });
  const stable = await server.push(fakeBundle(2));
  const candidate = await server.push(fakeBundle(3));
  await server.apply(aPolicy({ stable: aTrack(stable), candidate: aCandidate(candidate, 0.5) }));
  const answer = await send(server.data, '/openapi.json');
  description = JSON.parse(answer.body.toString()) as Description;
  registerSchema(description as never, BASE, 'https://spec.openapis.org/oas/3.1/schema-base');
});
afterAll(async () => {
  unregisterSchema(BASE);
  await server.close();
});

/** What is wrong with a value at this place of the description; empty when nothing is. */
async function findProblems(place: string, value: unknown): Promise<OutputUnit[]> {
  const pointer = encodeURI(place).replaceAll('#', '%23');
  const output = await validate(`${BASE}#${pointer}`, value as never, 'BASIC');
  return output.valid ? [] : (output.errors ?? [{ keyword: 'none' } as OutputUnit]);
}

const step = (name: string) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

function operations(): {
  path: string;
  method: 'get' | 'post';
  place: string;
  operation: Operation;
}[] {
  return Object.entries(description.paths).flatMap(([path, item]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = item[method];
      const place = `/paths${step(path)}/${method}`;
      return operation === undefined ? [] : [{ path, method, place, operation }];
    }),
  );
}

describe('the description', () => {
  test('is a whole OpenAPI document', async () => {
    const output = await validate(
      'https://spec.openapis.org/oas/3.1/schema-base',
      description as never,
      'BASIC',
    );
    expect(output).toEqual({ valid: true });
  });

  test('has every path that is registered, each with one method and a name of its own', () => {
    expect(Object.keys(description.paths).toSorted()).toEqual([...DATA_PATHS].toSorted());
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(DATA_PATHS.length);
  });

  test('names every code that the data port can give, under its status, and none of the admin port', () => {
    const named = new Set<string>();
    for (const { operation } of operations()) {
      for (const [status, reply] of Object.entries(operation.responses)) {
        for (const code of Object.keys(reply.content['application/json']?.examples ?? {})) {
          named.add(code);
          if (status !== 'default') expect(String(ERRORS[code as ErrorCode].status)).toBe(status);
        }
      }
    }
    expect([...named].toSorted()).toEqual(DATA_CODES.toSorted());
  });

  test('holds examples that fit their schemas', async () => {
    let examples = 0;
    for (const { operation, place } of operations()) {
      const bodies = [
        ...(operation.requestBody === undefined
          ? []
          : [[`${place}/requestBody`, operation.requestBody.content] as const]),
        ...Object.entries(operation.responses).map(
          ([status, { content }]) => [`${place}/responses/${status}`, content] as const,
        ),
      ];
      for (const [at, content] of bodies) {
        for (const [type, { example, examples: named = {} }] of Object.entries(content)) {
          const values = [...(example === undefined ? [] : [example]), ...Object.values(named).map(({ value }) => value)]; // prettier-ignore
          for (const value of values) {
            examples += 1;
            expect(await findProblems(`${at}/content${step(type)}/schema`, value)).toEqual([]);
          }
        }
      }
    }
    expect(examples).toBeGreaterThan(100);
  });

  test('would notice an answer that is another', async () => {
    const place = '/paths/~1v2/get/responses/200/content/application~1json/schema';
    expect(await findProblems(place, { name: 'x', version: '1', extensions: [] })).toEqual([]);
    expect(await findProblems(place, { name: 'x', version: 1, extensions: [] })).not.toEqual([]);
  });
});

const PATHS: Readonly<Record<string, string>> = {
  model: 'digits',
  version: '1',
  label: 'candidate',
};
const fill = (path: string): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => PATHS[name]!);

async function expectDescribed(
  place: string,
  operation: Operation,
  answer: HttpAnswer,
): Promise<void> {
  const status = String(answer.status) in operation.responses ? String(answer.status) : 'default';
  const reply = operation.responses[status]!;
  const type = String(answer.headers['content-type']);
  expect(Object.keys(reply.content)).toContain(type);
  if (type !== 'application/json') return;
  const schema = `${place}/responses/${status}/content/application~1json/schema`;
  const value: unknown = JSON.parse(answer.body.toString());
  expect([schema, await findProblems(schema, value)]).toEqual([schema, []]);
  for (const name of Object.keys(reply.headers ?? {})) {
    if (answer.status === 200) expect(answer.headers).toHaveProperty(name);
  }
}

describe('every operation answers as described', () => {
  const bodies: Readonly<Record<string, Sent[]>> = {
    infer: [
      { body: inferBody([EASY, HARD], { id: 'a', outputs: [{ name: 'scores' }] }) },
      { body: inferBody([HARD]) },
      { body: inferBody([[1, 0, 0, 3]]) },
      { body: inferBody([HARD], { parameters: { binary_data_output: true } }) },
    ],
    predict: [
      { body: JSON.stringify({ instances: [EASY] }) },
      { body: JSON.stringify({ inputs: { input: [HARD] } }) },
    ],
  };

  test.each([...DATA_PATHS])('%s', async (path: DataPath) => {
    const [found] = operations().filter((each) => each.path === path);
    const { method, place, operation } = found!;
    const sent = method === 'get' ? [{}] : bodies[/predict|infer/.exec(path)![0]]!;
    for (const one of sent) {
      const answer = await send(server.data, fill(path), { method: method.toUpperCase(), ...one });
      expect([path, answer.status]).toEqual([path, 200]);
      await expectDescribed(place, operation, answer);
    }
    // Another method is described as an answer of any path.
    const other = await send(server.data, fill(path), { method: 'DELETE' });
    expect([other.status, other.headers.allow]).toEqual([405, method.toUpperCase()]);
    await expectDescribed(place, operation, other);
  });
});

const own: TestServer[] = [];
afterEach(() => Promise.all(own.splice(0).map((one) => one.close())));

async function serve(options: TestServerOptions = {}, limits = {}): Promise<TestServer> {
  const one = await startTestServer({ notes: NOTES, ...options });
  own.push(one);
  if (Object.keys(limits).length > 0) {
    await one.apply(aPolicy({ limits: { ...DEFAULT_LIMITS, ...limits } }));
  }
  return one;
}

const INFER_PATH = '/v2/models/{model}/infer' satisfies DataPath;
const PREDICT_PATH = '/v1/models/{model}:predict' satisfies DataPath;

function post(to: TestServer, sent: Sent = {}, path: DataPath = INFER_PATH): Promise<HttpAnswer> {
  return send(to.data, fill(path), { method: 'POST', body: inferBody([HARD]), ...sent });
}

const tensor = (more: object) =>
  JSON.stringify({
    inputs: [{ name: 'input', shape: [1, 4], datatype: 'FP32', data: [1, 0, 0, 0], ...more }],
  });
const picture = (more: Sent = {}): Sent => ({
  headers: { 'content-type': 'image/png' },
  body: PICTURE,
  ...more,
});
const failing = (error: Error) => ({ decode: () => Promise.reject(error), close: () => undefined });

async function raw(to: TestServer, bytes: string | Buffer): Promise<HttpAnswer> {
  const [answer] = await rawExchange(to.data, bytes);
  if (answer === undefined) throw new Error('closed without an answer');
  const { status, body } = answer;
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
}

async function held(
  limits: object,
  ask: (to: TestServer) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const to = await serve({}, limits);
  to.engine.isHeld = true;
  to.engine.slotCount = 1;
  const waiting = [post(to), post(to)];
  await expect.poll(async () => (await to.state()).queue.rows).toBe(1);
  const answer = await ask(to);
  to.engine.isHeld = false;
  await Promise.all(waiting);
  return answer;
}

interface Provoked {
  readonly path: DataPath;
  readonly ask: () => Promise<HttpAnswer>;
}
const at = (path: DataPath, ask: () => Promise<HttpAnswer>): Provoked => ({ path, ask });
const infer = (sent: () => Sent): Provoked => at(INFER_PATH, () => post(server, sent()));
const predict = (body: object): Provoked =>
  at(PREDICT_PATH, () => post(server, { body: JSON.stringify(body) }, PREDICT_PATH));
const get = (path: DataPath, url: string): Provoked => at(path, () => send(server.data, url));

/** One request for every code that the data port can give. */
const PROVOKED: Readonly<Partial<Record<ErrorCode, Provoked>>> = {
  malformed_json: infer(() => ({ body: '{' })),
  malformed_http: at('/v2', () => raw(server, 'GET /v2 HTTP/1.1\r\nbad header\r\n\r\n')),
  malformed_encoding: infer(() => ({ headers: { 'content-encoding': 'br' } })),
  malformed_request: infer(() => ({ body: inferBody([HARD], { id: 7 }) })),
  wrong_input: infer(() => ({ body: tensor({ name: 'other' }) })),
  wrong_datatype: infer(() => ({ body: tensor({ datatype: 'INT8' }) })),
  wrong_shape: infer(() => ({ body: tensor({ shape: [4] }) })),
  wrong_byte_length: infer(() => ({ body: tensor({ data: [1] }) })),
  unknown_output: infer(() => ({ body: inferBody([HARD], { outputs: [{ name: 'x' }] }) })),
  unknown_signature: predict({ signature_name: 'x', instances: [EASY] }),
  broken_image: infer(() => picture({ body: 'none' })),
  invalid_parameter: infer(() => ({ headers: { 'request-timeout': 'x' } })),
  not_found: at('/v1/models', () => send(server.data, '/v1/nothing')),
  model_not_found: get('/v2/models/{model}', '/v2/models/x'),
  version_not_found: get('/v1/models/{model}/versions/{version}', '/v1/models/digits/versions/9'),
  label_not_found: get('/v1/models/{model}/labels/{label}', '/v1/models/digits/labels/x'),
  method_not_allowed: at('/v2', () => send(server.data, '/v2', { method: 'PUT', body: '' })),
  body_too_slow: at(INFER_PATH, () =>
    raw(
      server,
      rawRequest('POST /v2/models/digits/infer HTTP/1.1', [
        'content-length: 9',
        'request-timeout: 0.05',
      ]),
    ),
  ),
  headers_too_slow: at('/v2', async () =>
    raw(
      await serve({ environment: { LAYERCACHE_HEADERS_TIMEOUT: '100ms' } }),
      'GET /v2 HTTP/1.1\r\n',
    ),
  ),
  length_required: at(INFER_PATH, () =>
    raw(server, rawRequest('POST /v2/models/digits/infer HTTP/1.1', ['connection: close'])),
  ),
  body_too_large: at(INFER_PATH, async () => post(await serve({}, { maxRequestBytes: 10 }))),
  decompressed_too_large: at(INFER_PATH, async () =>
    post(await serve({}, { maxRequestBytes: 100 }), {
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync('x'.repeat(401)),
    }),
  ),
  image_too_large: at(INFER_PATH, async () =>
    post(await serve({ environment: { LAYERCACHE_MAX_IMAGE_PIXELS: '3' } }), picture()),
  ),
  too_many_rows: at(INFER_PATH, async () =>
    post(await serve({}, { maxBatchSize: 1, maxQueueLength: 1 }), {
      body: inferBody([HARD, HARD]),
    }),
  ),
  unsupported_media_type: infer(() => ({ headers: { 'content-type': 'text/plain' } })),
  unsupported_encoding: infer(() => ({ headers: { 'content-encoding': 'zstd' } })),
  queue_full: at(INFER_PATH, () => held({ maxBatchSize: 1, maxQueueLength: 1 }, (to) => post(to))),
  no_time: at(INFER_PATH, () =>
    held({ maxBatchSize: 1 }, async (to) => {
      // Once the engine has shown its pace, one that waits is more than fits into a millisecond.
      to.engine.latencyMs = 5;
      to.engine.isHeld = false;
      await post(to);
      to.engine.isHeld = true;
      const waiting = [post(to), post(to)];
      await expect.poll(async () => (await to.state()).queue.rows).toBe(1);
      const answer = await post(to, { headers: { 'request-timeout': '0.001' } });
      to.engine.isHeld = false;
      await Promise.all(waiting);
      return answer;
    }),
  ),
  too_many_requests: at(INFER_PATH, () => held({ maxConcurrentRequests: 2 }, (to) => post(to))),
  too_many_bytes: at(INFER_PATH, async () => {
    // One body, and not beside a tensor of four floats.
    const held = String(inferBody([HARD]).length);
    const to = await serve({ environment: { LAYERCACHE_MAX_HELD_BODIES: held } });
    to.engine.isHeld = true;
    to.engine.slotCount = 1;
    const waiting = post(to);
    await expect.poll(() => to.engine.batches.length).toBe(1);
    const answer = await post(to);
    to.engine.isHeld = false;
    await waiting;
    return answer;
  }),
  header_too_large: at('/v2', () =>
    raw(server, rawRequest('GET /v2 HTTP/1.1', [`x: ${'y'.repeat(17_000)}`])),
  ),
  internal: at(INFER_PATH, async () =>
    post(await serve({ images: failing(new Error('bug')) }), picture()),
  ),
  engine_failed: at(INFER_PATH, async () => {
    const to = await serve();
    to.engine.run = () => Promise.reject(new Error('a node failed'));
    return post(to);
  }),
  poison_row: at(INFER_PATH, async () =>
    post(await serve(), { body: inferBody([[0, 0, 0, RowCode.deadly]]) }),
  ),
  draining: at('/v1/models/{model}', async () => {
    const to = await serve();
    await send(to.admin, '/v1/drain', { method: 'POST', body: '' });
    return send(to.data, '/v1/models/digits');
  }),
  engine_down: at(INFER_PATH, async () => post(await serve({ isStarted: false }))),
  images_unavailable: at(INFER_PATH, async () =>
    post(await serve({ images: failing(new ImageDecoderError('no library')) }), picture()),
  ),
  deadline: at(INFER_PATH, () =>
    held({}, (to) => post(to, { headers: { 'request-timeout': '0.05' } })),
  ),
};
const DATA_CODES = Object.keys(PROVOKED);

describe('every refusal is described', () => {
  test('all codes but those of the admin port are provoked here', () => {
    const others = Object.keys(ERRORS).filter((code) => !DATA_CODES.includes(code));
    expect(others).toEqual(['forbidden', 'head_not_found', 'head_in_use', 'head_refused']);
  });

  test.each(Object.entries(PROVOKED))('%s', async (code, { path, ask }) => {
    const answer = await ask();
    const { status, template } = { ...ERRORS[code as ErrorCode] };
    expect([answer.status, answer.body.toString()]).toEqual([status, expect.any(String)]);
    const { error } = JSON.parse(answer.body.toString()) as { error: string };
    // Its own sentence: the words before the first value.
    expect(error.startsWith(template.split('{')[0]!)).toBe(true);

    const [found] = operations().filter((each) => each.path === path);
    const { place, operation } = found!;
    const reply = operation.responses[String(status)]?.content['application/json']?.examples ?? {};
    const any = operation.responses.default!.content['application/json']!.examples!;
    expect(Object.keys({ ...reply, ...any })).toContain(code);
    await expectDescribed(place, operation, answer);
  });
});
