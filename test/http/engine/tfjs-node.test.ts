import { loadGraphModelSync } from '@tensorflow/tfjs-converter';
import { io, tensor, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { afterAll, beforeAll, describe } from 'vitest';
import { createTensorFlowEngine } from '../../../server/engine/tensorflow/tensorflow-engine.ts';
import type { TfjsTestModel } from '../../support/tfjs-models/graph-writer.ts';
import { modelFolder, type ModelFolder } from '../../support/tfjs-models/model-folder.ts';
import {
  ambiguousNet,
  attentionNet,
  residualNet,
  separableNet,
} from '../../support/tfjs-models/networks.ts';
import { engineFolder } from '../../support/native-tensorflow.ts';
import { describeEngine } from './conformance.ts';
import { describeTwoOutputs } from './two-outputs.ts';

const folders: ModelFolder[] = [];

async function write(
  model: Pick<TfjsTestModel, 'json' | 'weights'>,
  notes?: object,
): Promise<string> {
  const folder = await modelFolder(model, notes);
  folders.push(folder);
  return folder.path;
}

beforeAll(async () => {
  await setBackend('wasm');
});

afterAll(async () => {
  for (const folder of folders) await folder.remove();
});

/** TensorFlow.js on the whole graph, with the tensor as its output. */
function reference(
  { json, weights, rowDims }: TfjsTestModel,
  name: string,
  input: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const model = loadGraphModelSync(
    io.fromMemorySync({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap((group) =>
        group.weights.map((spec) => ({ ...spec, shape: [...spec.shape] })),
      ),
      weightData: new Uint8Array(weights).buffer,
    }),
  );
  const fed = tensor(input, [rows, ...rowDims]);
  const found = model.execute({ input: fed }, [name]) as Tensor;
  const values = Float32Array.from(found.dataSync());
  for (const each of [found, fed]) each.dispose();
  model.dispose();
  return Promise.resolve(values);
}

const networks = [
  { name: 'a residual network', model: residualNet(), cuts: ['stem', 'block0', 'block1'] },
  {
    name: 'a depthwise-separable network at 112 x 112',
    model: separableNet(),
    cuts: ['stem', 'depth0', 'point0', 'depth1', 'point1', 'depth2', 'point2'],
  },
  {
    name: 'an attention network',
    model: attentionNet(),
    cuts: ['patches', 'attended0', 'mixed0', 'attended1'],
  },
] as const;

describe.skipIf(engineFolder === null)('native TensorFlow', () => {
  for (const { name, model, cuts } of networks) {
    let path = '';
    beforeAll(async () => {
      path = await write(model);
    });
    describeEngine({
      name,
      cuts,
      create: () => createTensorFlowEngine(engineFolder!),
      layout: 'NHWC',
      path: () => path,
      reference: (tensorName, input, rows) => reference(model, tensorName, input, rows),
    });
  }

  let twoOutputs = '';
  beforeAll(async () => {
    twoOutputs = await write(ambiguousNet());
  });
  describeTwoOutputs({
    create: () => createTensorFlowEngine(engineFolder!),
    path: () => twoOutputs,
    reference: (tensorName, input, rows) => reference(ambiguousNet(), tensorName, input, rows),
  });
});
