import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { parseEvidenceAnswer } from '../../../crds/wire/evidence.ts';
import { eventually } from '../../support/eventually.ts';
import {
  EASY,
  INFER,
  MODEL,
  send,
  startTestServer,
  type HttpAnswer,
  type TestServer,
} from '../../support/test-server.ts';

let server: TestServer;
afterEach(() => server.close());

async function start(environment: Record<string, string> = {}): Promise<TestServer> {
  server = await startTestServer({ environment });
  return server;
}

const closes = ({ headers }: HttpAnswer): boolean => headers.connection === 'close';
const gone = /ECONNREFUSED|ECONNRESET|socket hang up/;

test('while it leaves, every answer of the data port ends its connection, refusals and metadata too', async () => {
  const { data, metrics } = await start({ LAYERCACHE_DRAIN_DELAY: '10m' });
  const ask = (): Promise<HttpAnswer[]> =>
    Promise.all([
      server.infer([EASY]),
      send(data, INFER, { method: 'POST', body: '{' }),
      send(data, '/v2'),
      send(data, `/v2/models/${MODEL}`),
      send(data, '/v2/health/live'),
      send(data, '/nowhere'),
    ]);
  const before = await ask();
  expect(before.map(closes)).not.toContain(true);
  void server.server.shutdown();
  const after = await ask();
  expect(after.map(({ status }) => status)).toEqual(before.map(({ status }) => status));
  expect(after.map(closes)).not.toContain(false);
  expect((await send(metrics, '/readyz')).status).toBe(503);
  expect((await send(metrics, '/livez')).status).toBe(200);
  expect((await send(data, '/v2/health/ready')).status).toBe(503);
});

test('what is under way when the drain begins is answered; what comes then is refused with where to go', async () => {
  const { engine } = await start();
  engine.isHeld = true;
  const waiting = Array.from({ length: 50 }, () => server.infer([EASY]));
  await eventually(async () => {
    const running = engine.batches.reduce((sum, { rows }) => sum + rows, 0);
    expect(running + (await server.state()).queue.rows).toBe(50);
  });
  const ended = server.server.shutdown();
  // One that still gets in has a short deadline: nothing is answered before the engine is let go.
  const late = await eventually(async () => {
    const answer = await server.infer([EASY], {}, { 'request-timeout': '0.05' });
    expect(answer.status).toBe(503);
    return answer;
  });
  expect(late.headers['retry-after']).toBe('1');
  expect(late.body.toString()).toMatch(/shutting down; send the request to another one/);
  engine.isHeld = false;
  const answers = await Promise.all(waiting);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await ended;
  await expect(server.infer([EASY])).rejects.toThrow(gone);
});

test('what does not end within the timeout is cut off, and the end comes all the same', async () => {
  const { engine } = await start({ LAYERCACHE_DRAIN_TIMEOUT: '200ms' });
  engine.isHeld = true;
  const waiting = server.infer([EASY]);
  await eventually(() => {
    expect(engine.batches).toHaveLength(1);
  });
  const ended = server.server.shutdown();
  await expect(waiting).rejects.toThrow(gone);
  await ended;
});

test('a drain that was asked for is not undone by the signal that follows, nor waited for twice', async () => {
  const { admin } = await start({ LAYERCACHE_DRAIN_DELAY: '10m' });
  expect((await send(admin, '/v1/drain', { method: 'POST' })).status).toBe(200);
  expect((await server.infer([EASY])).status).toBe(503);
  const ended = server.server.shutdown();
  await ended;
  await expect(server.infer([EASY])).rejects.toThrow(gone);
});

test('the last evidence is kept for one more pull, and the end comes with it', async () => {
  await start({ LAYERCACHE_DRAIN_TIMEOUT: '10m' });
  await server.ask([EASY]);
  const first = await server.evidence();
  await server.ask([EASY, EASY]);
  let isOver = false;
  const ended = server.server.shutdown().then(() => (isOver = true));
  await eventually(async () => {
    await expect(send(server.data, '/v2')).rejects.toThrow(gone);
  });
  expect(isOver).toBe(false);
  const windows = await eventually(async () => {
    const text = await send(server.admin, `/v1/evidence?after=${first.newestSeq}`);
    const read = parseEvidenceAnswer(text.body.toString());
    if (!read.ok) throw new Error(read.message);
    expect(read.value.answer.windows).not.toHaveLength(0);
    return read.value.answer.windows;
  });
  const rows = windows.flatMap(({ served }) => served.rows).reduce((sum, n) => sum + n, 0);
  expect(rows).toBe(2);
  await ended;
  expect(isOver).toBe(true);
});

test('evidence that everybody has read, or that nobody ever reads, is not waited for', async () => {
  await start({ LAYERCACHE_DRAIN_TIMEOUT: '10m' });
  await server.ask([EASY]);
  await server.server.shutdown();

  await start({ LAYERCACHE_DRAIN_TIMEOUT: '10m' });
  await server.ask([EASY]);
  await server.evidence();
  await server.server.shutdown();
});

test('a reader that does not come again is waited for no longer than the timeout', async () => {
  await start({ LAYERCACHE_DRAIN_TIMEOUT: '300ms' });
  await server.evidence();
  await server.ask([EASY]);
  await server.server.shutdown();
  await expect(send(server.admin, '/v1/state')).rejects.toThrow(gone);
});

test('a request that is sent slower than the timeout does not hold the end up', async () => {
  const { data } = await start({ LAYERCACHE_DRAIN_TIMEOUT: '200ms' });
  const socket = connect(data, '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.write(`POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"inputs"`);
  // Answered after it, so that it has been read.
  await server.ask([EASY]);
  await server.server.shutdown();
  await closed;
});
