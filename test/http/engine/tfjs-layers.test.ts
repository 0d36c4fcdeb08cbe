import { memory, tensor, type Tensor } from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  model,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../../../server/engine/tfjs/backend.ts';
import { createTfjsEngine } from '../../../server/engine/tfjs/tfjs-engine.ts';
import { layersNet, savedLayers } from '../../support/tfjs-models/layers.ts';
import { modelFolders } from '../../support/tfjs-models/model-folder.ts';
import { describeEngine } from './conformance.ts';

const folders = modelFolders();
let network: LayersModel;
let path = '';

async function write(saved: LayersModel): Promise<string> {
  return folders.write(await savedLayers(saved));
}

beforeAll(async () => {
  await startBackend('wasm');
  network = layersNet();
  path = await write(network);
});

afterAll(async () => {
  network.dispose();
  await folders.remove();
});

/** Keras' own way to a tensor inside: another model over the same layers. */
function reference(name: string, values: Float32Array, rows: number): Promise<Float32Array> {
  const output = network.getLayer(name).output as SymbolicTensor;
  const part = model({ inputs: network.inputs, outputs: output });
  const fed = tensor(values, [rows, 16, 16, 3]);
  const found = part.predict(fed) as Tensor;
  const floats = Float32Array.from(found.dataSync());
  for (const each of [found, fed]) each.dispose();
  return Promise.resolve(floats);
}

describeEngine({
  name: 'a layers model with a model inside',
  cuts: ['stem', 'block0', 'block1'],
  create: () => createTfjsEngine('wasm'),
  layout: 'NHWC',
  path: () => path,
  reference,
});

async function open(at: string) {
  const engine = createTfjsEngine('wasm');
  try {
    return await engine.open({ path: at, outputName: null, digest: null });
  } finally {
    await engine.close();
  }
}

describe('a layers model', () => {
  test('is described by its layers', async () => {
    const stem = 256 * 27 * 8;
    const blocks = 2 * 256 * 72 * 8 + 64 * (72 * 16 + 144 * 16 + 72 * 16);
    const apart = 64 * (9 * 16 + 16 * 64);
    expect(await open(path)).toMatchObject({
      format: 'TFJSLayersModel',
      inputs: [{ name: 'picture', datatype: 'FP32', shape: [-1, 16, 16, 3] }],
      outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 10] }],
      outputKind: 'Probabilities',
      macs: stem + blocks + apart + 640,
    });
  });

  test('leaves no tensor behind', async () => {
    const before = memory().numTensors;
    const engine = createTfjsEngine('wasm');
    await engine.open({ path, outputName: null, digest: null });
    const plan = await engine.plan([{ tensor: 'block0', heads: [], samplePool: 4 }]);
    for (let rows = 1; rows < 5; rows += 1) {
      const start = engine.upload(new Float32Array(rows * 768), rows);
      const { activation } = await engine.run(plan, 0, start, { heads: [], pooled: true });
      await engine.output(plan, activation);
    }
    await engine.close();
    expect(memory().numTensors).toBe(before);
  });

  const start = () => input({ shape: [8, 4] });
  test.each([
    [
      'keeps state',
      () =>
        layers.simpleRNN({
          units: 3,
          stateful: true,
          returnSequences: true,
          recurrentInitializer: 'zeros',
        }),
      /stateful layer/,
      [2, 8, 4],
    ],
    ['masks', () => layers.masking({}), /masks its input/, null],
  ] as const)('that %s is refused', async (_, create, message, batchShape) => {
    const from = batchShape === null ? start() : input({ batchShape: [...batchShape] });
    const strange = create().apply(from) as SymbolicTensor;
    const flat = layers.flatten().apply(strange);
    const scores = layers.dense({ units: 2 }).apply(flat) as SymbolicTensor;
    const refused = model({ inputs: from, outputs: scores });
    await expect(open(await write(refused))).rejects.toMatchObject({
      code: 'UnsupportedModel',
      message: expect.stringMatching(message) as string,
    });
    refused.dispose();
  });

  test('of an unknown layer is refused', async () => {
    const saved = await savedLayers(network);
    const json = JSON.parse(
      JSON.stringify(saved.json).replace('"SeparableConv2D"', '"Sorcery"'),
    ) as typeof saved.json;
    await expect(open(await folders.write({ ...saved, json }))).rejects.toThrow(
      /cannot load .*Unknown layer: Sorcery.*convert it to a graph model/,
    );
  });
});
