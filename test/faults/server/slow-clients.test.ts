// Clients that send or read as slowly as they can (reliability.md Q2, Q3): nobody else waits for them, and limits of this server end them.
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import { countCases } from '../../promises/count-cases.ts';
import { openRecord } from '../../promises/open-record.ts';
import { eventually } from '../../support/eventually.ts';
import {
  EASY,
  INFER,
  aPolicy,
  inferBody,
  send,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

const holdOther = countCases(openRecord('slow-clients'), { cases: 'others', failures: 'refused' });

const SLOW = 500;

interface SlowClient {
  readonly socket: Socket;
  readonly told: () => string;
  readonly isGone: () => boolean;
}

async function start(environment: Record<string, string>): Promise<TestServer> {
  const server = await startTestServer({ environment });
  onTestFinished(() => server.close());
  return server;
}

/** Connected, with these bytes sent and no more; what comes back is read. */
async function slowClients(port: number, count: number, bytes = ''): Promise<SlowClient[]> {
  const clients = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1');
    let told = '';
    socket.on('data', (chunk: Buffer) => (told += chunk.toString('latin1')));
    // A connection that is cut may be reset.
    socket.on('error', () => undefined);
    return { socket, told: () => told, isGone: () => socket.destroyed };
  });
  onTestFinished(() => {
    for (const { socket } of clients) socket.destroy();
  });
  await Promise.all(
    clients.map(
      ({ socket }) =>
        new Promise<void>((resolve) => {
          socket.once('close', resolve);
          socket.once('connect', () => {
            if (bytes === '') resolve();
            else {
              socket.write(bytes, () => {
                resolve();
              });
            }
          });
        }),
    ),
  );
  return clients;
}

async function expectOthersServed(server: TestServer): Promise<void> {
  for (let i = 0; i < 20; i++)
    await holdOther(async () => {
      expect((await server.infer([EASY])).status).toBe(200);
    });
  expect((await send(server.metrics, '/readyz')).status).toBe(200);
}

const allGone = (clients: readonly SlowClient[]): Promise<void> =>
  eventually(() => {
    expect(clients.filter(({ isGone }) => !isGone()).length).toBe(0);
  }, 60_000);

/** Whoever was told anything, and somebody was told why. */
function expectTold408(clients: readonly SlowClient[], why: string): void {
  const answers = clients.map(({ told }) => told());
  expect(answers.every((text) => text === '' || text.startsWith('HTTP/1.1 408 '))).toBe(true);
  expect(answers.some((text) => text.includes(why))).toBe(true);
}

describe('500 slow senders', () => {
  test('of headers keep nobody else out, and are told 408 by our limit, not by Node’s of a minute', async () => {
    const server = await start({ LAYERCACHE_HEADERS_TIMEOUT: '4s' });
    const slow = await slowClients(server.data, SLOW, `POST ${INFER} HTTP/1.1\r\nhost: x\r\nx-a: `);
    const drip = setInterval(() => {
      for (const { socket } of slow) if (!socket.destroyed) socket.write('y');
    }, 500);
    onTestFinished(() => {
      clearInterval(drip);
    });
    await expectOthersServed(server);
    await allGone(slow);
    expectTold408(slow, 'did not arrive in time');
    await expectOthersServed(server);
  });

  test('of bodies take neither the places for requests nor the memory that they announce', async () => {
    const server = await start({ LAYERCACHE_MAX_HELD_BODIES: '64Mi' });
    const limits = { ...DEFAULT_LIMITS, maxConcurrentRequests: 10, requestTimeoutMs: 8_000 };
    await server.apply(aPolicy({ limits }));
    const head = `POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: 16000000\r\n\r\n{"a`;
    const slow = await slowClients(server.data, SLOW, head);
    await expectOthersServed(server);
    await allGone(slow);
    expectTold408(slow, 'The body did not arrive within 8 s');
    // Whole bodies of this size are answered as before: what the others held is free.
    const wide = ' '.repeat(15_000_000);
    const answer = await send(server.data, INFER, {
      method: 'POST',
      body: inferBody([EASY]) + wide,
    });
    expect(answer.status).toBe(200);
  });
});

test('sockets that never say a word are counted, and make room by our limit', async () => {
  const server = await start({
    LAYERCACHE_MAX_CONNECTIONS: '100',
    LAYERCACHE_HEADERS_TIMEOUT: '2s',
  });
  expect((await server.infer([EASY])).status).toBe(200);
  const idle = await slowClients(server.data, 300);
  await eventually(() => {
    expect(idle.filter(({ isGone }) => isGone()).length).toBeGreaterThanOrEqual(200);
  });
  // Who is connected already, and the other ports, notice nothing.
  await expectOthersServed(server);
  await allGone(idle);
  const fresh = await slowClients(server.data, 1, 'GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => {
    expect(fresh[0]!.told()).toMatch(/^HTTP\/1.1 200 /);
  });
});

test('a reader that takes nothing gets no more answers than its connection holds, and loses it in the end', async () => {
  const server = await start({ LAYERCACHE_WRITE_TIMEOUT: '3s' });
  const rows = Array.from({ length: 1_000 }, () => EASY);
  const limits = { ...DEFAULT_LIMITS, maxBatchSize: 1_024, maxQueueLength: 10_000 };
  await server.apply(aPolicy({ limits }));
  const body = inferBody(rows);
  const request = Buffer.from(
    `POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const answer = await server.infer(rows);
  const requests = Math.ceil(60_000_000 / answer.body.length);
  const socket = connect(server.data, '127.0.0.1');
  socket.pause();
  let isCut = false;
  for (const event of ['error', 'close']) {
    socket.on(event, () => {
      isCut = true;
    });
  }
  onTestFinished(() => {
    socket.destroy();
  });
  for (let i = 0; i < requests; i++) socket.write(request);
  await eventually(() => {
    socket.write('x');
    expect(isCut).toBe(true);
  }, 60_000);
  const ran = server.engine.batches.reduce((sum, batch) => sum + batch.rows, 0) / rows.length;
  // Kernels hold some megabytes on both sides; the server itself next to nothing.
  expect(ran * answer.body.length).toBeLessThan(30_000_000);
  await eventually(async () => {
    expect((await server.state()).queue.rows).toBe(0);
  });
  await expectOthersServed(server);
});
