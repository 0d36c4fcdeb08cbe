import { setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHalf } from '../../../crds/wire/half-float.ts';
import { loadAddon } from '../../../server/engine/tensorflow/addon.ts';
import { freezeGraphModel } from '../../../server/engine/tensorflow/frozen-graph.ts';
import { placeholder, type NodeDef } from '../../../server/engine/tensorflow/node-def.ts';
import { loadFiles } from '../../../server/engine/tfjs/load-files.ts';
import { expectClose } from '../../support/expect-close.ts';
import { aHead } from '../../support/onnx-models/random-head.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { signedSavedModel } from '../../support/tfjs-models/saved-model.ts';
import { createTensorFlowEngine } from '../../../server/engine/tensorflow/tensorflow-engine.ts';
import type { TfjsTestModel } from '../../support/tfjs-models/graph-writer.ts';
import { modelFolders } from '../../support/tfjs-models/model-folder.ts';
import { joinedNet, oblongNet, residualNet } from '../../support/tfjs-models/networks.ts';
import { engineFolder } from '../../support/native-tensorflow.ts';
import { describeGraphModels, reference } from './graph-models.ts';
import { swapRounds } from './swap-rounds.ts';

const { write, remove } = modelFolders();

// Of the measure.
beforeAll(async () => {
  await setBackend('wasm');
});

afterAll(remove);

describe.skipIf(engineFolder === null)('native TensorFlow', () => {
  describeGraphModels(() => createTensorFlowEngine(engineFolder!), write);

  describe('a graph means what it means to TensorFlow.js', () => {
    test('where operators are joined', async () => {
      const model = joinedNet();
      const names = ['depthwise', 'elu', 'leakyrelu', 'prelu', 'sloped', 'hidden'];
      await expectAlike(model, [...names, 'logits']);
    });

    test.each(['uint8', 'uint16', 'float16'] as const)('with weights as %s', async (dtype) => {
      await expectAlike(quantised(residualNet(), dtype), ['stem', 'block1', 'dense_out']);
    });
  });

  /** Each tensor as the output of a model of its own. */
  async function expectAlike(model: TfjsTestModel, tensors: readonly string[]): Promise<void> {
    const rows = 3;
    const random = seededRandom(11);
    const size = model.rowDims.reduce((all, dim) => all * dim, rows);
    const input = Float32Array.from({ length: size }, () => random.normal());
    for (const name of tensors) {
      const outputs = { [name]: { name: `${name}:0`, dtype: 'DT_FLOAT' } };
      const signature = { ...model.json.signature, outputs };
      const path = await write({ ...model, json: { ...model.json, signature } });
      const engine = createTensorFlowEngine(engineFolder!);
      await engine.open({ path, outputName: null, digest: null });
      const [found] = await engine.output(await engine.plan([]), engine.upload(input, rows));
      await engine.close();
      expectClose(found!, await reference(model, name, input, rows), { rel: 1e-4, abs: 1e-5 });
    }
  }

  describe('a SavedModel', () => {
    let folder = '';
    const model = residualNet();
    const frozen = async (): Promise<NodeDef[]> => {
      const path = await write(model);
      const source = { path, outputName: null, digest: null };
      return [...freezeGraphModel(path, await loadFiles(source)).definitions.values()].flat();
    };
    const input = { key: 'image', tensor: 'input', dims: [-1, 16, 16, 3] };
    const output = { key: 'logits', tensor: 'dense_out', dims: [-1, 10] };
    async function openSaved(bytes: Uint8Array, digest: string | null = null) {
      const path = join(folder, 'saved_model.pb');
      await writeFile(path, bytes);
      const engine = createTensorFlowEngine(engineFolder!);
      const opened = await engine.open({ path, outputName: null, digest });
      return { engine, opened };
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'layercache-saved-'));
    });
    afterAll(async () => {
      await rm(folder, { recursive: true });
    });

    test('that is flat is cut and answers like the graph model it was', async () => {
      const bytes = signedSavedModel(await frozen(), input, output);
      const { engine, opened } = await openSaved(bytes);
      expect(opened).toMatchObject({
        format: 'SavedModel',
        digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
        inputs: [{ name: 'image', shape: [-1, 16, 16, 3] }],
        outputName: 'logits',
      });
      const cuts = ['stem', 'block1'].map((tensorName) => ({
        tensor: tensorName,
        heads: [],
        samplePool: null,
      }));
      const rows = seededRandom(3);
      const values = Float32Array.from({ length: 2 * 768 }, () => rows.normal());
      const plan = await engine.plan(cuts);
      let activation = engine.upload(values, 2);
      for (const cut of cuts.keys()) {
        const want = { heads: [], pooled: false };
        ({ activation } = await engine.run(plan, cut, activation, want));
      }
      const [found] = await engine.output(plan, activation);
      await engine.close();
      expectClose(found!, await reference(model, 'dense_out', values, 2), { rel: 1e-4, abs: 1e-5 });
    });

    test('with its layers in a function, or its weights in variables, is refused with the way', async () => {
      for (const op of ['StatefulPartitionedCall', 'VarHandleOp']) {
        const nodes = [
          placeholder('input', [16, 16, 3]),
          { name: 'dense_out', op, inputs: ['input'], attributes: {} },
        ];
        await expect(openSaved(signedSavedModel(nodes, input, output))).rejects.toMatchObject({
          code: 'UnsupportedModel',
          message: expect.stringMatching(
            new RegExp(`\\(${op}\\).*tensorflowjs_converter --input_format=tf_saved_model`),
          ) as string,
        });
      }
    });

    test('that is damaged, or another one, is told as such', async () => {
      const bytes = signedSavedModel(await frozen(), input, output);
      for (const damaged of [new Uint8Array(0), bytes.subarray(0, bytes.length - 9)]) {
        await expect(openSaved(damaged)).rejects.toMatchObject({ code: 'ModelUnreadable' });
      }
      await expect(openSaved(bytes, 'sha256:00')).rejects.toMatchObject({ code: 'DigestMismatch' });
    });
  });

  describe('what cannot be served is refused:', () => {
    const refusal = async (json: object): Promise<unknown> => {
      const path = await write({ ...residualNet(), json: json as TfjsTestModel['json'] });
      const engine = createTensorFlowEngine(engineFolder!);
      return engine.open({ path, outputName: null, digest: null }).catch((error: unknown) => error);
    };

    test('an operator that TensorFlow lacks', async () => {
      const text = JSON.stringify(residualNet().json).replaceAll('"op":"Relu"', '"op":"NewRelu"');
      expect(await refusal(JSON.parse(text) as object)).toMatchObject({
        code: 'UnsupportedModel',
        message: expect.stringMatching(/TensorFlow cannot run .*NewRelu/) as string,
      });
    });

    test('a layers model, with the way to bring it over', async () => {
      const { weightsManifest } = residualNet().json;
      const layers = {
        format: 'layers-model',
        modelTopology: { model_config: {} },
        weightsManifest,
      };
      expect(await refusal(layers)).toMatchObject({
        code: 'UnsupportedModel',
        message: expect.stringMatching(/--output_format=tfjs_graph_model.*TFJSWASM/) as string,
      });
    });
  });

  test('the shape of a tensor before a cut is made again, every dimension of it', async () => {
    const engine = createTensorFlowEngine(engineFolder!);
    const { cuts } = await engine.open({
      path: await write(oblongNet()),
      outputName: null,
      digest: null,
    });
    expect(cuts.map(({ tensor: name }) => name)).toContain('stem');
    const random = seededRandom(8);
    const rows = Float32Array.from({ length: 3 * 8 * 16 * 3 }, () => random.normal());
    const [whole] = await engine.output(await engine.plan([]), engine.upload(rows, 3));
    const plan = await engine.plan([{ tensor: 'stem', heads: [], samplePool: null }]);
    const want = { heads: [], pooled: false };
    const { activation } = await engine.run(plan, 0, engine.upload(rows, 3), want);
    const [cut] = await engine.output(plan, activation);
    expectClose(cut!, whole!, { rel: 1e-5, abs: 1e-5 });
    await engine.close();
  });

  test('a head on features that are not finite gives NaN, in that row alone', async () => {
    const engine = createTensorFlowEngine(engineFolder!);
    await engine.open({ path: await write(residualNet()), outputName: null, digest: null });
    for (const hidden of [0, 64] as const) {
      const head = engine.prepareHead(
        aHead({ tensor: 'stem', featureCount: 8, pool: 1, hidden, classCount: 10, seed: 2 }),
      );
      for (const bad of [NaN, Infinity, -Infinity]) {
        const features = new Float32Array(3 * 8).fill(0.5);
        features[8 + 3] = bad;
        const logits = await engine.runHead(head, features, 3);
        const isNaNIn = [0, 1, 2].map((row) =>
          [...logits.slice(row * 10, row * 10 + 10)].map(Number.isNaN),
        );
        expect(isNaNIn).toEqual(
          [false, true, false].map((is) => Array.from({ length: 10 }, () => is)),
        );
      }
      engine.releaseHead(head);
    }
    await engine.close();
  });

  test('the number of tensors is flat over heads, batches and refused calls', async () => {
    const addon = loadAddon(engineFolder!);
    const engine = createTensorFlowEngine(engineFolder!);
    const path = await write(residualNet());
    const counts = (): [number, number] => [addon.getNumOfTensors(), addon.getNumOfSavedModels()];
    const atRest = counts();
    const { plan, round } = await swapRounds(engine, path);
    for (let index = 0; index < 5; index += 1) await round();
    const [warm, startRss] = [counts(), process.memoryUsage.rss()];
    for (let index = 0; index < 400; index += 1) await round();
    expect(counts()).toEqual(warm);
    expect(process.memoryUsage.rss() - startRss).toBeLessThan(48e6);
    await engine.releasePlan(plan);
    await engine.close();
    expect(counts()).toEqual(atRest);
  });
});

