// A server on a real engine host that fails: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { Fault } from '../../support/faulty-engine/faults.ts';
import { faultyHost, type FaultyHost } from '../../support/faulty-engine/faulty-host.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { denseNet, hungryNet } from '../../support/onnx-models/networks.ts';
import { startRealEngineServer, type RealEngineServer } from '../../support/real-engine-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { send, type InferAnswer, type Row } from '../../support/test-server.ts';

let file: ModelFile;
let host: FaultyHost;
beforeAll(async () => {
  file = await modelFile(denseNet());
  host = await faultyHost();
});
afterAll(async () => {
  await file.remove();
  await host.remove();
});

const random = seededRandom(31);
const ROWS = Array.from({ length: 24 }, (): Row => [
  random.normal(),
  random.normal(),
  random.normal(),
  random.normal(),
]);
const SILENCE_MS = 700;

type Options = NonNullable<Parameters<typeof startRealEngineServer>[1]>;

function start(options: Options = {}): Promise<RealEngineServer> {
  const { hostScript } = host;
  return startRealEngineServer(file.path, { hostScript, silenceMs: SILENCE_MS, ...options });
}

async function scoresOf(server: RealEngineServer, row: Row): Promise<readonly (number | null)[]> {
  return (await server.ask([row])).outputs[0]!.data;
}

interface Load {
  readonly expected: readonly (readonly (number | null)[])[];
  answered: number;
  readonly refusals: string[];
  stop(): Promise<void>;
}

/** Callers that send every row again and again, and compare each answer with what that row got before. */
async function underLoad(server: RealEngineServer): Promise<Load> {
  const expected: (readonly (number | null)[])[] = [];
  for (const row of ROWS) expected.push(await scoresOf(server, row));
  let isOver = false;
  const load: Omit<Load, 'stop'> = { expected, answered: 0, refusals: [] };
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    for (let i = caller; !isOver; i += 1) {
      const place = i % ROWS.length;
      const answer = await server.infer([ROWS[place]!]);
      load.answered += 1;
      if (answer.status !== 200) load.refusals.push(answer.body.toString());
      else expectSame(JSON.parse(answer.body.toString()) as InferAnswer, expected[place]!);
    }
  });
  return Object.assign(load, {
    stop: async () => {
      isOver = true;
      await Promise.all(callers);
    },
  });
}

function expectSame({ outputs }: InferAnswer, expected: readonly (number | null)[]): void {
  const data = outputs[0]!.data;
  expect(data).toHaveLength(expected.length);
  data.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] ?? NaN, 4);
  });
}

/** Until so many more requests were answered. */
async function more(load: Load, requests = 50): Promise<void> {
  const from = load.answered;
  await eventually(() => {
    expect(load.answered - from).toBeGreaterThan(requests);
  }, 30_000);
}

async function restarts(server: RealEngineServer, cause: string): Promise<number | undefined> {
  return server.metric(`layercache_engine_restarts_total{cause="${cause}"}`);
}

async function anotherHost(server: RealEngineServer, than: number): Promise<void> {
  await eventually(() => {
    expect(server.engine.status).toBe('Up');
    expect(server.engine.hostPid()).not.toBe(than);
  }, 30_000);
}

async function livez(server: RealEngineServer): Promise<number> {
  return (await send(server.metrics, '/livez')).status;
}

