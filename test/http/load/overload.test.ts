// Five times what a server can do, from a thread of its own: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { countOutcomes, startOpenLoop } from '../../bench/open-loop.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  HARD,
  INFER,
  aPolicy,
  inferBody,
  send,
  startTestServer,
} from '../../support/test-server.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordFlood = openRecord('overload');
/** Of what the server says to a flood. */
const ANSWERS = ['200', '429', '504'];
/** Of all floods of this file. */
const flooded = { requests: 0, lost: 0, queuedOverLimit: 0 };

function countFlood(
  outcomes: Readonly<Record<string, number>>,
  { queuedOverLimit }: Pick<typeof flooded, 'queuedOverLimit'>,
): void {
  const answered = ANSWERS.reduce((sum, code) => sum + (outcomes[code] ?? 0), 0);
  flooded.requests += REQUESTS;
  flooded.lost += REQUESTS - answered;
  flooded.queuedOverLimit = Math.max(flooded.queuedOverLimit, queuedOverLimit);
  recordFlood(flooded);
}

const LIMITS = { maxBatchSize: 1, maxQueueLength: 20, maxConcurrentRequests: 40 };
/** Of one batch; two at once, so 100 requests a second. */
const BATCH_MS = 20;
/** Fewer than the connections that a server takes: while the machine stands still each opens its own. */
const REQUESTS = 1_000;
/** Over two seconds: what a machine that does other work at the same time answers in one is not much more than what waits in the queue at its end. */
const RATE_PER_SECOND = 500;

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
  server.engine.latencyMs = BATCH_MS / 2;
  await server.apply(aPolicy({ limits: { ...DEFAULT_LIMITS, ...LIMITS } }));
});
afterEach(() => server.close());

/** Requests whose rows can be told apart: the third number counts. */
function messages(headers: Readonly<Record<string, string>> = {}) {
  return Array.from({ length: REQUESTS }, (_, i) => ({
    path: INFER,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(inferBody([[1, 0, i, 0]])),
  }));
}

function flood(headers?: Readonly<Record<string, string>>) {
  const plan = { port: server.data, seed: 17, ratePerSecond: RATE_PER_SECOND, requests: REQUESTS };
  return startOpenLoop({ ...plan, connections: 60, messages: messages(headers) });
}

function rowsRun(): number[] {
  return server.engine.batches.map(
    ({ input }) =>
      new Float32Array(Uint8Array.from(input.flatMap((piece) => [...piece])).buffer)[2]!,
  );
}

test('a flood is answered to the last request, what is too much with 429; no row is lost or run twice, and nothing grows', async () => {
  const run = await flood();
  let isOver = false;
  const most = { queued: 0, calls: 0 };
  const probe = async (): Promise<void> => {
    while (!isOver) {
      const state = await server.state();
      most.queued = Math.max(most.queued, state.queue.rows);
      expect((await send(server.metrics, '/readyz')).status).toBe(200);
      expect((await send(server.metrics, '/metrics')).status).toBe(200);
      most.calls += 1;
    }
  };
  const probing = probe();
  const report = await run.done;
  isOver = true;
  await probing;

  const outcomes = countOutcomes(report);
  expect(Object.keys(outcomes).sort()).toEqual(['200', '429']);
  expect(outcomes['200']! + outcomes['429']!).toBe(REQUESTS);
  // The engine had work all the time: far more than what fits into the queue once.
  expect(outcomes['200']).toBeGreaterThan(3 * LIMITS.maxQueueLength);
  const ran = rowsRun();
  expect(ran).toHaveLength(outcomes['200']!);
  expect(new Set(ran).size).toBe(ran.length);
  expect(most.queued).toBeGreaterThan(0);
  expect(most.queued).toBeLessThanOrEqual(LIMITS.maxQueueLength);
  countFlood(outcomes, { queuedOverLimit: Math.max(0, most.queued - LIMITS.maxQueueLength) });
  expect(most.calls).toBeGreaterThan(5);

  // And it is over when it is over.
  await eventually(async () => {
    expect((await server.state()).queue.rows).toBe(0);
    expect((await server.infer([HARD])).status).toBe(200);
  });
});

test('with a deadline shorter than the queue is long, the engine still works for answers that somebody gets', async () => {
  // 20 rows wait 200 ms.
  const report = await (await flood({ 'request-timeout': '0.1' })).done;
  const outcomes = countOutcomes(report);
  expect(Object.keys(outcomes).every((code) => ANSWERS.includes(code))).toBe(true);
  countFlood(outcomes, { queuedOverLimit: 0 });
  const ran = rowsRun().length;
  expect(outcomes['200']).toBeGreaterThan(LIMITS.maxQueueLength);
  // Without looking at deadlines nearly every row that is run has waited until nearly its deadline, and is answered too late.
  expect(outcomes['200']! / ran).toBeGreaterThan(0.5);
});

test('clients that hang up free what they held: the places in the queue, and those of requests at once', async () => {
  server.engine.isHeld = true;
  const gone = new AbortController();
  const left = Promise.allSettled(
    Array.from({ length: LIMITS.maxQueueLength + 2 }, () =>
      send(server.data, INFER, { method: 'POST', body: inferBody([HARD]), signal: gone.signal }),
    ),
  );
  await eventually(async () => {
    expect((await server.state()).queue.rows).toBe(LIMITS.maxQueueLength);
  });
  expect((await server.infer([HARD])).status).toBe(429);
  gone.abort();
  await left;
  await eventually(async () => {
    expect((await server.state()).queue.rows).toBe(0);
  });
  const others = Array.from({ length: LIMITS.maxQueueLength }, () => server.infer([HARD]));
  await eventually(async () => {
    expect((await server.state()).queue.rows).toBe(LIMITS.maxQueueLength);
  });
  server.engine.isHeld = false;
  expect((await Promise.all(others)).every(({ status }) => status === 200)).toBe(true);
  // Two that were under way when their clients left, and the others: nobody else's row was run.
  expect(server.engine.batches).toHaveLength(2 + LIMITS.maxQueueLength);
});

test('a request whose deadline passes while it waits is 504, and is not run', async () => {
  server.engine.isHeld = true;
  const running = [server.infer([HARD]), server.infer([HARD])];
  await eventually(() => {
    expect(server.engine.batches).toHaveLength(2);
  });
  const late = await server.infer([[1, 0, 77, 0]], {}, { 'request-timeout': '0.05' });
  expect(late.status).toBe(504);
  expect(late.body.toString()).toMatch(/No answer within 0.05 s/);
  server.engine.isHeld = false;
  expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
  expect(await server.infer([HARD])).toMatchObject({ status: 200 });
  expect(rowsRun()).not.toContain(77);
});