/** Weights made smaller as the converter does it. */
function quantised(model: TfjsTestModel, dtype: 'uint8' | 'uint16' | 'float16'): TfjsTestModel {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const { weights } = model;
  const specs = model.json.weightsManifest[0]!.weights.map((spec) => {
    const count = spec.shape.reduce((all, dim) => all * dim, 1);
    const bytes = weights.slice(offset, offset + count * 4);
    offset += count * 4;
    if (spec.dtype === 'int32') {
      parts.push(bytes);
      return spec;
    }
    const values = [...new Float32Array(new Uint8Array(bytes).buffer)];
    if (dtype === 'float16') {
      parts.push(new Uint8Array(Uint16Array.from(values, toHalf).buffer));
      return { ...spec, quantization: { dtype } };
    }
    const min = Math.min(...values);
    const steps = dtype === 'uint8' ? 255 : 65_535;
    const scale = (Math.max(...values) - min) / steps || 1;
    const stored = values.map((value) => Math.round((value - min) / scale));
    parts.push(
      dtype === 'uint8' ? Uint8Array.from(stored) : new Uint8Array(Uint16Array.from(stored).buffer),
    );
    return { ...spec, quantization: { dtype, scale, min } };
  });
  const weightsManifest = [{ paths: ['group1-shard1of1.bin'], weights: specs }];
  return { ...model, weights: Buffer.concat(parts), json: { ...model.json, weightsManifest } };
}
