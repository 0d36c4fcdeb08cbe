import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { encodeSampleBatch, type SampleBatch } from '../../../../crds/wire/samples.ts';
import { serializeServerState, type CostTable } from '../../../../crds/wire/state.ts';
import { createAdminClient, type AdminClient } from '../../../../operator/fleet/admin-client.ts';
import { verifyBundle } from '../../../../operator/fleet/pull-bundle.ts';
import { pullTrainerState, type TrainerState } from '../../../../operator/fleet/trainer-client.ts';
import { loadConfig } from '../../../../operator/trainer/config.ts';
import { pullPatiently, pullSamples } from '../../../../operator/trainer/pull-samples.ts';
import { thinBatch } from '../../../../operator/trainer/thin-batch.ts';
import { BACKBONE_DIGEST } from '../../../support/builders.ts';
import { eventually } from '../../../support/eventually.ts';
import {
  aSampleBatch,
  evenCosts,
  sliceBatch,
  withCompanionCosts,
} from '../../../support/sample-batches.ts';

const PROGRAM = fileURLToPath(new URL('../../../../dist/bundle/trainer.mjs', import.meta.url));
const EXITS = [
  { name: 'early', noise: 0.6 },
  { name: 'late', noise: 0.3 },
];
const COSTS = evenCosts(EXITS.map(({ name }) => name));

const running: (() => void)[] = [];
afterEach(() => {
  for (const stop of running.splice(0)) stop();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface FakeServer {
  readonly url: string;
  readonly calls: string[];
}

/** A model server as far as a trainer sees it; `failures` calls of samples are answered with 503 first. */
async function aServer(
  batch: SampleBatch,
  failures = 0,
  costs: CostTable | null = COSTS,
): Promise<FakeServer> {
  const calls: string[] = [];
  let left = failures;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://server');
    calls.push(url.pathname + url.search);
    if (url.pathname === '/v1/state') {
      response.end(stateOf(batch, costs));
      return;
    }
    if (left > 0) {
      left -= 1;
      response.writeHead(503).end('{"error":"busy"}');
      return;
    }
    const after = Number(url.searchParams.get('after'));
    const from = Math.min(batch.rowCount, after);
    const to = Math.min(batch.rowCount, from + Number(url.searchParams.get('max')));
    response.end(
      encodeSampleBatch({ ...sliceBatch(batch, from, to), nextAfter: Math.max(after, to) }),
    );
  });
  return { url: await listen(server), calls };
}

function stateOf({ podUid, bootId, rowCount }: SampleBatch, costs: CostTable | null): string {
  const samples = { long: rowCount, recent: rowCount, seen: rowCount };
  return serializeServerState({
    schemaVersion: 1,
    version: 'test',
    podUid,
    bootId,
    model: 'example',
    ready: true,
    engine: { kind: 'onnx', device: 'cpu', threads: 1, versions: {}, skipped: [] },
    backbone: {
      digest: BACKBONE_DIGEST,
      format: 'ONNX',
      sizeBytes: 1,
      macs: 1,
      classCount: 4,
      outputName: 'logits',
      outputProblem: null,
      outputKind: 'Logits',
      inputs: [],
      outputs: [],
      labels: [],
    },
    cuts: [],
    rejectedCuts: [],
    headCost: { fixedMs: 0.01, msPerMillionMacs: 0.1 },
    costs,
    policySchemaVersions: [1],
    policy: null,
    acknowledgement: {
      schemaVersion: 1,
      podUid,
      bootId,
      epoch: 0,
      revision: 0,
      headRevisions: [],
      backboneDigest: BACKBONE_DIGEST,
      result: 'AlreadyApplied',
      reason: '',
      message: '',
      knownAnswers: [],
    },
    heads: [],
    switchedOff: [],
    companions: [],
    samples,
    queue: { rows: 0, capacity: 1, modalBatchRows: 1 },
    memory: { rssBytes: 0, engineRssBytes: 0, activations: 0 },
  });
}

