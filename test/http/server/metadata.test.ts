import { afterAll, beforeAll, expect, test } from 'vitest';
import { NO_NOTES } from '../../../server/engine/model-notes.ts';
import { createFakeEngine, fakeReport } from '../../support/fake-engine.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  EASY,
  HARD,
  MODEL,
  aPolicy,
  aTrack,
  fakeBundle,
  send,
  startTestServer,
} from '../../support/test-server.ts';

const GOLDEN = '../../golden/server';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    engine: createFakeEngine(fakeReport(['scores', 'embedding'])),
    notes: { ...NO_NOTES, labels: ['cat', 'dog', 'bird'] },
  });
});
afterAll(() => server.close());

async function json(path: string): Promise<unknown> {
  return JSON.parse((await send(server.data, path)).body.toString());
}

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

test('the server and its model describe themselves', async () => {
  await expect(pretty(await json('/v2'))).toMatchFileSnapshot(`${GOLDEN}/server-metadata.json`);
  const model = await json(`/v2/models/${MODEL}`);
  await expect(pretty(model)).toMatchFileSnapshot(`${GOLDEN}/model-metadata.json`);
  expect(await json(`/v2/models/${MODEL}/versions/1`)).toEqual(model);
  expect((await send(server.data, `/v2/models/${MODEL}/ready`)).status).toBe(200);
  expect((await send(server.data, `/v2/models/${MODEL}/versions/1/ready`)).status).toBe(200);
  expect((await send(server.data, '/v2/models/other')).status).toBe(404);
});

test('an answer of several rows looks as it always did', async () => {
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable) }));
  const answer = await server.ask([EASY, HARD], { id: 'golden', outputs: [{ name: 'scores' }] });
  await expect(pretty(answer)).toMatchFileSnapshot(`${GOLDEN}/infer-answer.json`);
});

test('the state names the labels, the cuts and what is in force', async () => {
  const state = await server.state();
  expect(state).toMatchObject({
    model: MODEL,
    podUid: 'pod-1',
    ready: true,
    backbone: { labels: ['cat', 'dog', 'bird'], classCount: 3 },
    policy: { epoch: 1, revision: 1, exitsEnabled: true },
    costs: { cuts: ['cut_a', 'cut_b'] },
    queue: { rows: 0, capacity: 1024, modalBatchRows: 1 },
  });
});

test('the state digest stands still while nothing changes, and moves with a policy', async () => {
  const first = (await server.evidence()).stateDigest;
  await server.ask([HARD]);
  expect((await server.evidence()).stateDigest).toBe(first);
  await server.apply(aPolicy({ revision: 2, exitsEnabled: false }));
  expect((await server.evidence()).stateDigest).not.toBe(first);
});
