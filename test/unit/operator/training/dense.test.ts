import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { createRandom } from '../../../../server/core/random.ts';
import { adamStep, zeroMoments } from '../../../../operator/training/adam.ts';
import type {
  DenseBatch,
  DenseShape,
  DenseWeights,
} from '../../../../operator/training/dense-trainer.ts';
import { distillationLoss, toTargets } from '../../../../operator/training/loss.ts';
import {
  createReferenceTrainer,
  denseGradient,
  denseLogits,
  initialWeights,
} from '../../../../operator/training/mlp.ts';
import { expectClose } from '../../../support/expect-close.ts';

const SETTINGS = { alpha: 0.7, temperature: 2, weightDecay: 1e-4 };

function aBatch(shape: DenseShape, rows: number): DenseBatch {
  const random = createRandom([5, rows]);
  const { featureCount, classCount } = shape;
  const normals = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => random.normal());
  const classes = Uint32Array.from({ length: rows }, () => random.nextUint32() % classCount);
  return {
    rows,
    x: normals(rows * featureCount),
    ...toTargets(normals(rows * classCount), classes, { classCount, temperature: 2 }),
    weight: Float32Array.from({ length: rows }, () => 0.5 + random.uniform()),
  };
}

function arraysOf(weights: DenseWeights): Float32Array[] {
  return [weights.w1, weights.b1, weights.w2, weights.b2].filter((array) => array !== null);
}

describe('the loss', () => {
  const teacher = Float32Array.of(2, 1, 0);
  const z = Float32Array.of(1, 1.5, 0);
  const targets = toTargets(teacher, Uint32Array.of(0), { classCount: 3, temperature: 2 });

  test('is that of the design for its worked example', () => {
    // Golden numbers: exits.md 4.2.
    const { loss, gradient } = distillationLoss(
      z,
      { rows: 1, ...targets, weight: Float32Array.of(1) },
      { alpha: 0.7, temperature: 2 },
    );
    // Targets are kept in fp32.
    expectClose(loss, 0.4925764445, { rel: 1e-6 });
    expectClose(gradient, [-0.4252869866, 0.355790147, 0.0694968396], { abs: 1e-7 });
  });

  test('grows in proportion to the weight of a row', () => {
    const of = (weight: number): number =>
      distillationLoss(z, { rows: 1, ...targets, weight: Float32Array.of(weight) }, SETTINGS).loss;
    expectClose(of(3), 3 * of(1), { rel: 1e-7 });
  });

  test('does not change when the teacher is shifted, so log-probabilities serve as logits', () => {
    const shifted = toTargets(Float32Array.of(-3, -4, -5), Uint32Array.of(0), {
      classCount: 3,
      temperature: 2,
    });
    expectClose(shifted.soft, targets.soft, { abs: 1e-7 });
  });

  test('takes targets of zero as nothing, even where the head is sure of the class', () => {
    const soft = Float32Array.of(1, 0, 0);
    const { loss } = distillationLoss(
      Float32Array.of(200, -200, -200),
      { rows: 1, soft, hard: soft, weight: Float32Array.of(1) },
      SETTINGS,
    );
    expectClose(loss, 0, { abs: 1e-9 });
  });

  test('a class out of range is no target', () => {
    const { hard } = toTargets(teacher, Uint32Array.of(7), { classCount: 3, temperature: 2 });
    expect([...hard]).toEqual([0, 0, 0]);
  });
});

describe('gradients', () => {
  test.each([0, 64] as const)('equal finite differences to 1e-5, hidden %i', (hidden) => {
    const shape: DenseShape = { featureCount: 5, hidden, classCount: 3 };
    const weights = initialWeights(shape, createRandom(3));
    const batch = aBatch(shape, 7);
    const { gradient } = denseGradient(weights, batch, SETTINGS);
    const random = createRandom(8);
    for (const [k, array] of arraysOf(weights).entries()) {
      for (let probe = 0; probe < 12; probe++) {
        const i = random.nextUint32() % array.length;
        const kept = array[i]!;
        const step = 2e-3;
        const lossAt = (value: number): number => {
          array[i] = value;
          return denseGradient(weights, batch, SETTINGS).loss;
        };
        const numeric = (lossAt(kept + step) - lossAt(kept - step)) / (2 * step);
        array[i] = kept;
        expectClose(arraysOf(gradient)[k]![i]!, numeric, { abs: 1e-5, rel: 1e-3 });
      }
    }
  });
});