function aJob(servers: readonly string[], more: object = {}): string {
  return JSON.stringify({
    servers,
    part: 'long',
    after: [],
    settings: {
      budget: 0.02,
      maxActiveExits: 2,
      minSaving: 0.03,
      maxOverhead: 0.05,
      maxBundleBytes: 200_000,
    },
    seed: 1,
    parent: null,
    trainerVersion: 'test',
    ...more,
  });
}

interface Trainer {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  readonly output: () => string;
  port(): Promise<number>;
}

function startTrainer(environment: Readonly<Record<string, string>>): Trainer {
  const child = spawn(process.execPath, [PROGRAM], {
    env: {
      LAYERCACHE_ADMIN_PORT: '0',
      LAYERCACHE_BIND_HOST: '127.0.0.1',
      LAYERCACHE_TRAINER_THREADS: '1',
      ...environment,
    },
  });
  running.push(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')));
  }
  return {
    child,
    exit: new Promise((resolve) => child.once('exit', resolve)),
    output: () => output,
    port: () =>
      eventually(() => {
        const line = output.split('\n').find((text) => text.includes('"listening"'));
        return Promise.resolve((JSON.parse(line!) as { adminPort: number }).adminPort);
      }, 20_000),
  };
}

function endedState(client: ReturnType<typeof createAdminClient>): Promise<TrainerState> {
  return eventually(async () => {
    const state = await pullTrainerState(client);
    if (!state.ok) throw new Error(state.message);
    expect(['Done', 'Failed']).toContain(state.value.state);
    return state.value;
  }, 50_000);
}

