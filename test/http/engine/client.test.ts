// The engine client against the bundled host: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createEngineClient } from '../../../server/engine/client.ts';
import {
  RowFlag,
  type BatchRequest,
  type EnginePlan,
  type EngineReport,
  type PlannedTrack,
  type RowAnswer,
} from '../../../server/engine/engine-client.ts';
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import { eventually } from '../../support/eventually.ts';
import { expectClose } from '../../support/expect-close.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { HOST_SCRIPT as hostScript } from '../../support/real-engine-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const ROW_SIZE = 3 * 16 * 16;
const ROWS = 4;
const NEVER = -50;
const ALWAYS = 50;

type Client = ReturnType<typeof createEngineClient>;

let file: ModelFile;
let open: Client[] = [];
const input = seededRows(ROWS);

beforeAll(async () => {
  file = await modelFile(residualNet());
});

afterEach(async () => {
  for (const client of open) await client.close();
  open = [];
});

afterAll(async () => {
  await file.remove();
});

function seededRows(rows: number): Float32Array {
  const random = seededRandom(21);
  return Float32Array.from({ length: rows * ROW_SIZE }, () => random.normal());
}

async function start(
  script = hostScript,
  threads = 1,
): Promise<{ client: Client; report: EngineReport }> {
  const source = { path: file.path, outputName: null, digest: null };
  const client = createEngineClient({ hostScript: script, source, engine: 'Auto', threads });
  open.push(client);
  return { client, report: await client.start() };
}

function aTrack(
  report: EngineReport,
  intercepts: Readonly<Record<string, number>>,
  more: Partial<PlannedTrack> = {},
): PlannedTrack {
  const heads = Object.entries(intercepts).map(([tensor, intercept]) => ({ tensor, intercept }));
  const bundle = aBundle(report.model, heads);
  return {
    track: 'stable',
    headRevision: 'sha256:heads',
    bundle,
    activeExits: bundle.heads.map(({ exit }) => exit),
    lambdaIndex: 60,
    ...more,
  };
}

const onlyTracks = (...tracks: PlannedTrack[]): EnginePlan => ({ tracks, samples: [] });

function aBatch(planId: number, flags: readonly number[]): BatchRequest {
  return {
    planId,
    rows: flags.length,
    datatype: 'FP32',
    // Two pieces, as rows of two requests are.
    input: [
      new Uint8Array(input.buffer, 0, 4),
      new Uint8Array(input.buffer, 4, flags.length * ROW_SIZE * 4 - 4),
    ],
    flags: Uint8Array.from(flags),
  };
}

async function run(client: Client, batch: BatchRequest) {
  const rows: RowAnswer[] = [];
  const outcome = await client.run(batch, (answers) => rows.push(...answers));
  return { rows: rows.sort((a, b) => a.row - b.row), outcome };
}

/** Logits of the backbone in process. */
async function backboneLogits(): Promise<Float32Array> {
  const engine = createOnnxEngine();
  await engine.open({ path: file.path, outputName: null, digest: null });
  const plan = await engine.plan([]);
  const [logits] = await engine.output(plan, engine.upload(input.slice(), ROWS));
  await engine.close();
  return logits!;
}

