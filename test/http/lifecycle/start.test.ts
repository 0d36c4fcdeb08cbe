import { connect, type Socket } from 'node:net';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { createFakeEngine, type FakeEngine } from '../../support/fake-engine.ts';
import { eventually } from '../../support/eventually.ts';
import {
  EASY,
  INFER,
  inferBody,
  send,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

let server: TestServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

/** [startup, readiness, liveness] on the metrics port. */
async function probes({ metrics }: TestServer): Promise<number[]> {
  const paths = ['/startupz', '/readyz', '/livez'];
  return Promise.all(paths.map(async (path) => (await send(metrics, path)).status));
}

/** An engine whose start and first plan wait until they are let go. */
function slowEngine(): { engine: FakeEngine; loads: () => void; plans: () => void } {
  const engine = createFakeEngine();
  const start = engine.start.bind(engine);
  const prepare = engine.prepare.bind(engine);
  const gate = (): { open: () => void; wait: Promise<void> } => {
    let open: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => (open = resolve));
    return { open, wait };
  };
  const loading = gate();
  const planning = gate();
  engine.start = () => loading.wait.then(() => start());
  engine.prepare = (plan) => planning.wait.then(() => prepare(plan));
  return { engine, loads: loading.open, plans: planning.open };
}

test('ports open before the backbone is loaded, and ready comes after backbone, plan and policy', async () => {
  const { engine, loads, plans } = slowEngine();
  server = await startTestServer({ engine, isStarted: false });
  const started = server.server.start();
  expect(await probes(server)).toEqual([503, 503, 200]);
  expect((await send(server.metrics, '/metrics')).status).toBe(200);
  const loading = JSON.parse((await send(server.admin, '/v1/state')).body.toString()) as object;
  expect(loading).toHaveProperty('loading');
  const early = await server.infer([EASY]);
  expect([early.status, early.headers['retry-after']]).toEqual([503, '2']);

  loads();
  await eventually(() => {
    expect(engine.status).toBe('Up');
  });
  // Loaded, but nothing can be answered yet.
  expect(await probes(server)).toEqual([503, 503, 200]);
  plans();
  await started;
  expect(await probes(server)).toEqual([200, 200, 200]);
  expect((await server.infer([EASY])).status).toBe(200);
});

test('a signal during the start ends it without a delay', async () => {
  const { engine } = slowEngine();
  server = await startTestServer({
    engine,
    isStarted: false,
    environment: { LAYERCACHE_DRAIN_DELAY: '10m', LAYERCACHE_DRAIN_TIMEOUT: '10m' },
  });
  server.server.start().catch(() => undefined);
  await server.server.shutdown();
  await expect(send(server.metrics, '/livez')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket/);
});

test('a data port that is full to its last connection leaves probes and metrics answering', async () => {
  server = await startTestServer({ environment: { LAYERCACHE_MAX_CONNECTIONS: '300' } });
  const { engine, data, metrics } = server;
  engine.isHeld = true;
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const body = inferBody([EASY]);
  const head = `POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const socket = connect(data, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => (refused += 1));
    socket.write(head + body);
  }
  await eventually(() => {
    expect(refused).toBeGreaterThanOrEqual(100);
  });
  expect(await probes(server)).toEqual([200, 200, 200]);
  expect((await send(metrics, '/metrics')).status).toBe(200);
});
