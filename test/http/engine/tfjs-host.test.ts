// The bundled engine host on TensorFlow.js models: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { EngineSetting } from '../../../server/config.ts';
import { createEngineClient } from '../../../server/engine/client.ts';
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import { createTfjsEngine } from '../../../server/engine/tfjs/tfjs-engine.ts';
import { expectClose } from '../../support/expect-close.ts';
import { HOST_SCRIPT as hostScript } from '../../support/real-engine-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { modelFolder, type ModelFolder } from '../../support/tfjs-models/model-folder.ts';
import { residualNet } from '../../support/tfjs-models/networks.ts';
import { expectServedRows } from './served-rows.ts';

const example = fileURLToPath(new URL('../../../server/examples/fashion-mnist', import.meta.url));

let folder: ModelFolder;
let open: ReturnType<typeof createEngineClient>[] = [];

beforeAll(async () => {
  folder = await modelFolder(residualNet());
});

afterEach(async () => {
  for (const client of open) await client.close();
  open = [];
});

afterAll(async () => {
  await folder.remove();
});

function client(engine: EngineSetting, path = folder.path, threads = 2) {
  const source = { path, outputName: null, digest: null };
  const created = createEngineClient({ hostScript, source, engine, threads });
  open.push(created);
  return created;
}

test('the host serves the model on every worker, and says why no other engine does', async () => {
  const host = client('Auto');
  const { engine, model } = await host.start();
  expect(engine).toMatchObject({ kind: 'tfjs-wasm', device: 'cpu', threads: 2 });
  expect(engine.versions).toEqual({ tfjs: '4.22.0' });
  expect(engine.skipped).toEqual([
    {
      engine: 'onnx',
      reason: `reads ONNX models (.onnx), and the model is ${folder.path}`,
    },
    { engine: 'tfjs-gpu', reason: 'is not part of this image' },
    { engine: 'tfjs-node', reason: 'is not installed here: layercache engines install' },
    { engine: 'tfjs-cpu', reason: 'is not part of this image' },
  ]);
  await expectServedRows({ host, model, path: folder.path }, { rel: 1e-5, abs: 1e-6 });
});

test('a model that breaks between two starts is told in one sentence', async () => {
  const broken = await modelFolder(residualNet());
  await rm(join(dirname(broken.path), 'group1-shard1of2.bin'));
  await expect(client('TFJSWASM', broken.path, 1).start()).rejects.toMatchObject({
    code: 'ModelMissing',
    message: expect.stringContaining('model.json names it as a part of the weights') as string,
  });
  await broken.remove();
});

test('an engine that reads other models is refused by name', async () => {
  await expect(client('ONNX').start()).rejects.toMatchObject({
    code: 'EngineUnavailable',
    message: expect.stringContaining('engine ONNX reads ONNX models (.onnx)') as string,
  });
});

test('the example answers alike on both engines, and its features at cuts are alike', async () => {
  const rows = 12;
  const random = seededRandom(9);
  // Blots of light on black, as clothes are.
  const input = Uint8Array.from({ length: rows * 784 }, (_, index) => {
    const [y, x] = [Math.floor((index % 784) / 28), index % 28];
    const row = Math.floor(index / 784);
    const distance = Math.hypot(y - 9 - row, x - 20 + row) - 4 - (row % 5);
    return Math.max(0, Math.min(255, 220 - 40 * distance + 25 * random.normal()));
  });
  const answers: Float32Array[][] = [];
  for (const [engine, path, prefix] of [
    [createOnnxEngine(), 'backbone.onnx', ''],
    [createTfjsEngine('wasm'), 'tfjs_graph_model/model.json', 'PartitionedCall/'],
  ] as const) {
    const { labelled, macs } = await engine
      .open({ path: join(example, path), outputName: null, digest: null })
      .then((model) => ({ labelled: model.outputName, macs: model.macs }));
    expect([labelled, macs]).toEqual(['logits', 384_863_744]);
    const cuts = ['stem', 'block3', 'block7'].map((name) => ({
      tensor: `${prefix}${name}`,
      heads: [],
      samplePool: 4 as const,
    }));
    const plan = await engine.plan(cuts);
    const found: Float32Array[] = [];
    let activation = engine.upload(input, rows);
    for (const cut of cuts.keys()) {
      const result = await engine.run(plan, cut, activation, { heads: [], pooled: true });
      ({ activation } = result);
      found.push(result.pooled!);
    }
    found.push((await engine.output(plan, activation))[0]!);
    answers.push(found);
    await engine.close();
  }
  const [onnx, tfjs] = answers;
  for (const [index, values] of onnx!.entries()) {
    expectClose(tfjs![index]!, values, { rel: 1e-3, abs: 1e-4 });
  }
});
