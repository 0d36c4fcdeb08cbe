import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { anyValue, floatValue } from '../../../server/core/onnx/build-model.ts';
import { cutSegment } from '../../../server/core/onnx/cut-segment.ts';
import { traceFlow } from '../../../server/core/graph/graph-flow.ts';
import { NO_TAIL } from '../../../server/core/onnx/head-graph.ts';
import { readModel } from '../../../server/core/onnx/read-model.ts';
import { createCardEngine, createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import type { TestModel } from '../../support/onnx-models/graph-writer.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import {
  ambiguousNet,
  attentionNet,
  concatenatingNet,
  residualNet,
  separableNet,
  uncuttableNet,
} from '../../support/onnx-models/networks.ts';
import { describeEngine } from './conformance.ts';
import { describeTwoOutputs } from './two-outputs.ts';
import { written } from './written.ts';

const files: ModelFile[] = [];

async function write(model: TestModel, notes?: object): Promise<string> {
  const file = await modelFile(model, notes);
  files.push(file);
  return file.path;
}

afterAll(async () => {
  for (const file of files) await file.remove();
});

/** onnxruntime on the original graph, with the tensor as its output. */
async function reference(
  model: TestModel,
  tensor: string,
  input: Float32Array,
  rows: number,
): Promise<Float32Array> {
  const read = readModel(model.bytes);
  if (!read.ok) throw new Error(read.message);
  const shapes = { rows, shapeOf: new Map() };
  const bytes = cutSegment(read.value, traceFlow(read.value), shapes, {
    input: floatValue('input', ['rows', ...model.rowDims]),
    outputs: [anyValue(tensor)],
    tail: NO_TAIL,
  });
  const session = await InferenceSession.create(bytes);
  const found = await session.run({
    input: new Tensor('float32', input, [rows, ...model.rowDims]),
  });
  await session.release();
  return found[tensor]!.data as Float32Array;
}

const networks = [
  { name: 'a residual network', model: residualNet(), cuts: ['stem', 'block0', 'block1'] },
  {
    name: 'a depthwise-separable network at 224 x 224',
    model: separableNet(),
    cuts: ['stem', 'depth0', 'point0', 'depth1', 'point1', 'depth2', 'point2'],
  },
  {
    name: 'a concatenating network',
    model: concatenatingNet(),
    cuts: ['stem', 'dense0', 'dense1'],
  },
  {
    name: 'an attention network',
    model: attentionNet(),
    cuts: ['patches', 'attended0', 'mixed0', 'attended1'],
  },
] as const;

const onnx = { write, reference };

for (const { model, ...network } of networks) {
  describeEngine({
    ...network,
    ...written(model, onnx),
    create: createOnnxEngine,
    layout: 'NCHW',
  });
}

for (const { model, ...network } of networks.slice(0, 2)) {
  describeEngine({
    ...network,
    name: `${network.name}, cut as on a card`,
    ...written(model, onnx),
    create: createCardEngine,
    layout: 'NCHW',
  });
}

describeEngine({
  name: 'a residual network, two threads a pass',
  cuts: ['stem', 'block0', 'block1'],
  ...written(residualNet(), onnx),
  create: () => createOnnxEngine(undefined, 2),
  layout: 'NCHW',
});

describeTwoOutputs({ create: createCardEngine, ...written(ambiguousNet(), onnx) });
describeTwoOutputs({ create: createOnnxEngine, ...written(ambiguousNet(), onnx) });

describe('opening', () => {
  const open = async (path: string, more: { outputName?: string; digest?: string } = {}) => {
    const engine = createOnnxEngine();
    try {
      return await engine.open({ path, outputName: null, digest: null, ...more });
    } finally {
      await engine.close();
    }
  };

  test('a backbone that cannot be cut says which tensor is in the way', async () => {
    const model = await open(await write(uncuttableNet()));
    expect(model.cuts).toEqual([]);
    const { reason } = model.rejectedCuts.find(({ tensor }) => tensor === 'deep')!;
    expect(reason).toMatch(/input \(last read by the \w+ that makes \S+\) is needed after it/);
  });

  test('the kind of the class output follows its last operator', async () => {
    const kinds = await Promise.all(
      [residualNet(), separableNet(), concatenatingNet()].map(async (model) =>
        open(await write(model)),
      ),
    );
    expect(kinds.map(({ outputKind }) => outputKind)).toEqual([
      'Logits',
      'Probabilities',
      'LogProbabilities',
    ]);
  });

  test('a missing file is named', async () => {
    await expect(open('/nowhere/model.onnx')).rejects.toMatchObject({
      code: 'ModelMissing',
      message: expect.stringContaining('/nowhere/model.onnx') as string,
    });
  });

  test('another digest is refused', async () => {
    const path = await write(residualNet());
    await expect(open(path, { digest: 'sha256:00' })).rejects.toMatchObject({
      code: 'DigestMismatch',
    });
  });

  test('bytes that are no model are refused', async () => {
    const path = await write({ ...residualNet(), bytes: Uint8Array.of(255, 255, 255) });
    await expect(open(path)).rejects.toMatchObject({ code: 'ModelUnreadable' });
  });

  test('an unknown output is refused with the nearest names', async () => {
    const path = await write(residualNet());
    await expect(open(path, { outputName: 'logit' })).rejects.toMatchObject({
      code: 'OutputNotFound',
      message: expect.stringContaining('logits') as string,
    });
  });

  test('notes beside the model that do not parse are refused', async () => {
    const path = await write(residualNet(), { input: { layout: 'CHWN' } });
    await expect(open(path)).rejects.toMatchObject({ code: 'ModelNotesInvalid' });
  });
});

test('bytes are normalised per channel as the notes beside the model say', async () => {
  const notes = {
    input: { layout: 'NCHW', scale: 1 / 255, mean: [0.1, 0.2, 0.3], std: [1, 2, 4] },
  };
  const engine = createOnnxEngine();
  await engine.open({ path: await write(residualNet(), notes), outputName: null, digest: null });
  const plan = await engine.plan([]);
  const bytes = Uint8Array.from({ length: 3 * 256 }, (_, index) => (index * 7) % 256);
  const floats = Float32Array.from(bytes, (value, index) => {
    const channel = Math.floor(index / 256);
    return (value / 255 - notes.input.mean[channel]!) / notes.input.std[channel]!;
  });
  const [fromBytes] = await engine.output(plan, engine.upload(bytes, 1));
  const [fromFloats] = await engine.output(plan, engine.upload(floats, 1));
  expect(fromBytes).toEqual(fromFloats);
  await engine.close();
});
