// Large bodies: none holds the event loop, and all of them together hold no more memory than they may.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createEchoEngine } from '../../support/echo-engine.ts';
import { eventually } from '../../support/eventually.ts';
import { startHostileServer } from '../../support/hostile-server.ts';
import { rawExchange, rawRequest } from '../../support/raw-http.ts';
import type { TestServer } from '../../support/test-server.ts';
import { INFER, send, startTestServer } from '../../support/test-server.ts';

const MIB = 2 ** 20;

/** Calls back when a server of this process has the head of an inference. */
function onInference(callback: (request: IncomingMessage) => void): () => void {
  const listener = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage };
    // Once the server has seen to it itself.
    if (request.url === INFER) setImmediate(callback, request);
  };
  subscribe('http.server.request.start', listener);
  return () => unsubscribe('http.server.request.start', listener);
}

describe('while a large JSON is read', () => {
  let server: TestServer | null = null;
  afterEach(() => server?.close());

  test('the event loop goes on: probes are answered between its last byte and its answer', async () => {
    const width = 400_000;
    server = await startTestServer({
      engine: createEchoEngine({ inputName: 'input', rowShape: [width], outputNames: ['y'] }),
    });
    const { data, metrics } = server;
    const values = Array.from({ length: width }, (_, i) => i % 250);
    const document = { inputs: [{ name: 'input', shape: [1, width], datatype: 'FP32', data: values.map((value) => value + 0.123456789) }], parameters: { binary_data_output: true } }; // prettier-ignore
    const body = JSON.stringify(document);
    /** In order. */
    const seen: ('read' | 'probe' | 'answer')[] = [];
    const stop = onInference((request) => {
      request.once('end', () => seen.push('read'));
    });
    try {
      const answer = send(data, INFER, { method: 'POST', body }).finally(() => seen.push('answer'));
      while (!seen.includes('answer')) {
        expect((await send(metrics, '/livez')).status).toBe(200);
        seen.push('probe');
      }
      expect((await answer).status).toBe(200);
    } finally {
      stop();
    }
    // More than 80 slices; read at once there is a turn or two.
    expect(body.length / (64 * 1024)).toBeGreaterThan(80);
    const between = seen.slice(seen.indexOf('read'), seen.indexOf('answer'));
    expect(between.length).toBeGreaterThan(5);
  });
});

describe('the memory of bodies', () => {
  const LIMIT = 24 * MIB;
  const BODY = 8 * MIB;

  test('is bounded however many come at once: those that do not fit are answered 429 and told when to come again', async () => {
    const hostile = await startHostileServer({ LAYERCACHE_MAX_HELD_BODIES: String(LIMIT) });
    try {
      await hostile.expectUnharmed();
      const before = hostile.peakBytes();
      const body = hostile.goodBody.padEnd(BODY, ' ');
      const answers = await Promise.all(
        Array.from({ length: 48 }, () => send(hostile.dataPort, INFER, { method: 'POST', body })),
      );
      const refused = answers.filter(({ status }) => status === 429);
      expect(answers.filter(({ status }) => status === 200).length).toBe(48 - refused.length);
      expect(refused.length).toBeGreaterThan(10);
      for (const answer of refused) {
        expect(answer.headers['retry-after']).toBe('1');
        expect(answer.body.toString()).toMatch(/Requests hold all of the 25165824 bytes/);
      }
      // All 48 together have 384 MiB.
      expect(hostile.peakBytes() - before).toBeLessThan(200 * MIB);

      // Everything is free again: as many as fit are taken, one after another.
      for (let i = 0; i < 4; i++) {
        expect((await send(hostile.dataPort, INFER, { method: 'POST', body })).status).toBe(200);
      }
      await hostile.expectUnharmed();
    } finally {
      await hostile.close();
    }
  });

  test('counts what has come of each body, announced or in chunks, and frees it when its client hangs up', async () => {
    const server = await startTestServer({
      environment: { LAYERCACHE_MAX_HELD_BODIES: '1Mi' },
    });
    let stop = (): void => undefined;
    try {
      const post = async (bytes: number, chunked = false) => {
        const body = JSON.stringify({ inputs: [] }).padEnd(bytes);
        const [headers, sent] = chunked
          ? ['transfer-encoding: chunked', `${bytes.toString(16)}\r\n${body}\r\n0\r\n\r\n`]
          : [`content-length: ${bytes}`, body];
        const request = rawRequest(`POST ${INFER} HTTP/1.1`, [headers, 'connection: close'], sent);
        const [answer] = await rawExchange(server.data, request);
        return answer?.status;
      };
      // Of its body the last byte never comes.
      const patient = connect(server.data, '127.0.0.1');
      const arrived = new Promise<void>((resolve) => {
        stop = onInference(() => {
          resolve();
        });
      });
      const head = rawRequest(`POST ${INFER} HTTP/1.1`, ['content-length: 1000000']);
      patient.write(head);
      await arrived;
      // What is announced keeps nobody out, only what has come.
      expect(await post(60_000)).toBe(400);
      patient.write(Buffer.alloc(999_999, ' '));
      await eventually(async () => {
        expect(await post(60_000)).toBe(429);
      });
      expect(await post(60_000, true)).toBe(429);
      // It fits, and is no request of this model.
      expect(await post(40_000)).toBe(400);
      expect(await post(40_000, true)).toBe(400);
      patient.destroy();
      await eventually(async () => {
        expect(await post(60_000)).toBe(400);
      });
    } finally {
      stop();
      await server.close();
    }
  });
});
