import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFakeEngine, fakeReport } from '../../support/fake-engine.ts';
import type { InferAnswer, TestServer } from '../../support/test-server.ts';
import {
  EASY,
  HARD,
  INFER,
  aPolicy,
  aTrack,
  fakeBundle,
  inferBody,
  send,
  startTestServer,
} from '../../support/test-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

function binaryBody(
  rows: readonly (readonly number[])[],
  padding: number,
  more: object = {},
): { body: Buffer; length: number } {
  const values = Buffer.from(Float32Array.from(rows.flat()).buffer);
  const json = JSON.stringify({
    inputs: [
      {
        name: 'input',
        shape: [rows.length, 4],
        datatype: 'FP32',
        parameters: { binary_data_size: values.length },
      },
    ],
    ...more,
  });
  const header = Buffer.from(json + ' '.repeat(padding));
  return { body: Buffer.concat([header, values]), length: header.length };
}

describe('who answers', () => {
  test('without a policy the backbone answers every row', async () => {
    const answer = await server.ask([EASY]);
    expect(answer.parameters).toEqual({
      layercache_exit: 'backbone',
      layercache_policy: '0.0',
      layercache_track: 'stable',
    });
    expect(answer.outputs).toEqual([
      { name: 'scores', datatype: 'FP32', shape: [1, 3], data: [10, 0, 0] },
    ]);
  });

  test('with a certified policy an easy row leaves early and says by which head', async () => {
    const headRevision = await server.push(fakeBundle(2));
    await server.apply(aPolicy({ stable: aTrack(headRevision) }));
    const answer = await server.infer([EASY], { id: 'a-1' });
    expect(answer.headers['layercache-exit']).toBe('early');
    expect(answer.headers['layercache-policy']).toBe('1.1');
    const body = JSON.parse(answer.body.toString()) as InferAnswer;
    expect(body.id).toBe('a-1');
    expect(body.parameters).toMatchObject({
      layercache_exit: 'early',
      layercache_policy: '1.1',
      layercache_head_revision: headRevision,
      layercache_track: 'stable',
    });
    expect(body.parameters.layercache_score).toBeCloseTo(0.99999, 6);
    expect(body.outputs[0]?.data).toEqual([2, 0, 0]);
  });

  test('rows of one request are answered one by one and gathered in order', async () => {
    const headRevision = await server.push(fakeBundle(2));
    await server.apply(aPolicy({ stable: aTrack(headRevision) }));
    const answer = await server.ask([EASY, HARD, [2, 0.1, 0.99999, 0]]);
    expect(answer.parameters.layercache_exit).toBe('backbone');
    expect(answer.parameters.layercache_exits).toBe('early,backbone,late');
    expect(answer.outputs[0]?.data).toEqual([2, 0, 0, 0, 10, 0, 0, 0, 2]);
  });

  test.each([
    ['the parameter', { parameters: { layercache_mode: 'backbone' } }, {}],
    ['the header', {}, { 'layercache-mode': 'backbone' }],
    [
      'either of two that differ',
      { parameters: { layercache_mode: 'auto' } },
      { 'layercache-mode': 'backbone' },
    ],
  ])('%s opts a request out of exits', async (_, more, headers) => {
    const headRevision = await server.push(fakeBundle(2));
    await server.apply(aPolicy({ stable: aTrack(headRevision), auditRate: 1 }));
    const answer = await server.ask([EASY], more, headers);
    expect(answer.parameters.layercache_exit).toBe('backbone');
    const { windows } = await server.evidence();
    expect(windows.at(-1)).toMatchObject({
      auditsChosen: 0,
      grid: { n: 0 },
      served: { optedOut: 1 },
    });
  });

  test('an output that exits cannot supply sends the request to the backbone', async () => {
    await server.close();
    server = await startTestServer({
      engine: createFakeEngine(fakeReport(['scores', 'embedding'])),
    });
    const headRevision = await server.push(fakeBundle(2));
    await server.apply(aPolicy({ stable: aTrack(headRevision) }));
    const both = await server.ask([EASY]);
    expect(both.parameters.layercache_exit).toBe('backbone');
    expect(both.outputs.map(({ data }) => data)).toEqual([
      [10, 0, 0],
      [1, 2, 3],
    ]);
    const one = await server.ask([EASY], { outputs: [{ name: 'scores' }] });
    expect(one.parameters.layercache_exit).toBe('early');
  });
});

describe('binary tensors', () => {
  test.each([0, 1, 2, 3, 5])('are read at an offset that is %i bytes off', async (padding) => {
    const { body, length } = binaryBody([EASY, HARD], padding);
    const answer = await send(server.data, INFER, {
      method: 'POST',
      headers: { 'inference-header-content-length': length },
      body,
    });
    expect(answer.status).toBe(200);
    const parsed = JSON.parse(answer.body.toString()) as InferAnswer;
    expect(parsed.outputs[0]?.data).toEqual([10, 0, 0, 0, 10, 0]);
  });

  test('come back after JSON of a multiple of eight bytes, exactly', async () => {
    const answer = await server.infer([[1, 0, 0, 3]], {
      outputs: [{ name: 'scores', parameters: { binary_data: true } }],
    });
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    const length = Number(answer.headers['inference-header-content-length']);
    expect(length % 8).toBe(0);
    const json = JSON.parse(answer.body.subarray(0, length).toString()) as { outputs: object[] };
    expect(json.outputs[0]).toEqual({
      name: 'scores',
      datatype: 'FP32',
      shape: [1, 3],
      parameters: { binary_data_size: 12 },
    });
    const tail = answer.body.subarray(length);
    expect(Array.from({ length: 3 }, (_, i) => tail.readFloatLE(4 * i))).toEqual([0, NaN, 0]);
  });

  test('are the default for all outputs with binary_data_output', async () => {
    const answer = await server.infer([HARD], { parameters: { binary_data_output: true } });
    expect(answer.headers['content-type']).toBe('application/octet-stream');
  });

  test('uint8 rows go to the engine as they came', async () => {
    const body = JSON.stringify({
      inputs: [{ name: 'input', shape: [1, 4], datatype: 'UINT8', data: [2, 0, 0, 0] }],
    });
    const answer = await send(server.data, INFER, { method: 'POST', body });
    expect((JSON.parse(answer.body.toString()) as InferAnswer).outputs[0]?.data).toEqual([
      0, 0, 10,
    ]);
    expect(server.engine.batches.at(-1)).toMatchObject({ datatype: 'UINT8', rows: 1 });
  });
});

test('values that are not finite are null in JSON', async () => {
  const answer = await server.ask([[1, 0, 0, 3]]);
  expect(answer.outputs[0]?.data).toEqual([0, null, 0]);
});

test('nested JSON data is read as the shape says', async () => {
  const body = JSON.stringify({
    inputs: [{ name: 'input', shape: [2, 4], datatype: 'FP32', data: [EASY, HARD] }],
  });
  const answer = await send(server.data, INFER, { method: 'POST', body });
  expect((JSON.parse(answer.body.toString()) as InferAnswer).outputs[0]?.data).toEqual([
    10, 0, 0, 0, 10, 0,
  ]);
});

test('a request to the named version is the same request', async () => {
  const answer = await send(server.data, INFER.replace('/infer', '/versions/1/infer'), {
    method: 'POST',
    body: inferBody([HARD]),
  });
  expect(answer.status).toBe(200);
});
