// The bundled engine host on native TensorFlow: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EngineSetting } from '../../../server/config.ts';
import { createEngineClient } from '../../../server/engine/client.ts';
import { engineFolder, enginesDir } from '../../support/native-tensorflow.ts';
import { HOST_SCRIPT as hostScript } from '../../support/real-engine-server.ts';
import { modelFolder, type ModelFolder } from '../../support/tfjs-models/model-folder.ts';
import { residualNet } from '../../support/tfjs-models/networks.ts';
import { expectServedRows } from './served-rows.ts';

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
    await expectServedRows({ host, model, path: folder.path }, { rel: 1e-4, abs: 1e-5 });
  });

  test('in a process for cards it does not start without one', async () => {
    vi.stubEnv('LAYERCACHE_DEVICE', 'GPU');
    try {
      for (const engine of ['Auto', 'TFJSGPU'] as const) {
        await expect(client(engine).start()).rejects.toMatchObject({
          code: 'EngineUnavailable',
          message: expect.stringMatching(
            /^LAYERCACHE_DEVICE is GPU, and TensorFlow finds no card that it can use: .*LAYERCACHE_DEVICE to CPU/,
          ) as string,
        });
      }
    } finally {
      vi.stubEnv('LAYERCACHE_DEVICE', undefined);
    }
  });

  test('a SavedModel that is none is told in one sentence', async () => {
    await expect(client('TFJSNode', '/none/saved_model.pb').start()).rejects.toMatchObject({
      code: 'ModelMissing',
      message: '/none/saved_model.pb does not exist; check the path of the backbone',
    });
  });
});
