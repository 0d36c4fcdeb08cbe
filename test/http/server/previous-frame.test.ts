// A detector with the exit "same as the previous frame of this source": `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeHalf, fromHalf } from '../../../crds/wire/half-float.ts';
import type { BundleHead, HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import { COMPARISON_VALUES, KEY_FRAME, NOT_COMPARED } from '../../../crds/wire/previous-frame.ts';
import { parseSampleBatch } from '../../../crds/wire/samples.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import { toHeadWeights } from '../../../server/core/head.ts';
import { answerKnownRows } from '../../../server/core/known-answer.ts';
import { eventually } from '../../support/eventually.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { detectorNet } from '../../support/onnx-models/networks.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { startRealEngineServer, type RealEngineServer } from '../../support/real-engine-server.ts';
import { aPolicy, aTrack, INFER, send, type InferAnswer } from '../../support/test-server.ts';

const DETECTION = { scores: 'scores', extents: 'extents', stride: 4, maxBoxes: 3 };
const PIXELS = 256;
const HEADER = 'x-camera';

let model: ModelFile;
beforeAll(async () => {
  model = await modelFile({ bytes: detectorNet() }, { task: 'Detection', detection: DETECTION });
});
afterAll(async () => {
  await model.remove();
});

/** Bright at one patch. */
const lamp = (brightness: number): number[] =>
  Array.from({ length: PIXELS }, (_, i) => {
    const [row, column] = [Math.floor(i / 16), i % 16];
    return row >= 4 && row < 8 && column >= 8 && column < 12 ? brightness : 0;
  });
const [DARK, LAMP] = [lamp(0), lamp(1)];

/** What compares the frames: by how far they are apart, or "as there" whatever they are. */
function comparingHead(kind: 'ByDistance' | 'Always'): BundleHead {
  // The first value is the logarithm of the largest distance: -6.9 where nothing changed.
  const weights = new Float32Array(2 * COMPARISON_VALUES);
  if (kind === 'ByDistance') weights[0] = -2;
  const head: BundleHead = {
    ...{ exit: 'still', tensor: 'stem', modelDigest: null, compares: 'PreviousFrame' },
    ...{ pool: 1, hidden: 0, featureCount: COMPARISON_VALUES },
    mean: new Float32Array(COMPARISON_VALUES),
    scale: new Float32Array(COMPARISON_VALUES).fill(1),
    w1: { type: 'float16', rows: COMPARISON_VALUES, columns: 2, values: encodeHalf(weights) },
    b1: kind === 'ByDistance' ? Float32Array.of(0, 4) : Float32Array.of(4, 0),
    ...{ w2: null, b2: null, temperature: 1 },
    score: { features: ['logitMax'], mean: [0], scale: [1], weights: [1], intercept: 20 },
    knownAnswers: { seed: 3, classes: [], scoreLogits: [] },
  };
  return { ...head, knownAnswers: answerKnownRows(toHeadWeights(head, 2), head.score, 3) };
}

function bundleOf({ backbone: { digest, classCount } }: ServerState, head: BundleHead): HeadBundle {
  return { ...aBundle({ digest, classCount, cuts: [] } as never, []), heads: [head] };
}

interface Applied {
  readonly exitsEnabled?: boolean;
  readonly auditRate?: number;
  readonly revision?: number;
}

async function apply(
  server: RealEngineServer,
  kind: Parameters<typeof comparingHead>[0],
  { exitsEnabled = true, auditRate = 0, revision = 1 }: Applied = {},
): Promise<void> {
  const state = await server.state();
  const { digest: backboneDigest } = state.backbone;
  const headRevision = await server.push(bundleOf(state, comparingHead(kind)));
  const track = aTrack(headRevision, { activeExits: ['still'] });
  const plain = aPolicy({
    ...{ backboneDigest, exitsEnabled, auditRate, revision },
    exits: [{ name: 'still', tensor: 'stem', sourceHeader: 'X-Camera', mode: 'Active' }],
  });
  const policy: Policy = {
    ...plain,
    ...{ schemaVersion: 5, agreement: 'Strict' },
    limits: { ...plain.limits, logLevel: 'Info' },
    stable: {
      ...track,
      certificate: {
        ...track.certificate!,
        ...{ backboneDigest, headRevision, lambdaIndex: track.lambdaIndex! },
      },
    },
  };
  const { result, message } = await server.apply(policy);
  expect(result, message).toBe('Applied');
}

interface Answered {
  readonly exit: unknown;
  readonly hasBox: boolean;
}

async function ask(
  server: RealEngineServer,
  pixels: number[],
  source: string | null,
  more: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const inputs = [{ name: 'input', shape: [1, 1, 16, 16], datatype: 'FP32', data: pixels }];
  const answer = await send(server.data, INFER, {
    method: 'POST',
    body: JSON.stringify({ inputs }),
    headers: { ...(source === null ? {} : { [HEADER]: source }), ...more },
  });
  expect(answer.status, answer.body.toString()).toBe(200);
  const { parameters, outputs } = JSON.parse(answer.body.toString()) as InferAnswer;
  return { exit: parameters.layercache_exit, hasBox: outputs[0]!.data[4]! > 0 };
}

const BY_BACKBONE = { exit: 'backbone' };
const SAME = { exit: 'still' };

describe('the exit that compares frames', () => {
  test('answers five frames that show the same, and the backbone the sixth', async () => {
    const server = await startRealEngineServer(model.path);
    await apply(server, 'ByDistance');
    const answers: Answered[] = [];
    for (let i = 0; i < 8; i++) answers.push(await ask(server, LAMP, 'door'));
    expect(answers.map(({ exit }) => exit)).toEqual([
      ...['backbone', 'still', 'still', 'still', 'still', 'still', 'backbone', 'still'],
    ]);
    expect(answers.every(({ hasBox }) => hasBox)).toBe(true);
    // What changed goes on to the backbone, and the key frame stays.
    expect(await ask(server, DARK, 'door')).toEqual({ ...BY_BACKBONE, hasBox: false });
    expect(await ask(server, LAMP, 'door')).toEqual({ ...SAME, hasBox: true });
  });

  test('never answers a source with what another one showed', async () => {
    const server = await startRealEngineServer(model.path);
    // Whatever it is asked, so that only the memory can keep sources apart.
    await apply(server, 'Always');
    const frames = [
      ['lit', LAMP, true],
      ['unlit', DARK, false],
    ] as const;
    for (const [source, pixels] of frames) {
      expect(await ask(server, pixels, source)).toMatchObject(BY_BACKBONE);
    }
    for (let i = 0; i < 5; i++) {
      // At once, so that they may share a batch, and each with the picture of the other.
      const answers = await Promise.all([ask(server, DARK, 'lit'), ask(server, LAMP, 'unlit')]);
      expect(answers).toEqual([
        { ...SAME, hasBox: true },
        { ...SAME, hasBox: false },
      ]);
    }
    expect(await ask(server, DARK, 'lit')).toEqual({ ...BY_BACKBONE, hasBox: false });
  });

  test('passes by what names no source, and who asks for the backbone', async () => {
    const server = await startRealEngineServer(model.path);
    await apply(server, 'Always');
    await ask(server, LAMP, 'door');
    for (let i = 0; i < 3; i++) {
      expect(await ask(server, LAMP, null)).toMatchObject(BY_BACKBONE);
      expect(await ask(server, LAMP, '')).toMatchObject(BY_BACKBONE);
      expect(await ask(server, LAMP, 'd'.repeat(257))).toMatchObject(BY_BACKBONE);
    }
    const optedOut = { 'layercache-mode': 'backbone' };
    expect(await ask(server, DARK, 'door', optedOut)).toEqual({ ...BY_BACKBONE, hasBox: false });
    // It counted as a frame, and did not become what others are compared with.
    expect(await ask(server, DARK, 'door')).toEqual({ ...SAME, hasBox: true });
  });

  test('goes on with right answers when the engine host is killed amid frames', async () => {
    const server = await startRealEngineServer(model.path);
    await apply(server, 'Always');
    const sources = [
      { source: 'lit', pixels: LAMP, hasBox: true },
      { source: 'unlit', pixels: DARK, hasBox: false },
    ];
    const killedAfter = 7;
    const answers: Answered[][] = sources.map(() => []);
    for (let turn = 0; turn < 20; turn++) {
      // On their way together, and killed with the host.
      const asked = sources.map(({ source, pixels }) => ask(server, pixels, source));
      if (turn === killedAfter) process.kill(server.engine.hostPid()!, 'SIGKILL');
      for (const [i, answer] of (await Promise.all(asked)).entries()) answers[i]!.push(answer);
    }
    for (const [i, { hasBox }] of sources.entries()) {
      expect(answers[i]!.map((answer) => answer.hasBox)).toEqual(answers[i]!.map(() => hasBox));
      const exits = answers[i]!.map(({ exit }) => exit);
      // Nothing that the dead host knew answers: the first frames after it are the backbone's.
      expect(exits.slice(killedAfter + 1)).toContain('backbone');
      expect(exits.slice(killedAfter + 1)).toContain('still');
    }
    expect(await server.metric('layercache_engine_restarts_total{cause="signal"}')).toBe(1);
  });

  test('forgets every source when another policy is applied', async () => {
    const server = await startRealEngineServer(model.path);
    await apply(server, 'Always');
    await ask(server, LAMP, 'door');
    expect(await ask(server, LAMP, 'door')).toMatchObject(SAME);
    await apply(server, 'Always', { revision: 2 });
    expect(await ask(server, LAMP, 'door')).toMatchObject(BY_BACKBONE);
    expect(await ask(server, LAMP, 'door')).toMatchObject(SAME);
  });
});

describe('audits of the exit that compares frames', () => {
  test('count what the earlier answer loses, and let no key frame leave', async () => {
    const server = await startRealEngineServer(model.path);
    await apply(server, 'Always', { auditRate: 1 });
    // Key frame, right, wrong, and one of no source.
    for (const pixels of [LAMP, LAMP, DARK]) await ask(server, pixels, 'door');
    await ask(server, LAMP, null);
    await eventually(async () => {
      const { windows } = await server.evidence();
      const grids = windows.flatMap(({ headRevision, grid }) => (headRevision ? [grid] : []));
      const sum = (of: (grid: (typeof grids)[number]) => number): number =>
        grids.reduce((total, grid) => total + of(grid), 0);
      expect(sum(({ n }) => n)).toBe(4);
      expect(sum(({ leave }) => leave[0]![119]!)).toBe(2);
      expect(sum(({ dis }) => dis[119]!)).toBe(1);
    }, 5_000);
    expect(await server.metric('layercache_rows_forced_total{reason="numeric"}')).toBe(0);
  });

  test('while exits are off every frame is answered by the backbone, and samples tell how it compares', async () => {
    const server = await startRealEngineServer(model.path, { threads: 1 });
    await apply(server, 'ByDistance', { auditRate: 1, exitsEnabled: false });
    for (const pixels of [LAMP, LAMP, DARK]) {
      expect(await ask(server, pixels, 'door')).toMatchObject(BY_BACKBONE);
    }
    await ask(server, LAMP, null);
    const samples = await eventually(async () => {
      const answer = await send(server.admin, '/v1/samples?part=long&after=0&max=10');
      const batch = parseSampleBatch(answer.body);
      if (!batch.ok) throw new Error(batch.message);
      expect(batch.value.rowCount).toBe(4);
      return batch.value;
    }, 5_000);
    const width = COMPARISON_VALUES + 1;
    expect(samples.exits).toMatchObject([{ tensor: 'stem', compares: 'PreviousFrame' }]);
    const rows = Array.from({ length: 4 }, (_, row) =>
      Array.from(samples.features[0]!.subarray(row * width, (row + 1) * width), fromHalf),
    );
    expect(rows.map((row) => row[COMPARISON_VALUES])).toEqual([KEY_FRAME, 0, 10, NOT_COMPARED]);
    // Distances as logarithms, and the age of the key frame.
    expect(rows.map((row) => row[2])).toEqual([0, 1, 2, 0]);
    expect(rows[1]![0]).toBeCloseTo(Math.log(1e-3), 1);
    expect(rows[2]![0]).toBeGreaterThan(0);
  });
});
