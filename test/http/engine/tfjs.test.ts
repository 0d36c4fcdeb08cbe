import { memory } from '@tensorflow/tfjs-core';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createTfjsEngine } from '../../../server/engine/tfjs/tfjs-engine.ts';
import type { TfjsTestModel } from '../../support/tfjs-models/graph-writer.ts';
import { modelFolders } from '../../support/tfjs-models/model-folder.ts';
import {
  attentionNet,
  residualNet,
  separableNet,
  uncuttableNet,
} from '../../support/tfjs-models/networks.ts';
import { describeGraphModels } from './graph-models.ts';
import { swapRounds } from './swap-rounds.ts';

const { write, remove } = modelFolders();

afterAll(remove);

describeGraphModels(() => createTfjsEngine('wasm'), write);

async function open(path: string, more: { outputName?: string; digest?: string } = {}) {
  const engine = createTfjsEngine('wasm');
  try {
    return await engine.open({ path, outputName: null, digest: null, ...more });
  } finally {
    await engine.close();
  }
}

describe('opening', () => {
  test('the signature names input and outputs', async () => {
    const model = await open(await write(residualNet()));
    expect(model).toMatchObject({
      format: 'TFJSGraphModel',
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 16, 16, 3] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 10] }],
      outputName: 'logits',
      outputKind: 'Logits',
    });
    expect((await open(await write(separableNet()))).outputKind).toBe('Probabilities');
  });

  test('multiply-adds are those of the shapes', async () => {
    const blocks = 256 * 9 * 64 * 2 + 64 * (9 * 8 * 16 + 9 * 256 + 8 * 16) + 64 * 9 * 256 * 2;
    const { macs } = await open(await write(residualNet()));
    expect(macs).toBe(256 * 27 * 8 + blocks + 160);
  });

  test('the digest is that of the sorted list of its files', async () => {
    const path = await write(residualNet());
    const names = ['model.json', 'group1-shard1of2.bin', 'group1-shard2of2.bin'];
    const sha256 = (bytes: Uint8Array | string): string =>
      createHash('sha256').update(bytes).digest('hex');
    const lines = await Promise.all(
      names.map(async (name) => `${sha256(await readFile(join(dirname(path), name)))}  ${name}\n`),
    );
    const digest = `sha256:${sha256(lines.sort().join(''))}`;
    expect((await open(path, { digest })).digest).toBe(digest);
    await expect(open(path, { digest: 'sha256:00' })).rejects.toMatchObject({
      code: 'DigestMismatch',
    });
  });

  test('a backbone that cannot be cut says which tensor is in the way', async () => {
    const model = await open(await write(uncuttableNet()));
    expect(model.cuts).toEqual([]);
    expect(model.rejectedCuts.map(({ reason }) => reason).join()).toMatch(
      /input \(last read by the \w+ that makes \S+\) is needed after it/,
    );
  });

  test('notes beside the model fill in free sizes of images', async () => {
    const model = residualNet();
    const { format, modelTopology, weightsManifest } = structuredClone(model.json);
    const free = { format, modelTopology, weightsManifest };
    const { node } = modelTopology as { node: { attr: object }[] };
    node[0]!.attr = {
      dtype: { type: 'DT_FLOAT' },
      shape: { shape: { dim: [-1, -1, -1, 3].map((size) => ({ size: String(size) })) } },
    };
    await expect(open(await write({ ...model, json: free }))).rejects.toThrow(/free dimensions/);
    const path = await write(
      { ...model, json: free },
      {
        input: { image: { width: 16, height: 16 } },
      },
    );
    expect((await open(path)).inputs[0]!.shape).toEqual([-1, 16, 16, 3]);
  });
});

describe('a broken model is refused:', () => {
  const residual = residualNet();
  const withNode = (change: (node: { name: string; op: string }) => void): TfjsTestModel => {
    const json = structuredClone(residual.json);
    const { node } = json.modelTopology as { node: { name: string; op: string }[] };
    for (const each of node) change(each);
    return { ...residual, json };
  };

  test.each([
    [
      'a missing weight file',
      async (path: string) => rm(join(dirname(path), 'group1-shard2of2.bin')),
      'ModelMissing',
      /group1-shard2of2\.bin does not exist; model\.json names it/,
    ],
    [
      'weights cut short',
      async (path: string) => writeFile(join(dirname(path), 'group1-shard2of2.bin'), 'x'),
      'ModelUnreadable',
      /are \d+ bytes, and its weightsManifest says \d+/,
    ],
    [
      'no JSON',
      async (path: string) => writeFile(path, '{"modelTopology":'),
      'ModelUnreadable',
      /model\.json is not JSON/,
    ],
    [
      'other JSON',
      async (path: string) => writeFile(path, '{"name": "x"}'),
      'ModelUnreadable',
      /no TensorFlow\.js model/,
    ],
    ['no file', async (path: string) => rm(path), 'ModelMissing', /model\.json does not exist/],
  ] as const)('%s', async (_, spoil, code, message) => {
    const path = await write(residual);
    await spoil(path);
    await expect(open(path)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  test.each([
    ['an operator that nobody has', 'Relu', 'NewRelu', /NewRelu/],
    ['control flow', 'Relu', 'Switch', /operator Switch .* depends on values/],
    ['a kernel that the backend lacks', 'Relu', 'Erfc', /cannot (run|load) .*Erfc/],
  ] as const)('%s', async (_, from, to, message) => {
    const path = await write(
      withNode((node) => {
        if (node.op === from) node.op = to;
      }),
    );
    await expect(open(path)).rejects.toMatchObject({
      code: 'UnsupportedModel',
      message: expect.stringMatching(message) as string,
    });
  });

  test('a batch of fixed size', async () => {
    await expect(open(await write(residualNet(1, 1)))).rejects.toThrow(/free batch axis/);
  });

  test('an unknown output', async () => {
    await expect(open(await write(residual), { outputName: 'logit' })).rejects.toMatchObject({
      code: 'OutputNotFound',
    });
  });
});

test('the number of tensors is flat over heads, batches and refused calls', async () => {
  const engine = createTfjsEngine('wasm');
  const { round } = await swapRounds(engine, await write(residualNet()));
  for (let index = 0; index < 5; index += 1) await round();
  const [{ numTensors, numBytes }, startRss] = [memory(), process.memoryUsage.rss()];
  // Three heads are swapped in every round.
  for (let index = 0; index < 700; index += 1) await round();
  expect(memory()).toMatchObject({ numTensors, numBytes });
  expect(process.memoryUsage.rss() - startRss).toBeLessThan(48e6);
  const idle = engine.stats();
  expect(idle.activations).toBe(0);
  await engine.close();
});

test('closing leaves no tensor behind', async () => {
  const path = await write(attentionNet());
  const before = memory().numTensors;
  const engine = createTfjsEngine('wasm');
  await engine.open({ path, outputName: null, digest: null });
  await engine.plan([]);
  await engine.close();
  expect(memory().numTensors).toBe(before);
});
