// The bundled engine host on native TensorFlow: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EngineSetting } from '../../../server/config.ts';
import { createEngineClient } from '../../../server/engine/client.ts';
import { RowFlag, type RowAnswer } from '../../../server/engine/engine-client.ts';
import { createTfjsEngine } from '../../../server/engine/tfjs/tfjs-engine.ts';
import { expectClose } from '../../support/expect-close.ts';
import { engineFolder, enginesDir } from '../../support/native-tensorflow.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { modelFolder, type ModelFolder } from '../../support/tfjs-models/model-folder.ts';
import { residualNet } from '../../support/tfjs-models/networks.ts';

const hostScript = fileURLToPath(new URL('../../../dist/bundle/engine-host.mjs', import.meta.url));

let folder: ModelFolder;
let open: ReturnType<typeof createEngineClient>[] = [];

function client(engine: EngineSetting, path = folder.path) {
  const source = { path, outputName: null, digest: null };
  const created = createEngineClient({ hostScript, source, engine, threads: 2 });
  open.push(created);
  return created;
}

describe.skipIf(engineFolder === null)('where native TensorFlow is installed', () => {
  beforeAll(async () => {
    vi.stubEnv('LAYERCACHE_ENGINES_DIR', enginesDir);
    folder = await modelFolder(residualNet());
  });

  afterEach(async () => {
    for (const one of open) await one.close();
    open = [];
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await folder.remove();
  });

  test('graph models run on it, on every worker, with exits, samples and the answers of wasm', async () => {
    const host = client('Auto');
    const { engine, model } = await host.start();
    expect(engine).toMatchObject({
      ...{ kind: 'tfjs-node', device: 'cpu', threads: 2 },
      versions: { tensorflow: '2.19.1' },
    });
    expect(engine.skipped).toContainEqual({
      engine: 'tfjs-wasm',
      reason: 'tfjs-node is preferred',
    });
    // The first head lets every row go.
    const bundle = aBundle(model, [
      { tensor: 'stem', intercept: 50 },
      { tensor: 'block1', intercept: -50 },
    ]);
    const { planId, knownAnswers } = await host.prepare({
      tracks: [
        {
          track: 'stable',
          headRevision: 'sha256:heads',
          bundle,
          activeExits: bundle.heads.map(({ exit }) => exit),
          lambdaIndex: 60,
        },
      ],
      samples: [{ name: 'b', tensor: 'block0' }],
    });
    expect(knownAnswers).toHaveLength(1);
    const random = seededRandom(3);
    const input = Float32Array.from({ length: 3 * 768 }, () => random.normal());
    const runs = [1, 2, 3, 4].map(async () => {
      const rows: RowAnswer[] = [];
      const outcome = await host.run(
        {
          planId,
          rows: 3,
          datatype: 'FP32',
          input: [new Uint8Array(input.buffer)],
          flags: Uint8Array.of(0, RowFlag.BackboneOnly, RowFlag.Audit | RowFlag.Sample),
        },
        (answers) => rows.push(...answers),
      );
      return { rows: rows.sort((a, b) => a.row - b.row), outcome };
    });
    const [first, ...others] = await Promise.all(runs);
    expect(first!.rows.map(({ exit }) => exit)).toEqual([0, -1, 0]);
    expect(first!.outcome.audits).toHaveLength(1);
    expect(first!.outcome.samples[0]!.features[0]).toHaveLength(128);
    for (const { rows } of others) expect(rows).toEqual(first!.rows);
    const wasm = createTfjsEngine('wasm');
    await wasm.open({ path: folder.path, outputName: null, digest: null });
    const [logits] = await wasm.output(await wasm.plan([]), wasm.upload(input, 3));
    await wasm.close();
    expectClose(first!.rows[1]!.outputs[0]!, logits!.slice(10, 20), { rel: 1e-4, abs: 1e-5 });
    expect(host.memory().activations).toBe(0);
  });

  test('a SavedModel that is none is told in one sentence', async () => {
    await expect(client('TFJSNode', '/none/saved_model.pb').start()).rejects.toMatchObject({
      code: 'ModelMissing',
      message: '/none/saved_model.pb does not exist; check the path of the backbone',
    });
  });
});
