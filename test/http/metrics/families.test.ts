// Each family moves by what it is about, on a whole server.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLoadProgress } from '../../../server/backbone/load-progress.ts';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { createMetricRegistry } from '../../../server/metrics.ts';
import { createServerMetrics } from '../../../server/server-metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeEngine } from '../../support/fake-engine.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { parseMetricPage } from '../../support/metric-page.ts';
import { startModelHost } from '../../support/model-host.ts';
import {
  EASY,
  HARD,
  MODEL,
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  inferBody,
  send,
  startTestServer,
  type Row,
  type TestServer,
  type TestServerOptions,
} from '../../support/test-server.ts';

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const metrics = createServerMetrics(createMetricRegistry(MODEL), '0.1.0');
  const server = await startTestServer({ ...options, metrics });
  onTestFinished(() => server.close());
  return server;
}

/** Value of a series; the default label, which stands first or last, is left out. */
async function read(server: TestServer, key: string): Promise<number | undefined> {
  const { series } = parseMetricPage((await send(server.metrics, '/metrics')).body.toString());
  const model = `model="${MODEL}"`;
  const bare = (one: string): string =>
    one.replace(`{${model}}`, '').replace(`${model},`, '').replace(`,${model}`, '');
  const found = [...series].find(([one]) => bare(one) === `layercache_${key}`);
  return found?.[1];
}

function tempFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'layercache-families-'));
  onTestFinished(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

test('each segment that ran is timed once per batch, by the exit at its end', async () => {
  const server = await start();
  await server.ask([HARD]);
  expect(await read(server, 'segment_duration_seconds_count{segment="whole"}')).toBe(1);
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable) }));
  await server.ask([HARD]);
  await server.ask([HARD]);
  for (const segment of ['early', 'late', 'backbone']) {
    const key = `segment_duration_seconds_count{segment="${segment}"}`;
    expect(await read(server, key), segment).toBe(2);
  }
  expect(await read(server, 'segment_duration_seconds_count{segment="whole"}')).toBe(1);
  expect(await read(server, 'segment_duration_seconds_sum{segment="early"}')).toBeCloseTo(0.002, 9);
});

test('only policies with other heads count as swaps, with the time that they took', async () => {
  const clock = fakeClock();
  const engine = createFakeEngine();
  const server = await start({ clock, engine });
  const prepare = engine.prepare.bind(engine);
  engine.prepare = (plan) => {
    clock.advance(40);
    return prepare(plan);
  };
  const first = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ revision: 1, stable: aTrack(first) }));
  await server.apply(aPolicy({ revision: 2, stable: aTrack(first), auditRate: 0.5 }));
  await server.apply(aPolicy({ revision: 1 }));
  const count = (result: string) => read(server, `head_swaps_total{result="${result}"}`);
  expect([await count('applied'), await count('rejected')]).toEqual([1, 0]);
  expect(await read(server, 'head_swap_duration_seconds_sum{result="applied"}')).toBeCloseTo(
    0.04,
    9,
  );
  const unknown = aTrack(`sha256:${'f'.repeat(64)}`);
  expect(await server.apply(aPolicy({ revision: 3, stable: unknown }))).toMatchObject({
    result: 'Rejected',
  });
  expect([await count('applied'), await count('rejected')]).toEqual([1, 1]);
  await server.apply(aPolicy({ revision: 4 }));
  expect(await count('applied')).toBe(2);
});

test('when the operator was heard: 0 before, then the time of its last call', async () => {
  const clock = fakeClock();
  const server = await start({ clock });
  const heard = () => read(server, 'policy_heard_timestamp_seconds');
  expect(await heard()).toBe(0);
  await server.apply(aPolicy());
  const atMs = clock.nowMs();
  clock.advance(90_000);
  expect(await heard()).toBeCloseTo(atMs / 1000, 3);
  await server.evidence();
  expect(await heard()).toBeCloseTo(atMs / 1000 + 90, 3);
});

