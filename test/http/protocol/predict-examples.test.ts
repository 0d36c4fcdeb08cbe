// The examples of TensorFlow Serving's REST API, for a backbone of one input. Its half_plus_three answers x / 2 + 3; this one answers x.
// https://github.com/tensorflow/serving/blob/master/tensorflow_serving/g3doc/api_rest.md
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMetricRegistry } from '../../../server/metrics.ts';
import { createServerMetrics } from '../../../server/server-metrics.ts';
import { createEchoEngine } from '../../support/echo-engine.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  EASY,
  INFER,
  MODEL,
  aCandidate,
  aPolicy,
  aTrack,
  fakeBundle,
  send,
  startTestServer,
} from '../../support/test-server.ts';

const started: TestServer[] = [];
afterAll(() => Promise.all(started.map((server) => server.close())));

async function serve(name: string, inputName: string, rowShape: number[], outputs = ['y']) {
  const server = await startTestServer({
    engine: createEchoEngine({ inputName, rowShape, outputNames: outputs }),
    environment: { LAYERCACHE_MODEL_NAME: name },
  });
  started.push(server);
  const ask = async (path: string, document?: unknown, headers = {}) => {
    const answer = await send(server.data, `/v1/models/${name}${path}`, {
      ...(document === undefined ? {} : { method: 'POST', body: JSON.stringify(document) }),
      headers,
    });
    return { ...answer, json: JSON.parse(answer.body.toString()) as Record<string, unknown> };
  };
  return { server, ask };
}

type Served = Awaited<ReturnType<typeof serve>>;

describe('half_plus_three', () => {
  let model: Served;
  beforeAll(async () => {
    model = await serve('half_plus_three', 'x', [1]);
  });

  test('its status says that the one version is available', async () => {
    const status = [
      { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
    ];
    for (const path of ['', '/versions/1', '/labels/stable']) {
      const { json } = await model.ask(path);
      expect(json).toEqual({ name: 'half_plus_three', ready: true, model_version_status: status });
    }
  });

  test('its metadata describes one signature', async () => {
    const { json } = await model.ask('/metadata');
    const tensor = (name: string) => ({
      [name]: {
        name,
        dtype: 'DT_FLOAT',
        tensor_shape: {
          dim: [
            { size: '-1', name: '' },
            { size: '1', name: '' },
          ],
          unknown_rank: false,
        },
      },
    });
    expect(json).toEqual({
      model_spec: { name: 'half_plus_three', signature_name: '', version: '1' },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: tensor('x'),
              outputs: tensor('y'),
              method_name: 'tensorflow/serving/predict',
            },
          },
        },
      },
    });
    expect((await model.ask('/versions/1/metadata')).json).toEqual(json);
    expect((await model.ask('/labels/stable/metadata')).json).toEqual(json);
  });

  test('three plain numbers are three rows', async () => {
    const { json } = await model.ask(':predict', { instances: [1.0, 2.0, 5.0] });
    expect(json).toEqual({ predictions: [[1], [2], [5]] });
  });

  test('version and label are the same request', async () => {
    for (const path of ['/versions/1:predict', '/labels/stable:predict']) {
      expect((await model.ask(path, { instances: [[7]] })).json).toEqual({ predictions: [[7]] });
    }
  });

  test('another model, version, label or verb is 404 in one string', async () => {
    const half = await send(model.server.data, '/v1/models/half:predict', {
      method: 'POST',
      body: '{"instances": [1.0, 5.0]}',
    });
    expect(half.status).toBe(404);
    expect(JSON.parse(half.body.toString())).toEqual({
      error: 'There is no model half here; this server has half_plus_three.',
    });
    for (const path of [
      '/versions/123:predict',
      '/labels/canary:predict',
      ':regress',
      ':classify',
    ]) {
      const { status, json } = await model.ask(path, { instances: [1] });
      expect([path, status]).toEqual([path, 404]);
      expect(Object.keys(json)).toEqual(['error']);
    }
  });

  test('GET is no way to predict, POST none to a status', async () => {
    const got = await model.ask(':predict');
    expect([got.status, got.headers.allow]).toEqual([405, 'POST']);
    const posted = await model.ask('', {});
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET']);
  });
});

describe('rows', () => {
  test('of nested lists are natural tensors', async () => {
    const { ask } = await serve('m', 'x', [1, 2]);
    const { json } = await ask(':predict', { instances: [[[1, 2]], [[3, 4]]] });
    expect(json).toEqual({ predictions: [[[1, 2]], [[3, 4]]] });
  });

  test('may name their input, and may not name others', async () => {
    const { ask } = await serve('m', 'signal', [5]);
    const rows = [{ signal: [1, 2, 3, 4, 5] }, { signal: [3, 4, 1, 2, 5] }];
    expect((await ask(':predict', { instances: rows })).json).toEqual({
      predictions: rows.map(({ signal }) => signal),
    });
    const named = [{ tag: 'foo', ...rows[0], sensor: [[1, 2], [3, 4]] }]; // prettier-ignore
    const { status, json } = await ask(':predict', { instances: named });
    expect(status).toBe(400);
    expect(json.error).toMatch(
      /^Input \["tag","signal","sensor"\] .* exactly one input, named signal/,
    );
  });

  test('of texts are refused by a model of numbers, with the place named', async () => {
    const { ask } = await serve('m', 'x', [1]);
    const { status, json } = await ask(':predict', { instances: ['foo', 'bar', 'baz'] });
    expect(status).toBe(400);
    expect(json.error).toBe(
      'Input x does not fit this model: value 0 is foo; send finite numbers of 32 bits.',
    );
  });

  test('of a model with several outputs are objects that name them', async () => {
    const { ask } = await serve('m', 'x', [2], ['scores', 'embedding']);
    expect((await ask(':predict', { instances: [[1, 2]] })).json).toEqual({
      predictions: [{ scores: [1, 2], embedding: [1, 2] }],
    });
    expect((await ask(':predict', { inputs: [[1, 2]] })).json).toEqual({
      outputs: { scores: [[1, 2]], embedding: [[1, 2]] },
    });
  });
});

