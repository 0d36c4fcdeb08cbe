// Every example of the published specifications, sent as it stands there. Their model has two inputs, of UINT32 and BOOL; a backbone
// has one, so the model here takes `input0` as FP32 and gives it back as `output0`.
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
// https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEchoEngine } from '../../support/echo-engine.ts';
import type { HttpAnswer, TestServer } from '../../support/test-server.ts';
import { send, startTestServer } from '../../support/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    engine: createEchoEngine({ inputName: 'input0', rowShape: [2], outputNames: ['output0'] }),
    environment: { LAYERCACHE_MODEL_NAME: 'mymodel' },
  });
});
afterAll(() => server.close());

const post = (body: string | Uint8Array, headers: Record<string, string | number> = {}) =>
  send(server.data, '/v2/models/mymodel/infer', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });

const get = (path: string) => send(server.data, path);

function jsonOf(answer: HttpAnswer): unknown {
  expect(answer.headers['content-type']).toBe('application/json');
  return JSON.parse(answer.body.toString());
}

async function errorOf(answer: Promise<HttpAnswer>): Promise<string> {
  const { status, body } = await answer;
  expect(status).toBe(400);
  const document = JSON.parse(body.toString()) as { error: string };
  expect(Object.keys(document)).toEqual(['error']);
  return document.error;
}

const INPUT0 = { name: 'input0', shape: [2, 2], datatype: 'UINT32', data: [1, 2, 3, 4] };
const INPUT1 = { name: 'input1', shape: [3], datatype: 'BOOL', data: [true] };
const REQUEST = { id: '42', inputs: [INPUT0, INPUT1], outputs: [{ name: 'output0' }] };

describe('the objects of the protocol', () => {
  test('live, ready and model ready answer their objects', async () => {
    expect(jsonOf(await get('/v2/health/live'))).toEqual({ live: true });
    expect(jsonOf(await get('/v2/health/ready'))).toEqual({ ready: true });
    const ready = { name: 'mymodel', ready: true };
    expect(jsonOf(await get('/v2/models/mymodel/ready'))).toEqual(ready);
    expect(jsonOf(await get('/v2/models/mymodel/versions/1/ready'))).toEqual(ready);
  });

  test('server metadata names the server, its version and the binary extension', async () => {
    expect(jsonOf(await get('/v2'))).toEqual({
      name: 'layercache',
      version: '0.1.0',
      extensions: ['binary_tensor_data'],
    });
    expect(jsonOf(await get('/v2/'))).toEqual(jsonOf(await get('/v2')));
  });

  test('model metadata has a platform of the list, and -1 for the free size', async () => {
    expect(jsonOf(await get('/v2/models/mymodel'))).toMatchObject({
      name: 'mymodel',
      versions: ['1'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'input0', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'output0', datatype: 'FP32', shape: [-1, 2] }],
    });
  });

  test('an error is an object with the one string error', async () => {
    const answer = await get('/v2/models/mymodel/versions/v10');
    expect(answer.status).toBe(404);
    expect(jsonOf(answer)).toEqual({ error: 'Model mymodel has no version v10; it has 1.' });
  });
});

describe('the inference example', () => {
  test('with its second input it is refused, and the sentence names both', async () => {
    expect(await errorOf(post(JSON.stringify(REQUEST)))).toBe(
      'Input ["input0","input1"] does not fit this model: send exactly one input, named input0.',
    );
  });

  test('with whole numbers of 32 bits it is refused, and the sentence names input and datatype', async () => {
    expect(await errorOf(post(JSON.stringify({ ...REQUEST, inputs: [INPUT0] })))).toMatch(
      /^Input input0 has datatype UINT32; this model takes FP32/,
    );
  });

  test('for a model of one input it answers the output that was asked for, with the id', async () => {
    const answer = await post(
      JSON.stringify({ ...REQUEST, inputs: [{ ...INPUT0, datatype: 'FP32' }] }),
    );
    expect(jsonOf(answer)).toEqual({
      model_name: 'mymodel',
      model_version: '1',
      id: '42',
      parameters: {
        layercache_exit: 'backbone',
        layercache_exits: 'backbone,backbone',
        layercache_policy: '0.0',
        layercache_track: 'stable',
      },
      outputs: [{ name: 'output0', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] }],
    });
  });

  test('its answer of three rows comes back number by number', async () => {
    const data = [1.0, 1.1, 2.0, 2.1, 3.0, 3.1];
    const answer = await post(
      JSON.stringify({ inputs: [{ name: 'input0', shape: [3, 2], datatype: 'FP32', data }] }),
    );
    expect(jsonOf(answer)).toMatchObject({
      outputs: [{ name: 'output0', shape: [3, 2], datatype: 'FP32', data: data.map(Math.fround) }],
    });
  });

  test.each([
    ['natural', [[1, 2], [4, 5]]], // prettier-ignore
    ['flattened', [1, 2, 4, 5]],
  ])('tensor data may be %s', async (_, data) => {
    const answer = await post(
      JSON.stringify({ inputs: [{ name: 'input0', shape: [2, 2], datatype: 'FP32', data }] }),
    );
    expect(jsonOf(answer)).toMatchObject({ outputs: [{ data: [1, 2, 4, 5] }] });
  });
});

describe('the binary example', () => {
  const binary = (size: number) => ({ parameters: { binary_data_size: size } });
  const outputs = [{ name: 'output0', parameters: { binary_data: true } }];

  function bodyOf(document: object, ...parts: Buffer[]): [Buffer, Record<string, string | number>] {
    const json = Buffer.from(JSON.stringify(document, null, 2));
    return [
      Buffer.concat([json, ...parts]),
      {
        'content-type': 'application/octet-stream',
        'inference-header-content-length': json.length,
      },
    ];
  }

  test('with its second input of three bytes it is refused, and the sentence names both', async () => {
    const [body, headers] = bodyOf(
      {
        model_name: 'mymodel',
        inputs: [
          { name: 'input0', shape: [2, 2], datatype: 'UINT32', ...binary(16) },
          { name: 'input1', shape: [3], datatype: 'BOOL', ...binary(3) },
        ],
        outputs,
      },
      Buffer.alloc(19),
    );
    expect(await errorOf(post(body, headers))).toMatch(/^Input \["input0","input1"\] does not fit/);
  });

  test('for a model of one input its sixteen bytes come back as sixteen after the JSON', async () => {
    const values = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
    const [body, headers] = bodyOf(
      {
        model_name: 'mymodel',
        inputs: [{ name: 'input0', shape: [2, 2], datatype: 'FP32', ...binary(16) }],
        outputs,
      },
      values,
    );
    const answer = await post(body, headers);
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    const length = Number(answer.headers['inference-header-content-length']);
    expect(Number(answer.headers['content-length'])).toBe(length + 16);
    expect(JSON.parse(answer.body.subarray(0, length).toString())).toMatchObject({
      outputs: [{ name: 'output0', shape: [2, 2], datatype: 'FP32', ...binary(16) }],
    });
    expect(answer.body.subarray(length)).toEqual(values);
  });

  test('an answer of six floats has 24 binary bytes', async () => {
    const data = [1.0, 1.1, 2.0, 2.1, 3.0, 3.1];
    const answer = await post(
      JSON.stringify({
        inputs: [{ name: 'input0', shape: [3, 2], datatype: 'FP32', data }],
        outputs,
      }),
    );
    const length = Number(answer.headers['inference-header-content-length']);
    expect(Number(answer.headers['content-length'])).toBe(length + 24);
    expect(answer.body.subarray(length)).toEqual(Buffer.from(Float32Array.from(data).buffer));
  });
});