test("the user's own inputs take as long to warm up as they took", async () => {
  const clock = fakeClock();
  const engine = createFakeEngine();
  const run = engine.run.bind(engine);
  engine.run = (batch, onRows) => {
    clock.advance(7);
    return run(batch, onRows);
  };
  const dir = tempFolder();
  writeFileSync(join(dir, 'one.json'), inferBody([EASY]));
  const environment = { LAYERCACHE_WARMUP_DIR: dir, LAYERCACHE_WARMUP_ITERATIONS: '2' };
  const server = await start({ clock, engine, environment });
  // Two iterations on each of two workers, and on the one that takes what is alone.
  expect(await read(server, 'warmup_seconds')).toBeCloseTo(0.042, 9);
  expect(await read(await start({ clock: fakeClock() }), 'warmup_seconds')).toBe(0);
});

test('bytes of a backbone are told apart by whether their attempt ended well', async () => {
  const progress = createLoadProgress('https');
  progress.arrived(700);
  progress.failed({ code: 'BackboneFetchFailed', message: 'It ended early.' });
  progress.arrived(1_000);
  progress.arrived(24);
  const server = await start({ progress });
  const bytes = (result: string) =>
    read(server, `fetch_bytes_total{kind="backbone",source="https",result="${result}"}`);
  expect([await bytes('ok'), await bytes('failed')]).toEqual([1_024, 700]);
  expect([await bytes('ok'), await bytes('failed')]).toEqual([1_024, 700]);
});

test('heads from a store count by try, with what came over the network', async () => {
  const bytes = encodeHeadBundle(fakeBundle(5));
  let isCut = true;
  const host = await startModelHost(
    (_, response) => {
      if (!isCut) response.end(bytes);
      else {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, 100), () => response.destroy());
      }
      isCut = false;
    },
    { name: '127.0.0.1', secure: false },
  );
  onTestFinished(() => host.close());
  const secret = join(tempFolder(), 'secret');
  mkdirSync(secret);
  writeFileSync(join(secret, 'AWS_ENDPOINT_URL'), host.url(''));
  const server = await start({
    environment: {
      LAYERCACHE_HEAD_STORE: 's3://heads/vision',
      LAYERCACHE_STORE_CREDENTIALS_DIR: secret,
      LAYERCACHE_ALLOWED_HOSTS: '127.0.0.1',
    },
  });
  const figures = async () => {
    const labels = ['ok', 'failed'].map((r) => `{kind="heads",source="s3",result="${r}"}`);
    const keys = labels.flatMap((one) => [`fetches_total${one}`, `fetch_bytes_total${one}`]);
    return Promise.all(keys.map((key) => read(server, key)));
  };
  expect(await figures()).toEqual([0, 0, 0, 0]);
  const stable = { ...aTrack(digestOf(bytes)), bundleUri: 's3://heads/vision/5' };
  await server.apply(aPolicy({ stable }));
  await eventually(async () => {
    expect(await figures()).toEqual([1, bytes.length, 1, 100]);
  }, 20_000);
});

test('traffic that changes its classes gives hints, in the page and in the windows, and nothing else follows', async () => {
  const server = await start({ environment: { LAYERCACHE_EVIDENCE_WINDOW_SECONDS: '1' } });
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable), auditRate: 1 }));
  const ask = async (row: (i: number) => Row) => {
    for (let i = 0; i < 2; i++) await server.ask(Array.from({ length: 500 }, (_, n) => row(n)));
  };
  const kinds = ['hit_rate', 'score_shift', 'class_mix', 'teacher_confidence'];
  const hints = async () => {
    const values = kinds.map((kind) => read(server, `drift_hint_active{kind="${kind}"}`));
    return Promise.all(values);
  };
  await ask((n) => (n % 2 === 0 ? EASY : HARD));
  await ask((n) => (n % 2 === 0 ? EASY : HARD));
  expect(await hints()).toEqual([0, 0, 0, 0]);
  expect((await server.evidence()).windows.some(({ driftHints }) => driftHints)).toBe(false);
  await ask(() => HARD);
  expect(await hints()).toEqual([0, 1, 1, 0]);
  const [window] = (await server.evidence()).windows.slice(-1);
  expect(window).toMatchObject({ driftHints: ['score_shift', 'class_mix'], auditRate: 1 });
  expect(window?.exitsEnabled).toBe(true);
  // The share of rows that leave is looked at by the window, twice.
  await eventually(async () => {
    await server.ask([HARD, HARD, HARD, HARD, HARD, HARD, HARD, HARD, HARD, HARD, HARD, HARD]);
    await server.ask(Array.from({ length: 100 }, () => HARD));
    expect((await hints())[0]).toBe(1);
  }, 20_000);
});