describe('columns', () => {
  test('are the input alone or named, and are answered in columns', async () => {
    const { ask } = await serve('m', 'signal', [5]);
    const signal = [
      [1, 2, 3, 4, 5],
      [3, 4, 1, 2, 5],
    ];
    expect((await ask(':predict', { inputs: { signal } })).json).toEqual({ outputs: signal });
    expect((await ask(':predict', { inputs: signal })).json).toEqual({ outputs: signal });
    const more = { tag: ['foo', 'bar'], signal };
    expect((await ask(':predict', { inputs: more })).json.error).toMatch(/named signal/);
  });
});

describe('what a request may say beside its rows', () => {
  let model: Served;
  beforeAll(async () => {
    model = await serve('m', 'x', [2]);
  });

  test('the signature is serving_default, or left out', async () => {
    const instances = [[1, 2]];
    for (const signature_name of ['serving_default', '']) {
      expect((await model.ask(':predict', { signature_name, instances })).status).toBe(200);
    }
    const other = await model.ask(':predict', {
      signature_name: 'tensorflow/serving/regress',
      instances,
    });
    expect([other.status, other.json.error]).toEqual([
      400,
      'There is no signature tensorflow/serving/regress; this model has serving_default.',
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    [
      'rows and columns',
      { instances: [[1, 2]], inputs: [[1, 2]] },
      /either instances .* or inputs/,
    ],
    ['neither', {}, /either instances/],
    ['no rows', { instances: [] }, /^Input x .*one or more rows/],
    ['rows that are no list', { instances: 3 }, /instances is 3/],
    ['rows of another size', { instances: [[1, 2, 3]] }, /^Input x brings 3 values/],
    ['rows that differ', { instances: [[1, 2], 3] }, /^Input x brings 0 values/],
    ['binary values', { instances: [{ b64: 'aW1hZ2UgYnl0ZXM=' }] }, /^Input x has datatype b64/],
    ['a number too large for 32 bits', { instances: [[1, 1e39]] }, /^Input x .*value 1 is 1e\+39/],
  ])('%s is 400', async (_, document, message) => {
    const { status, json } = await model.ask(':predict', document);
    expect(json.error).toMatch(message);
    expect(status).toBe(400);
  });

  test('tokens that JSON does not have are refused as JSON', async () => {
    const answer = await send(model.server.data, '/v1/models/m:predict', {
      method: 'POST',
      body: '{"instances": [[1.0, NaN]]}',
    });
    expect([answer.status, answer.body.toString()]).toEqual([
      400,
      expect.stringMatching(/does not parse/),
    ]);
  });

  test('every answer says in headers who gave it', async () => {
    const { headers } = await model.ask(':predict', { instances: [[1, 2]] });
    expect(headers).toMatchObject({
      'layercache-exit': 'backbone',
      'layercache-policy': '0.0',
      'layercache-track': 'stable',
    });
  });
});

test('requests are counted under the protocol that they spoke', async () => {
  const server = await startTestServer({
    engine: createEchoEngine({ inputName: 'x', rowShape: [1], outputNames: ['y'] }),
    metrics: createServerMetrics(createMetricRegistry(MODEL), '0.1.0'),
  });
  started.push(server);
  const post = (path: string, body: string) => send(server.data, path, { method: 'POST', body });
  await post(`/v1/models/${MODEL}:predict`, '{"instances": [1]}');
  await post(`/v1/models/${MODEL}:predict`, '{"instances": [1]}');
  await post(`/v1/models/${MODEL}/versions/1:predict`, '{"instances": []}');
  await post(INFER, '{"inputs": []}');
  const page = (await send(server.metrics, '/metrics')).body.toString();
  const counted = [...page.matchAll(/^layercache_requests_total\{(.*)\} ([1-9]\d*)$/gm)].map(
    ([, labels, count]) => [
      /protocol="(\w+)"/.exec(labels!)![1],
      /code="(\w+)"/.exec(labels!)![1],
      count,
    ],
  );
  expect(counted).toEqual([
    ['v1', 'ok', '2'],
    ['v1', 'wrong_input', '1'],
    ['v2', 'wrong_input', '1'],
  ]);
});

describe('the label candidate', () => {
  test('is there while candidate heads are loaded, and chooses nobody', async () => {
    const server = await startTestServer();
    started.push(server);
    const path = `/v1/models/${MODEL}/labels/candidate`;
    expect((await send(server.data, path)).status).toBe(404);
    const [stable, candidate] = [
      await server.push(fakeBundle(2)),
      await server.push(fakeBundle(3)),
    ];
    await server.apply(aPolicy({ stable: aTrack(stable), candidate: aCandidate(candidate, 0) }));
    expect((await send(server.data, path)).status).toBe(200);
    const answer = await send(server.data, `${path}:predict`, {
      method: 'POST',
      body: JSON.stringify({ instances: [EASY] }),
    });
    // The candidate's share is 0.
    expect(answer.headers).toMatchObject({
      'layercache-exit': 'early',
      'layercache-track': 'stable',
      'layercache-head-revision': stable,
      'layercache-score': expect.stringMatching(/^0\.9999/) as string,
    });
    const backbone = await send(server.data, `${path}:predict`, {
      method: 'POST',
      headers: { 'layercache-mode': 'backbone' },
      body: JSON.stringify({ instances: [EASY] }),
    });
    expect(backbone.headers['layercache-exit']).toBe('backbone');
  });
});