describe('a batch', () => {
  test('without heads answers what the backbone answers', async () => {
    const { client } = await start();
    const { planId } = await client.prepare(onlyTracks());
    const { rows, outcome } = await run(client, aBatch(planId, [0, 0, 0, 0]));
    expectClose(
      rows.flatMap(({ outputs }) => [...outputs[0]!]),
      await backboneLogits(),
      { rel: 1e-5, abs: 1e-5 },
    );
    expect(rows.every(({ exit, score }) => exit === -1 && Number.isNaN(score))).toBe(true);
    expect(outcome.seconds.segment).toBeGreaterThan(0);
    expect(outcome.seconds.head + outcome.seconds.audit).toBe(0);
  });

  test('of large input has its own rows, also beside others on other workers', async () => {
    const { client } = await start(hostScript, 2);
    const { planId } = await client.prepare(onlyTracks());
    const logits = await backboneLogits();
    const classes = logits.length / ROWS;
    const rowBytes = ROW_SIZE * 4;
    const inputOf = (rows: readonly number[]): readonly Uint8Array[] =>
      rows.map((row) => new Uint8Array(input.buffer, row * rowBytes, rowBytes));
    const batches = Array.from({ length: 12 }, (_, first) =>
      Array.from({ length: 24 }, (_, row) => (first + row * (first + 1)) % ROWS),
    );
    const answers = await Promise.all(
      batches.map((rows) =>
        run(client, {
          planId,
          rows: rows.length,
          datatype: 'FP32',
          input: inputOf(rows),
          flags: new Uint8Array(rows.length),
        }),
      ),
    );
    for (const [index, { rows }] of answers.entries()) {
      const asked = batches[index]!;
      expect(24 * rowBytes).toBeGreaterThan(2 ** 16);
      expectClose(
        rows.flatMap(({ outputs }) => [...outputs[0]!]),
        asked.flatMap((row) => [...logits.subarray(row * classes, (row + 1) * classes)]),
        { rel: 1e-4, abs: 1e-4 },
      );
    }
  });

  test('leaves at the first sure exit, audited rows also reach the end', async () => {
    const { client, report } = await start();
    const plan = onlyTracks(aTrack(report, { stem: NEVER, block0: ALWAYS }));
    const { planId, knownAnswers } = await client.prepare(plan);
    expect(knownAnswers[0]!.classes).toEqual(
      plan.tracks[0]!.bundle.heads.map((head) => head.knownAnswers.classes),
    );
    const batch = aBatch(planId, [0, RowFlag.Audit, RowFlag.BackboneOnly, 0]);
    const { rows, outcome } = await run(client, batch);
    expect(rows.map(({ exit }) => exit)).toEqual([1, 1, -1, 1]);
    expect(outcome.audits.map(({ row }) => row)).toEqual([1]);
    const [audit] = outcome.audits;
    expect(audit!.tracks[0]!.scores).toHaveLength(2);
    expect(audit!.tracks[0]!.scores[1]).toBeCloseTo(rows[1]!.score, 6);
    expect(audit!.tracks[0]!.classes[1]).toBe(rows[1]!.classId);
    expect(outcome.seconds.audit).toBeGreaterThan(0);
  });

  test('streams early answers before it has ended', async () => {
    const { client, report } = await start();
    const { planId } = await client.prepare(onlyTracks(aTrack(report, { stem: ALWAYS })));
    const events: string[] = [];
    const batch = aBatch(planId, [0, RowFlag.BackboneOnly]);
    await client.run(batch, (rows) => events.push(...rows.map(({ row }) => `row ${row}`)));
    events.push('end');
    expect(events).toEqual(['row 0', 'row 1', 'end']);
  });

  test('feeds every loaded head set from an audited row, whichever track it is on', async () => {
    const { client, report } = await start();
    const stable = aTrack(report, { stem: NEVER });
    const candidate = aTrack(report, { stem: NEVER, block1: ALWAYS }, { track: 'candidate' });
    const { planId } = await client.prepare(onlyTracks(stable, candidate));
    const flags = [RowFlag.Audit, RowFlag.Audit | RowFlag.Candidate, RowFlag.Candidate];
    const { rows, outcome } = await run(client, aBatch(planId, flags));
    expect(rows.map(({ exit }) => exit)).toEqual([-1, 1, 1]);
    expect(outcome.audits.map(({ tracks }) => tracks.map(({ scores }) => scores.length))).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(outcome.audits.every(({ tracks }) => tracks[1]!.scores.every(Number.isFinite))).toBe(
      true,
    );
  });

  test('brings back pooled features and log-probabilities of sampled rows', async () => {
    const { client } = await start();
    const { planId } = await client.prepare({
      tracks: [],
      samples: [
        { name: 'early', tensor: 'stem' },
        { name: 'late', tensor: 'block1' },
      ],
    });
    const { outcome } = await run(client, aBatch(planId, [RowFlag.Sample, 0]));
    const [sample] = outcome.samples;
    expect(sample!.features.map(({ length }) => length)).toEqual([8 * 16, 16 * 16]);
    const sum = sample!.logProbabilities.reduce((all, value) => all + Math.exp(value), 0);
    expect(sum).toBeCloseTo(1, 5);
  });

  test('with a non-finite row answers that row from the backbone and counts the heads', async () => {
    const { client, report } = await start();
    const { planId } = await client.prepare(onlyTracks(aTrack(report, { stem: ALWAYS })));
    const spoilt = input.slice();
    spoilt[ROW_SIZE] = NaN;
    const batch = {
      ...aBatch(planId, [0, 0]),
      input: [new Uint8Array(spoilt.buffer, 0, 2 * ROW_SIZE * 4)],
    };
    const { rows, outcome } = await run(client, batch);
    expect(rows.map(({ exit }) => exit)).toEqual([0, -1]);
    expect(outcome.nonFiniteRows).toEqual([1]);
    // The input itself is not finite: no fault of the head.
    expect(outcome.nonFiniteHeads).toEqual([]);
  });

  test('of a plan that is not loaded is refused', async () => {
    const { client } = await start();
    await expect(run(client, aBatch(99, [0]))).rejects.toMatchObject({ code: 'PlanUnknown' });
  });
});

