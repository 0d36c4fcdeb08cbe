// Companions on the bundled host: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { calibratedOutput } from '../../../server/core/score.ts';
import { createEngineClient } from '../../../server/engine/client.ts';
import {
  RowFlag,
  type EnginePlan,
  type LoadedCompanion,
  type RowAnswer,
} from '../../../server/engine/engine-client.ts';
import type { ModelDescription } from '../../../server/engine/segment-engine.ts';
import { eventually } from '../../support/eventually.ts';
import { expectClose } from '../../support/expect-close.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { concatenatingNet, residualNet, smallNet } from '../../support/onnx-models/networks.ts';
import { aBundle, aCompanionHead } from '../../support/onnx-models/random-head.ts';
import { HOST_SCRIPT as hostScript } from '../../support/real-engine-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { modelFolder } from '../../support/tfjs-models/model-folder.ts';
import * as tfjsNetworks from '../../support/tfjs-models/networks.ts';

const ROW_SIZE = 3 * 16 * 16;
const ROWS = 6;
const NEVER = -50;
const ALWAYS = 50;
const random = seededRandom(21);
const input = Float32Array.from({ length: ROWS * ROW_SIZE }, () => random.normal());

let backbone: ModelFile;
let small: ModelFile;
let open: ReturnType<typeof createEngineClient>[] = [];

beforeAll(async () => {
  backbone = await modelFile(residualNet());
  small = await modelFile(smallNet());
});

afterEach(async () => {
  for (const client of open) await client.close();
  open = [];
});

afterAll(async () => {
  await backbone.remove();
  await small.remove();
});

async function start(path = backbone.path, threads = 2) {
  const source = { path, outputName: null, digest: null };
  const host = createEngineClient({ hostScript, source, engine: 'Auto', threads });
  open.push(host);
  return { host, model: (await host.start()).model };
}

const sourceOf = (path: string, digest: string | null = null) => ({
  name: 'small',
  source: { path, outputName: null, digest },
});

type Host = Awaited<ReturnType<typeof start>>['host'];

async function run(host: Host, planId: number, flags: readonly number[], rows = input) {
  const answers: RowAnswer[] = [];
  const outcome = await host.run(
    {
      ...{ planId, rows: flags.length, datatype: 'FP32' },
      input: [new Uint8Array(rows.buffer, 0, flags.length * ROW_SIZE * 4)],
      flags: Uint8Array.from(flags),
    },
    (left) => answers.push(...left),
  );
  return { answers: answers.sort((a, b) => a.row - b.row), outcome };
}

/** The companion first, then a head at block0. */
function aPlan(
  model: ModelDescription,
  { digest }: LoadedCompanion,
  intercepts: { readonly small: number; readonly block0?: number },
): EnginePlan {
  const { small: first, block0 } = intercepts;
  const heads = block0 === undefined ? [] : [{ tensor: 'block0', intercept: block0 }];
  const bundle = aBundle(model, heads);
  const companion = aCompanionHead('small', { digest, classCount: model.classCount }, first);
  const all = { ...bundle, heads: [companion, ...bundle.heads] };
  return {
    tracks: [
      {
        ...{ track: 'stable', headRevision: 'sha256:heads', bundle: all, lambdaIndex: 60 },
        activeExits: all.heads.map(({ exit }) => exit),
      },
    ],
    samples: [
      { name: 'small', modelDigest: digest },
      { name: 'late', tensor: 'block1' },
    ],
  };
}