describe('adam', () => {
  test('follows its definition for two steps worked by hand', () => {
    const w = Float32Array.of(1);
    const moments = zeroMoments(1);
    // Kingma and Ba 2015, algorithm 1: the first step moves by the rate whatever the gradient's size.
    adamStep(w, Float32Array.of(0.5), moments, { step: 1, learningRate: 0.1, decay: 0 });
    expectClose(w[0]!, 0.9, { abs: 1e-6 });
    adamStep(w, Float32Array.of(-0.25), moments, { step: 2, learningRate: 0.1, decay: 0 });
    // mHat = (0.09*0.5 - 0.1*0.25)/0.19, vHat = (0.999*0.001*0.25 + 0.001*0.0625)/0.001999
    const mHat = (0.9 * 0.05 - 0.1 * 0.25) / 0.19;
    const vHat = (0.999 * 0.00025 + 0.001 * 0.0625) / 0.001999;
    expectClose(w[0]!, 0.9 - (0.1 * mHat) / Math.sqrt(vHat), { abs: 1e-6 });
  });

  test('decay pulls a weight towards zero by the rate, apart from the gradient', () => {
    const w = Float32Array.of(2);
    adamStep(w, Float32Array.of(0), zeroMoments(1), { step: 1, learningRate: 0.1, decay: 0.5 });
    expectClose(w[0]!, 2 - 0.1 * 0.5 * 2, { abs: 1e-6 });
  });
});

describe('the reference trainer', () => {
  const shape: DenseShape = { featureCount: 6, hidden: 64, classCount: 4 };

  test.each([0, 64] as const)('fits 50 rows to their own classes, hidden %i', async (hidden) => {
    const deep = { ...shape, featureCount: 120, hidden };
    const batch = aBatch(deep, 50);
    const own = { ...batch, soft: batch.hard };
    const trainer = await createReferenceTrainer(
      deep,
      initialWeights(deep, createRandom(1)),
      SETTINGS,
    );
    for (let step = 0; step < 600; step++) await trainer.step(own, 1e-2);
    expect(await trainer.step(own, 1e-2)).toBeLessThan(0.02);
    await trainer.close();
  });

  test('hands out copies: nobody can change its weights from outside', async () => {
    const trainer = await createReferenceTrainer(
      shape,
      initialWeights(shape, createRandom(1)),
      SETTINGS,
    );
    trainer.weights().w1.fill(0);
    expect(trainer.weights().w1.some((w) => w !== 0)).toBe(true);
  });

  test('gives the logits of any weights of its shape', async () => {
    const trainer = await createReferenceTrainer(
      shape,
      initialWeights(shape, createRandom(1)),
      SETTINGS,
    );
    const other = initialWeights(shape, createRandom(2));
    const { x } = aBatch(shape, 3);
    expect(await trainer.logits(other, x, 3)).toEqual(denseLogits(other, x));
  });

  test('refuses weights of another shape', () => {
    const weights = initialWeights({ ...shape, featureCount: 5 }, createRandom(1));
    expect(() => createReferenceTrainer(shape, weights, SETTINGS)).toThrow(InvariantError);
  });

  test('initial weights lie within the bound of He and are not all alike', () => {
    const { w1, b1 } = initialWeights(shape, createRandom(1));
    expect(Math.max(...w1.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(Math.max(...w1.map(Math.abs))).toBeGreaterThan(0.9);
    expect([...b1].every((b) => b === 0)).toBe(true);
  });
});
