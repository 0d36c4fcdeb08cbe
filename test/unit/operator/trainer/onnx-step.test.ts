import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../server/core/random.ts';
import type { DenseBatch, DenseShape } from '../../../../operator/training/dense-trainer.ts';
import { toTargets } from '../../../../operator/training/loss.ts';
import {
  createReferenceTrainer,
  denseLogits,
  initialWeights,
} from '../../../../operator/training/mlp.ts';
import { createOnnxTrainer } from '../../../../operator/trainer/onnx-step.ts';
import { expectClose } from '../../../support/expect-close.ts';

// Decay large enough to be seen, weights of rows unequal.
const SETTINGS = { alpha: 0.7, temperature: 2, weightDecay: 0.05 };

/** A small world to learn: classes by a random linear map. */
function batches({ featureCount, classCount }: DenseShape): () => DenseBatch {
  const random = createRandom(17);
  const normals = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => random.normal());
  const map = normals(featureCount * classCount);
  return () => {
    const rows = 16;
    const x = normals(rows * featureCount);
    const teacher = denseLogits(
      { w1: map, b1: new Float32Array(classCount), w2: null, b2: null },
      x,
    );
    const classes = Uint32Array.from({ length: rows }, (_, row) => {
      const z = teacher.subarray(row * classCount, (row + 1) * classCount);
      return z.indexOf(Math.max(...z));
    });
    const targets = toTargets(teacher, classes, { classCount, temperature: SETTINGS.temperature });
    return {
      rows,
      x,
      ...targets,
      weight: Float32Array.from(classes, (_, row) => 0.5 + row / rows),
    };
  };
}

describe('the training step as an ONNX graph', () => {
  test.each([0, 64, 128, 256, 1024] as const)(
    'follows the loss of the reference to 1e-4 over 100 steps, hidden %i',
    async (hidden) => {
      const shape: DenseShape = { featureCount: 12, hidden, classCount: 5 };
      const start = initialWeights(shape, createRandom(4));
      const native = await createOnnxTrainer(shape, start, SETTINGS);
      const reference = await createReferenceTrainer(shape, start, SETTINGS);
      const next = batches(shape);
      let first = NaN;
      let last = NaN;
      for (let step = 0; step < 100; step++) {
        const batch = next();
        const rate = 1e-3 * (1 - step / 100);
        const expected = await reference.step(batch, rate);
        last = await native.step(batch, rate);
        expectClose(last, expected, { rel: 1e-4 });
        if (step === 0) first = last;
      }
      expect(last).toBeLessThan(first);
      expectClose(native.weights().w1, reference.weights().w1, { abs: 1e-3 });
      await native.close();
    },
  );

  test('a shorter batch is the mean over its own rows', async () => {
    const shape: DenseShape = { featureCount: 12, hidden: 64, classCount: 5 };
    const start = initialWeights(shape, createRandom(4));
    const native = await createOnnxTrainer(shape, start, SETTINGS);
    const reference = await createReferenceTrainer(shape, start, SETTINGS);
    const { x, soft, hard, weight } = batches(shape)();
    const short = {
      rows: 3,
      x: x.slice(0, 36),
      soft: soft.slice(0, 15),
      hard: hard.slice(0, 15),
      weight: weight.slice(0, 3),
    };
    expectClose(await native.step(short, 1e-3), await reference.step(short, 1e-3), { rel: 1e-5 });
    await native.close();
  });

  test('logits of given weights equal the definition, over more rows than one run takes', async () => {
    const shape: DenseShape = { featureCount: 12, hidden: 64, classCount: 5 };
    const native = await createOnnxTrainer(shape, initialWeights(shape, createRandom(1)), SETTINGS);
    const other = initialWeights(shape, createRandom(2));
    const random = createRandom(3);
    const x = Float32Array.from({ length: 1500 * 12 }, () => random.normal());
    expectClose(await native.logits(other, x, 1500), denseLogits(other, x), { abs: 1e-4 });
    expect((await native.logits(other, x, 0)).length).toBe(0);
    await native.close();
  });

  test('two trainers of one start go the same way, and starting weights stay as they were', async () => {
    const shape: DenseShape = { featureCount: 12, hidden: 0, classCount: 5 };
    const start = initialWeights(shape, createRandom(4));
    const kept = start.w1.slice();
    const run = async (): Promise<Float32Array> => {
      const trainer = await createOnnxTrainer(shape, start, SETTINGS);
      const next = batches(shape);
      for (let step = 0; step < 5; step++) await trainer.step(next(), 1e-2);
      const { w1 } = trainer.weights();
      await trainer.close();
      return w1;
    };
    expect(await run()).toEqual(await run());
    expect(start.w1).toEqual(kept);
  });

  test('weights of a shallower head are refused', async () => {
    const shallow = initialWeights({ featureCount: 12, hidden: 0, classCount: 5 }, createRandom(1));
    const deep: DenseShape = { featureCount: 12, hidden: 64, classCount: 5 };
    await expect(createOnnxTrainer(deep, shallow, SETTINGS)).rejects.toThrow();
  });
});