describe('a host that is gone costs no request, and no answer is another row’s', () => {
  test.each([
    ['killed', 'SIGKILL', 'signal'],
    ['stopped', 'SIGSTOP', 'stuck'],
  ] as const)('%s by %s: counted as %s', async (_, signal, cause) => {
    const server = await start();
    const load = await underLoad(server);
    const pid = server.engine.hostPid()!;
    process.kill(pid, signal);
    await anotherHost(server, pid);
    expect(await livez(server)).toBe(200);
    await more(load);
    await load.stop();
    expect(load.refusals).toEqual([]);
    expect(await restarts(server, cause)).toBe(1);
    expect(server.engine.memory().activations).toBe(0);
  });

  test('grown over its limit, it takes no more batches, finishes, and is replaced', async () => {
    const server = await start({ memoryBytes: 256 * 2 ** 20, healthyMs: 500 });
    const load = await underLoad(server);
    const pid = server.engine.hostPid()!;
    await eventually(async () => {
      expect((await server.infer([[Fault.grow, 0, 0, 0]])).status).toBe(200);
      expect(server.engine.hostPid()).not.toBe(pid);
    }, 30_000);
    await anotherHost(server, pid);
    await more(load);
    await load.stop();
    expect(load.refusals).toEqual([]);
    expect(await restarts(server, 'memory')).toBe(1);
    // Nothing was under way when it ended, so nothing was run twice.
    expect(await server.metric('layercache_rows_forced_total{reason="engine_retry"}')).toBe(0);
  });

  test('and does not come back: not ready, 503 at the deadline, alive; back once it can load again', async () => {
    const own = await modelFile(denseNet());
    const server = await startRealEngineServer(own.path);
    await rename(own.path, `${own.path}.gone`);
    process.kill(server.engine.hostPid()!, 'SIGKILL');
    await eventually(async () => {
      expect((await send(server.metrics, '/readyz')).status).toBe(503);
    }, 15_000);
    const answer = await server.infer([ROWS[0]!], {}, { 'request-timeout': '0.1' });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2']);
    expect(await livez(server)).toBe(200);
    expect(await restarts(server, 'exit')).toBeGreaterThan(1);
    await rename(`${own.path}.gone`, own.path);
    await eventually(async () => {
      expect((await send(server.metrics, '/readyz')).status).toBe(200);
    }, 40_000);
    expect((await server.infer([ROWS[0]!])).status).toBe(200);
    await own.remove();
  });
});

describe('a row that ends the host twice is refused from then on, and no other row is', () => {
  test.each([
    ['a crash', Fault.die, 'signal'],
    ['a worker that never answers', Fault.hang, 'stuck'],
    ['bytes that are no frame', Fault.garble, 'garbled'],
  ])('%s', async (_, fault, cause) => {
    const server = await start();
    const load = await underLoad(server);
    const poison: Row = [fault, 1, 2, 3];
    const first = await server.infer([poison]);
    expect(first.status).toBe(500);
    expect(first.body.toString()).toMatch(/ended the engine process twice/);
    expect(await restarts(server, cause)).toBe(2);
    expect((await server.infer([poison])).status).toBe(500);
    await more(load);
    await load.stop();
    expect(load.refusals).toEqual([]);
    // It did not reach the engine again.
    expect(await restarts(server, cause)).toBe(2);
    expect(await livez(server)).toBe(200);
  });
});

describe('a backbone that answers what is not finite', () => {
  test('because the engine went wrong is found out by its known answer: not ready, then a new host', async () => {
    const server = await start({ threads: 1 });
    const right = await scoresOf(server, ROWS[0]!);
    const pid = server.engine.hostPid()!;
    const ready: number[] = [];
    server.engine.onStatus((status) => {
      if (status === 'Down') {
        void send(server.metrics, '/readyz').then((answer) => ready.push(answer.status));
      }
    });
    await server.infer([[Fault.spoil, 0, 0, 0]]);
    for (let i = 0; i < 9; i += 1) expect(await scoresOf(server, ROWS[0]!)).toContain(null);
    await anotherHost(server, pid);
    expectSame(await server.ask([ROWS[0]!]), right);
    expect(ready).toEqual([503]);
    expect(await restarts(server, 'wrong_answers')).toBe(1);
    await eventually(async () => {
      expect((await send(server.metrics, '/readyz')).status).toBe(200);
    });
  });

  test('because of what clients send stays as it is', async () => {
    const server = await start();
    const pid = server.engine.hostPid()!;
    // Overflows to infinity, and infinity minus infinity is no number.
    const huge: Row = [3e38, 3e38, 3e38, 3e38];
    for (let i = 0; i < 30; i += 1) {
      expect((await scoresOf(server, huge)).every(Number.isFinite)).toBe(false);
    }
    expect(server.engine.hostPid()).toBe(pid);
    expect((await scoresOf(server, ROWS[0]!)).every(Number.isFinite)).toBe(true);
  });
});

test('a row whose tensors fit into no memory is refused in one sentence, its batch-mates are answered, and the host lives on', async () => {
  const hungry = await modelFile(hungryNet());
  const server = await startRealEngineServer(hungry.path, { threads: 1 });
  const load = await underLoad(server);
  const pid = server.engine.hostPid()!;
  // 4e14 bytes: more than a process can address.
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => server.infer([[1e14, 0, 0, 0]])),
  );
  for (const { status, body } of answers) {
    expect(status).toBe(500);
    expect(body.toString()).toMatch(/The engine could not run this row, twice/);
  }
  await more(load);
  await load.stop();
  expect(load.refusals).toEqual([]);
  expect(server.engine.hostPid()).toBe(pid);
  await hungry.remove();
});