describe('the trainer process', () => {
  test('pulls from all servers, offers one verified bundle, and ends when told that it was taken', async () => {
    const pods = await Promise.all([
      aServer(aSampleBatch({ rows: 1300, exits: EXITS, podUid: 'pod-a' })),
      aServer(aSampleBatch({ rows: 300, exits: EXITS, podUid: 'pod-b', seed: 2 }), 2),
    ]);
    const trainer = startTrainer({ LAYERCACHE_TRAINER_JOB: aJob(pods.map(({ url }) => url)) });
    const client = createAdminClient(`http://127.0.0.1:${await trainer.port()}`);
    const state = await endedState(client);
    expect(state).toMatchObject({ state: 'Done', outcome: 'Trained', rows: 1600, progress: 1 });
    const bundle = await client.call({ method: 'GET', path: '/v1/bundle' });
    if (!bundle.ok) throw new Error(bundle.message);
    const verified = verifyBundle(bundle.value.body, state.digest!);
    expect(verified.ok && verified.value.bundle.backboneDigest).toBe(BACKBONE_DIGEST);
    expect(state.sizeBytes).toBe(bundle.value.body.length);
    expect(pods[0].calls).toContain('/v1/samples?part=long&after=1000&max=1000');
    expect(await client.call({ method: 'GET', path: '/v1/other' })).toMatchObject({
      value: { status: 404 },
    });
    expect(await client.call({ method: 'POST', path: '/v1/done' })).toMatchObject({
      value: { status: 200 },
    });
    expect(await trainer.exit).toBe(0);
    client.close();
  });

  test('asks for input rows although a student of the training before serves', async () => {
    const costs = withCompanionCosts(COSTS, `sha256:${'5'.repeat(64)}`, 0.1);
    const pod = await aServer(aSampleBatch({ rows: 600, exits: EXITS }), 0, costs);
    const trainer = startTrainer({ LAYERCACHE_TRAINER_JOB: aJob([pod.url], { student: true }) });
    const client = createAdminClient(`http://127.0.0.1:${await trainer.port()}`);
    const state = await endedState(client);
    expect(state).toMatchObject({ state: 'Done', outcome: 'Trained' });
    expect(state.message).toContain('Servers hold no inputs of these rows');
    client.close();
  });

  test('says why it failed, in one sentence without a stack, and has no bundle', async () => {
    const pod = await aServer(aSampleBatch({ rows: 300, exits: EXITS }), 0, null);
    const trainer = startTrainer({ LAYERCACHE_TRAINER_JOB: aJob([pod.url]) });
    const client = createAdminClient(`http://127.0.0.1:${await trainer.port()}`);
    const state = await endedState(client);
    expect(state).toMatchObject({ state: 'Failed', outcome: null, digest: null });
    expect(state.message).toContain('measured no costs');
    const bundle = await client.call({ method: 'GET', path: '/v1/bundle' });
    expect(bundle).toMatchObject({ value: { status: 409 } });
    expect(bundle.ok ? bundle.value.body.toString('utf8') : '').toContain('There is no bundle');
    expect(trainer.output()).not.toMatch(/\n\s+at /);
    client.close();
  });

  test('ends with its parent: when standard input closes', async () => {
    const pod = await aServer(aSampleBatch({ rows: 300, exits: EXITS }));
    const trainer = startTrainer({
      LAYERCACHE_TRAINER_JOB: aJob([pod.url]),
      LAYERCACHE_EXIT_WITH_STDIN: 'true',
    });
    await trainer.port();
    trainer.child.stdin!.end();
    expect(await trainer.exit).toBe(0);
  });

  test('every problem of its configuration is named at once, and it ends with 2', async () => {
    const trainer = startTrainer({
      LAYERCACHE_TRAINER_JOB: '{"servers":[]}',
      LAYERCACHE_ADMIN_PORT: '99999',
    });
    expect(await trainer.exit).toBe(2);
    const lines = trainer.output().trim().split('\n');
    expect(lines.filter((line) => line.includes('LAYERCACHE_TRAINER_JOB')).length).toBeGreaterThan(
      4,
    );
    expect(lines.at(-1)).toBe('LAYERCACHE_ADMIN_PORT must be at most 65535');
  });

  test('a port in use is one paragraph and exit 1', async () => {
    const pod = await aServer(aSampleBatch({ rows: 300, exits: EXITS }));
    const trainer = startTrainer({
      LAYERCACHE_TRAINER_JOB: aJob([pod.url]),
      LAYERCACHE_ADMIN_PORT: new URL(pod.url).port,
    });
    expect(await trainer.exit).toBe(1);
    expect(trainer.output()).toContain('is in use. Set LAYERCACHE_ADMIN_PORT');
  });
});