describe('preparing', () => {
  test('does not measure again what was measured when the model was opened', async () => {
    const { client, report } = await start();
    expect((await client.prepare(onlyTracks())).costs).toEqual(report.costs);
  });

  test('refuses heads whose known answers differ', async () => {
    const { client, report } = await start();
    const track = aTrack(report, { stem: NEVER });
    const [head] = track.bundle.heads;
    const scoreLogits = head!.knownAnswers.scoreLogits.map((logit) => logit + 0.5);
    const wrong = { ...head!, knownAnswers: { ...head!.knownAnswers, scoreLogits } };
    const plan = onlyTracks({ ...track, bundle: { ...track.bundle, heads: [wrong] } });
    await expect(client.prepare(plan)).rejects.toMatchObject({ code: 'KnownAnswerMismatch' });
    // The host lives on.
    await client.prepare(onlyTracks(track));
  });

  test('refuses heads of another backbone and unknown tensors', async () => {
    const { client, report } = await start();
    const track = aTrack(report, { stem: NEVER });
    const foreign = { ...track.bundle, backboneDigest: 'sha256:other' };
    await expect(client.prepare(onlyTracks({ ...track, bundle: foreign }))).rejects.toMatchObject({
      code: 'HeadMismatch',
    });
    const samples = [{ name: 'x', tensor: 'blok0' }];
    await expect(client.prepare({ tracks: [], samples })).rejects.toMatchObject({
      code: 'TensorNotFound',
      message: expect.stringContaining('block0') as string,
    });
  });

  test('activations are back at zero when batches have ended', async () => {
    const { client, report } = await start();
    const { planId } = await client.prepare(onlyTracks(aTrack(report, { stem: ALWAYS })));
    for (let round = 0; round < 20; round += 1) await run(client, aBatch(planId, [0, 1, 8, 0]));
    await eventually(() => {
      expect(client.memory().rssBytes).toBeGreaterThan(0);
      expect(client.memory().activations).toBe(0);
    });
  });
});

describe('the life of the host', () => {
  test('a backbone that cannot be loaded rejects the start and leaves no process', async () => {
    const source = { path: '/nowhere/model.onnx', outputName: null, digest: null };
    const client = createEngineClient({ hostScript, source, engine: 'Auto', threads: 1 });
    await expect(client.start()).rejects.toMatchObject({ code: 'ModelMissing' });
    expect(client.status).toBe('Closed');
    expect(client.hostPid()).toBeUndefined();
  });

  test('killed in the middle, it rejects what is in flight, comes back and serves again', async () => {
    const { client } = await start();
    const changes: string[] = [];
    client.onStatus((status) => changes.push(status));
    const { planId } = await client.prepare(onlyTracks());
    const inFlight = Promise.allSettled(
      Array.from({ length: 8 }, () => run(client, aBatch(planId, [0, 0, 0, 0]))),
    );
    process.kill(client.hostPid()!, 'SIGKILL');
    const settled = await inFlight;
    expect(settled.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'EngineDown' } });
    await eventually(() => {
      expect(client.status).toBe('Up');
    }, 30_000);
    expect(changes).toEqual(['Down', 'Up']);
    const again = await client.prepare(onlyTracks());
    expect((await run(client, aBatch(again.planId, [0, 0]))).rows).toHaveLength(2);
  });

  test('the host ends when its parent is gone', async () => {
    const script = join(dirname(file.path), 'parent.mjs');
    await writeFile(
      script,
      `import { createServer } from 'node:net';
       import { spawn } from 'node:child_process';
       const path = process.argv[2];
       const server = createServer(() => console.log(child.pid)).listen(path);
       const child = spawn(process.execPath, [${JSON.stringify(hostScript)}, path], { detached: true });`,
    );
    const socket = join(dirname(file.path), 'parent.sock');
    const parent = spawn(process.execPath, [script, socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const hostPid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => {
        resolve(Number(chunk.toString()));
      });
    });
    parent.kill('SIGKILL');
    await eventually(() => {
      expect(() => process.kill(hostPid, 0)).toThrow('ESRCH');
    }, 10_000);
  });

  test('bytes that are no frame end the connection with a reason', async () => {
    const script = join(dirname(file.path), 'garbage.mjs');
    await writeFile(
      script,
      `import { connect } from 'node:net';
       connect(process.argv[2]).write(Buffer.from('14000000ffffffffffffffffffffffffffffffff', 'hex'));
       setInterval(() => undefined, 1000);`,
    );
    await expect(start(script)).rejects.toMatchObject({
      code: 'EngineDown',
      message: expect.stringContaining('no frame') as string,
    });
  });

  test('a host that stops answering is ended', async () => {
    const script = join(dirname(file.path), 'silent.mjs');
    await writeFile(
      script,
      `import { connect } from 'node:net';
       connect(process.argv[2]).resume();`,
    );
    const source = { path: file.path, outputName: null, digest: null };
    const options = { hostScript: script, source, engine: 'Auto', threads: 1 } as const;
    const client = createEngineClient({ ...options, silenceMs: 50 });
    await expect(client.start()).rejects.toMatchObject({
      code: 'EngineDown',
      message: expect.stringContaining('no heartbeat') as string,
    });
  });
});