describe('a companion', () => {
  test('answers the rows that it is sure of before the backbone runs', async () => {
    const { host, model } = await start();
    const loaded = await host.openCompanion(sourceOf(small.path));
    expect(loaded.msShare).toBeGreaterThan(0);
    expect(loaded.macs).toBeLessThan(model.macs / 10);
    const alone = createEngineClient({
      ...{ hostScript, engine: 'Auto', threads: 1 },
      source: { path: small.path, outputName: null, digest: null },
    });
    open.push(alone);
    await alone.start();
    const own = await run(alone, (await alone.prepare({ tracks: [], samples: [] })).planId, [0]);

    const { planId, costs, knownAnswers } = await host.prepare(
      aPlan(model, loaded, { small: ALWAYS }),
    );
    expect(knownAnswers[0]?.classes).toHaveLength(1);
    expect(costs).toMatchObject({ cuts: [loaded.digest, 'block1'], companions: 1 });
    const flags = [0, RowFlag.BackboneOnly, RowFlag.Audit, RowFlag.Sample];
    const { answers, outcome } = await run(host, planId, flags);
    expect(answers.map(({ exit }) => exit)).toEqual([0, -1, 0, 0]);
    const probabilities = own.answers[0]!.outputs[0]!;
    expectClose(
      answers[0]!.outputs[0]!,
      calibratedOutput(probabilities.map(Math.log), 0, 10, { temperature: 2, kind: 'Logits' }),
      { rel: 1e-5, abs: 1e-5 },
    );
    expect(outcome.seconds.companion).toBeGreaterThan(0);
    expect(outcome.audits.map(({ row }) => row)).toEqual([2]);
    expect(outcome.audits[0]!.tracks[0]!.scores[0]).toBeGreaterThan(0.99);
    const [sample] = outcome.samples;
    expect(sample!.features.map(({ length }) => length)).toEqual([10, 4 * 4 * 16]);
    expectClose([sample!.features[0]!.reduce((sum, z) => sum + Math.exp(z), 0)], [1], {
      rel: 1e-5,
      abs: 0,
    });
    await eventually(() => {
      expect(host.memory().activations).toBe(0);
    });
  });

  test('leaves the answers of the backbone as they are, bit for bit', async () => {
    const { host, model } = await start();
    const plain = await host.prepare({ tracks: [], samples: [] });
    const expected = await run(host, plain.planId, [0, 0, 0, 0, 0, 0]);
    const loaded = await host.openCompanion(sourceOf(small.path));
    const unsure = await host.prepare(aPlan(model, loaded, { small: NEVER }));
    const kept = await run(host, unsure.planId, [0, 0, 0, 0, 0, 0]);
    expect(kept.answers).toEqual(expected.answers);
    const sure = await host.prepare(aPlan(model, loaded, { small: ALWAYS }));
    const { BackboneOnly } = RowFlag;
    const some = await run(host, sure.planId, [0, BackboneOnly, 0, 0, BackboneOnly, 0]);
    expect(some.answers.map(({ exit }) => exit)).toEqual([0, -1, 0, 0, -1, 0]);
    expect(some.answers[1]).toEqual(expected.answers[1]);
    expect(some.answers[4]).toEqual(expected.answers[4]);
  });

  test('passes on what it is not sure of to the heads, and what is not finite to the end', async () => {
    const { host, model } = await start();
    const loaded = await host.openCompanion(sourceOf(small.path));
    const { planId } = await host.prepare(aPlan(model, loaded, { small: NEVER, block0: ALWAYS }));
    const odd = input.slice();
    odd[ROW_SIZE] = NaN;
    const { answers, outcome } = await run(host, planId, [0, 0, RowFlag.Audit], odd);
    expect(answers.map(({ exit }) => exit)).toEqual([1, -1, 1]);
    expect(outcome.audits[0]!.tracks[0]!.scores).toHaveLength(2);
    // The input itself was not finite: no exit is to blame.
    expect(outcome.nonFiniteHeads).toEqual([]);
    expect(outcome.segments.map(({ cut }) => cut).slice(0, 2)).toEqual([0, 1]);
  });

  test('is there again after the host was', async () => {
    const { host, model } = await start();
    const loaded = await host.openCompanion(sourceOf(small.path));
    process.kill(host.hostPid()!, 'SIGKILL');
    await eventually(() => {
      expect(host.status).toBe('Down');
    });
    await eventually(() => {
      expect(host.status).toBe('Up');
    }, 30_000);
    const { planId } = await host.prepare(aPlan(model, loaded, { small: ALWAYS }));
    const { answers } = await run(host, planId, [0, 0]);
    expect(answers.map(({ exit }) => exit)).toEqual([0, 0]);
  });

  test('is told of as lost when its file is not there after a restart, and loads once it is', async () => {
    const { host, model } = await start();
    const copy = await modelFile(smallNet());
    const lost: string[] = [];
    host.onCompanionLost((name, { code }) => lost.push(`${name} ${code}`));
    await host.openCompanion(sourceOf(copy.path));
    await copy.remove();
    process.kill(host.hostPid()!, 'SIGKILL');
    await eventually(() => {
      expect(host.status).toBe('Down');
    });
    await eventually(() => {
      expect(host.status).toBe('Up');
    }, 30_000);
    expect(lost).toEqual(['small ModelMissing']);
    const loaded = await host.openCompanion(sourceOf(small.path));
    const { planId } = await host.prepare(aPlan(model, loaded, { small: ALWAYS }));
    expect((await run(host, planId, [0])).answers.map(({ exit }) => exit)).toEqual([0]);
  });

  test('that does not fit its backbone is refused by name, and the backbone serves', async () => {
    const { host, model } = await start();
    const [others, flat] = [await modelFile(smallNet(7, 4)), await modelFile(concatenatingNet())];
    const refusal = (path: string, digest: string | null = null): Promise<string> =>
      host.openCompanion(sourceOf(path, digest)).then(
        () => 'loaded',
        (error: unknown) => (error as Error).message,
      );
    expect(await refusal(others.path)).toBe(
      "exits[small].model has 4 classes at probabilities, the backbone 10: name a model of the backbone's own classes",
    );
    expect(await refusal(flat.path)).toBe(
      "exits[small].model takes rows of [1, 12, 12], the backbone of [3, 16, 16]: export it with the backbone's input",
    );
    expect(await refusal(backbone.path)).toBe(
      'exits[small].model is the backbone itself: name a smaller model',
    );
    expect(await refusal('/nowhere/model.onnx')).toContain('/nowhere/model.onnx');
    expect(await refusal('/nowhere/model.json')).toContain('convert it to the format');
    expect(await refusal(small.path, `sha256:${'0'.repeat(64)}`)).toContain('has digest');
    const unknown = { digest: `sha256:${'0'.repeat(64)}` } as LoadedCompanion;
    await expect(host.prepare(aPlan(model, unknown, { small: ALWAYS }))).rejects.toMatchObject({
      code: 'CompanionMismatch',
    });
    const { planId } = await host.prepare({ tracks: [], samples: [] });
    expect((await run(host, planId, [0])).answers[0]!.exit).toBe(-1);
    await others.remove();
    await flat.remove();
  });
});

test('a companion answers before a TensorFlow.js backbone alike', async () => {
  const [large, little] = [
    await modelFolder(tfjsNetworks.residualNet()),
    await modelFolder(tfjsNetworks.smallNet()),
  ];
  const { host, model } = await start(large.path, 1);
  const loaded = await host.openCompanion(sourceOf(little.path));
  const { planId } = await host.prepare(aPlan(model, loaded, { small: ALWAYS }));
  const flags = [0, RowFlag.BackboneOnly, RowFlag.Audit | RowFlag.Sample];
  const { answers, outcome } = await run(host, planId, flags);
  expect(answers.map(({ exit }) => exit)).toEqual([0, -1, 0]);
  expect(outcome.audits).toHaveLength(1);
  expect(outcome.samples[0]!.features[0]).toHaveLength(10);
  await large.remove();
  await little.remove();
});