describe('pulling samples', () => {
  const anyRows = (): void => undefined;

  test('takes only rows after the watermark of a pod', async () => {
    const batch = aSampleBatch({ rows: 300, exits: EXITS });
    const pod = await aServer(batch);
    const after = [{ podUid: batch.podUid, bootId: batch.bootId, seq: 250 }];
    const pulled = await pullSamples({ servers: [pod.url], part: 'recent', after }, anyRows);
    expect(pulled.ok && pulled.value.batches.map(({ rowCount }) => rowCount)).toEqual([50]);
  });

  test('a server that stays silent is named, the others still give', async () => {
    const pod = await aServer(aSampleBatch({ rows: 300, exits: EXITS }));
    const broken = await aServer(aSampleBatch({ rows: 300, exits: EXITS, podUid: 'pod-b' }), 99);
    const servers = ['http://127.0.0.1:9', pod.url, broken.url];
    const pulled = await pullSamples({ servers, part: 'long', after: [] }, anyRows);
    if (!pulled.ok) throw new Error(pulled.message);
    expect(pulled.value.batches.map(({ podUid }) => podUid)).toEqual(['pod-a']);
    expect(pulled.value.missing.length).toBe(2);
    expect(pulled.value.missing[1]).toContain('503');
  });

  test('no server at all is an error that names them', async () => {
    const pulled = await pullSamples(
      { servers: ['http://127.0.0.1:9'], part: 'long', after: [] },
      anyRows,
    );
    expect(pulled).toMatchObject({ ok: false, code: 'NoServer' });
  });

  test('servers of which none answers are asked again, and each time it is said', async () => {
    const pod = await aServer(aSampleBatch({ rows: 300, exits: EXITS }));
    const troubles: string[] = [];
    const connect = (): AdminClient =>
      createAdminClient(troubles.length < 2 ? 'http://127.0.0.1:9' : pod.url);
    const onTrouble = (message: string): void => void troubles.push(message);
    const job = { servers: [pod.url], part: 'long' as const, after: [] };
    const pulled = await pullPatiently(job, anyRows, { connect, onTrouble, pausesMs: [1, 1, 1] });
    expect(pulled.ok && pulled.value.batches.length).toBe(1);
    expect(troubles).toHaveLength(2);
    troubles.length = 0;
    const none = { connect: () => createAdminClient('http://127.0.0.1:9'), onTrouble };
    const given = await pullPatiently(job, anyRows, { ...none, pausesMs: [1, 1, 1] });
    expect(given).toMatchObject({ ok: false, code: 'NoServer' });
    expect(troubles).toHaveLength(3);
  });

  test('servers that tell their state and then give no rows are no lack of traffic: they are asked again', async () => {
    const pod = await aServer(aSampleBatch({ rows: 300, exits: EXITS }), 6);
    const job = { servers: [pod.url], part: 'long' as const, after: [] };
    const silent = await pullSamples(job, anyRows);
    expect(silent).toMatchObject({ ok: false, code: 'NoServer' });
    expect(silent.ok ? '' : silent.message).toMatch(/^No server gave its rows: .*503/);
    const troubles: string[] = [];
    const pulled = await pullPatiently(job, anyRows, {
      connect: createAdminClient,
      onTrouble: (message) => void troubles.push(message),
      pausesMs: [1, 1],
    });
    expect(pulled.ok && pulled.value.batches.length).toBe(1);
    expect(troubles).toHaveLength(1);
  });

  test('thinning keeps an even share of whole rows', () => {
    const batch = aSampleBatch({ rows: 10 });
    const thin = thinBatch(batch, 0.5);
    expect([...thin.sequence]).toEqual([2, 4, 6, 8, 10]);
    expect(thin.features[1]!.subarray(16, 32)).toEqual(batch.features[1]!.subarray(48, 64));
    expect([...thin.teacherClass]).toEqual([1, 3, 5, 7, 9].map((row) => batch.teacherClass[row]));
    expect(thinBatch(batch, 1)).toBe(batch);
    const top = thinBatch({ ...batch, teacherTopClasses: new Uint32Array(40).fill(3) }, 0.5);
    expect(top.teacherTopClasses.length).toBe(20);
  });
});

describe('configuration', () => {
  test('has defaults for everything but the job', () => {
    const loaded = loadConfig({ LAYERCACHE_TRAINER_JOB: aJob(['http://127.0.0.1:1']) });
    expect(loaded).toMatchObject({
      ok: true,
      value: { adminPort: 8081, bindHost: '0.0.0.0', exitWithStdin: false, logLevel: 'info' },
    });
    const single = loadConfig({
      LAYERCACHE_TRAINER_JOB: aJob(['http://127.0.0.1:1']),
      LAYERCACHE_TRAINER_THREADS: '0',
    });
    expect(single).toMatchObject({ value: { threads: 1 } });
  });

  test('a missing job, and one that is not JSON, are said', () => {
    expect(loadConfig({})).toEqual({
      ok: false,
      problems: ['LAYERCACHE_TRAINER_JOB is missing; the operator sets it to the job as JSON'],
    });
    expect(loadConfig({ LAYERCACHE_TRAINER_JOB: '{' })).toEqual({
      ok: false,
      problems: ['LAYERCACHE_TRAINER_JOB must be JSON'],
    });
  });
});
