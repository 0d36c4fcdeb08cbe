import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { mergeSamples } from '../../../../operator/training/dataset.ts';
import type {
  DenseTrainer,
  DenseTrainerFactory,
  DenseWeights,
} from '../../../../operator/training/dense-trainer.ts';
import { distill, type DistillTask } from '../../../../operator/training/distill.ts';
import { createJobRunner, type HeadJob } from '../../../../operator/training/head-job.ts';
import { createReferenceTrainer, denseLogits } from '../../../../operator/training/mlp.ts';
import { quantise, toDense, toFloat16, toInt8 } from '../../../../operator/training/quantise.ts';
import { FULL_TRAINING } from '../../../../operator/training/settings.ts';
import { createWeightAverage } from '../../../../operator/training/weight-average.ts';
import { BACKBONE_DIGEST } from '../../../support/builders.ts';
import { aSampleBatch } from '../../../support/sample-batches.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { dequantize } from '../../../../crds/wire/head-bundle.ts';

const SETTINGS = { ...FULL_TRAINING, epochs: 6, batchRows: 32, averaging: 0 };

const matrix = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, columns]) =>
    fc.record({
      columns: fc.constant(columns),
      values: fc.array(fc.float({ min: -100, max: 100, noNaN: true }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      }),
    }),
  );

describe('rounding weights', () => {
  test('int8 is off by at most half a step of its column, and zeros stay zeros', () => {
    fc.assert(
      fc.property(matrix, ({ columns, values }) => {
        const exact = Float32Array.from(values);
        const rounded = dequantize(toInt8(exact, columns));
        exact.forEach((value, i) => {
          const column = exact.filter((_, k) => k % columns === i % columns);
          const step = Math.max(...column.map(Math.abs)) / 127;
          expect(Math.abs(rounded[i]! - value)).toBeLessThanOrEqual(0.501 * step + 1e-30);
        });
      }),
      { seed: 5 },
    );
  });

  test('fp16 is off by at most 2^-11 of the value', () => {
    fc.assert(
      fc.property(matrix, ({ columns, values }) => {
        const exact = Float32Array.from(values);
        const rounded = dequantize(toFloat16(exact, columns));
        exact.forEach((value, i) => {
          expect(Math.abs(rounded[i]! - value)).toBeLessThanOrEqual(
            Math.abs(value) / 2048 + 2 ** -25,
          );
        });
      }),
      { seed: 6 },
    );
  });

  test('a head comes back with its shape: both layers rounded, biases untouched', () => {
    const random = seededRandom(1);
    const normals = (count: number): Float32Array =>
      Float32Array.from({ length: count }, () => random.normal());
    const deep: DenseWeights = { w1: normals(12), b1: normals(4), w2: normals(8), b2: normals(2) };
    const rounded = quantise(deep, 'int8');
    expect(rounded.w1).toMatchObject({ rows: 3, columns: 4 });
    expect(rounded.w2).toMatchObject({ rows: 4, columns: 2 });
    expect(toDense(rounded).b2).toBe(deep.b2);
    const linear = quantise({ ...deep, w2: null, b2: null }, 'float16');
    expect(toDense(linear)).toMatchObject({ w2: null, b2: null });
  });
});

function aTask(fields: Partial<DistillTask> = {}): DistillTask {
  const random = seededRandom(2);
  const rows = 160;
  const teacherClass = Uint32Array.from({ length: rows }, (_, i) => i % 2);
  const numbers = (from: number, to: number): Uint32Array =>
    Uint32Array.from({ length: to - from }, (_, i) => from + i);
  return {
    shape: { featureCount: 3, hidden: 0, classCount: 2 },
    x: Float32Array.from({ length: rows * 3 }, (_, i) => {
      const side = Math.floor(i / 3) % 2 === 0 ? 1 : -1;
      return i % 3 === 0 ? 2 * side + random.normal() : random.normal();
    }),
    teacher: Float32Array.from({ length: rows * 2 }, (_, i) =>
      Math.floor(i / 2) % 2 === i % 2 ? 0 : -4,
    ),
    teacherClass,
    weight: new Float32Array(rows).fill(1),
    trainingRows: numbers(0, 120),
    validationRows: numbers(120, 160),
    budget: 0.05,
    seed: [1],
    ...fields,
  };
}

/** A trainer whose weights say how many epochs it has done; `logitsAt` says how well each does. */
function scriptedTrainer(
  stepsPerEpoch: number,
  logitsAt: (epoch: number, rows: number) => Float32Array,
): { factory: DenseTrainerFactory; closed: () => number } {
  let closed = 0;
  const factory: DenseTrainerFactory = () => {
    let steps = 0;
    const trainer: DenseTrainer = {
      step: () => Promise.resolve(++steps),
      weights: () => ({
        w1: Float32Array.of(steps / stepsPerEpoch),
        b1: new Float32Array(1),
        w2: null,
        b2: null,
      }),
      logits: (weights, _, rows) => Promise.resolve(logitsAt(weights.w1[0]!, rows)),
      close: () => {
        closed += 1;
        return Promise.resolve();
      },
    };
    return Promise.resolve(trainer);
  };
  return { factory, closed: () => closed };
}

describe('distillation', () => {
  test('learns the classes of the backbone', async () => {
    const task = aTask();
    const { weights } = await distill(
      task,
      { ...SETTINGS, epochs: 30, learningRate: 0.05 },
      createReferenceTrainer,
    );
    const logits = denseLogits(weights, task.x);
    const right = task.teacherClass.filter(
      (c, row) => (logits[2 * row + 1]! > logits[2 * row]! ? 1 : 0) === c,
    );
    expect(right.length).toBeGreaterThan(150);
  });

  test('equal seeds give equal weights, others do not', async () => {
    const run = (seed: number): ReturnType<typeof distill> =>
      distill(aTask({ seed: [seed] }), SETTINGS, createReferenceTrainer);
    expect(await run(1)).toEqual(await run(1));
    expect(await run(1)).not.toEqual(await run(2));
  });

  test('without dropped features it still trains', async () => {
    const { epoch } = await distill(
      aTask(),
      { ...SETTINGS, inputDropout: 0, mixup: 0 },
      createReferenceTrainer,
    );
    expect(epoch).toBeGreaterThan(0);
  });

  test('ends after its patience and keeps the epoch of least loss while disagreements are few', async () => {
    // Right everywhere; nearest to the backbone at epoch 2.
    const { factory, closed } = scriptedTrainer(3, (epoch, rows) =>
      Float32Array.from(
        { length: rows * 2 },
        (_, i) => (Math.floor(i / 2) % 2 === i % 2 ? 1 : -1) * (2 - 0.5 * Math.abs(epoch - 2)),
      ),
    );
    const settings = { ...SETTINGS, epochs: 30, patience: 3 };
    expect((await distill(aTask(), settings, factory)).epoch).toBe(2);
    expect(closed()).toBe(1);
  });

  test('keeps the epoch that ranks best once there are disagreements enough', async () => {
    // Always half wrong (80 of 160 rows); at epoch 3 the wrong rows are the unsure ones.
    const { factory } = scriptedTrainer(3, (epoch, rows) =>
      Float32Array.from({ length: rows * 2 }, (_, i) => {
        const row = Math.floor(i / 2);
        const isWrong = row % 4 < 2;
        const sure = isWrong === (epoch !== 3) ? 3 : 1;
        return (row % 2 === i % 2) === !isWrong ? sure : 0;
      }),
    );
    const all = Uint32Array.from({ length: 160 }, (_, i) => i);
    const task = aTask({ validationRows: all });
    expect((await distill(task, { ...SETTINGS, epochs: 5 }, factory)).epoch).toBe(3);
  });

  test('needs rows and closes its trainer when a step fails', async () => {
    await expect(
      distill(aTask({ trainingRows: new Uint32Array(0) }), SETTINGS, createReferenceTrainer),
    ).rejects.toThrow(InvariantError);
    const { factory, closed } = scriptedTrainer(3, () => {
      throw new Error('native');
    });
    await expect(distill(aTask(), SETTINGS, factory)).rejects.toThrow('native');
    expect(closed()).toBe(1);
    await expect(distill(aTask(), { ...SETTINGS, epochs: 0 }, factory)).rejects.toThrow(
      InvariantError,
    );
  });
});

describe('a head job', () => {
  const data = mergeSamples([aSampleBatch({ rows: 300 })], {
    backboneDigest: BACKBONE_DIGEST,
    classCount: 4,
  });
  const rows = Uint32Array.from({ length: 300 }, (_, i) => i);
  const job: HeadJob = {
    source: data.exits[1]!,
    pool: 2,
    hidden: 0,
    targets: data,
    split: { training: rows.slice(0, 240), validation: rows.slice(240) },
    settings: { ...SETTINGS, learningRate: 0.03 },
    budget: 0.05,
    seed: [1],
  };

  test('judges the rounded weights, not the exact ones', async () => {
    const head = await createJobRunner(createReferenceTrainer)(job);
    expect(head).toMatchObject({ exit: 'late', featureCount: 16, pool: 2, hidden: 0 });
    expect(head.weights.w1.type).toBe('int8');
    expect(head.validationLogits.length).toBe(60 * 4);
    expect(head.found.disagreements).toBeLessThan(12);
  });

  test('keeps fp16 where int8 would rank worse', async () => {
    // A trainer whose rounded weights rank badly unless they are very close to the exact ones.
    const factory: DenseTrainerFactory = async (shape, start, settings) => {
      const trainer = await createReferenceTrainer(shape, start, settings);
      return {
        ...trainer,
        logits: (weights, x) => {
          const off = weights.w1.some((w, i) => Math.abs(w - start.w1[i]!) > Math.abs(w) / 1000);
          const z = denseLogits(weights, x);
          return Promise.resolve(off ? z.map((value, i) => (i % 4 === 0 ? 9 - value : value)) : z);
        },
      };
    };
    const head = await createJobRunner(factory)(job);
    expect(head.weights.w1.type).toBe('float16');
  });
});

describe('the average of weights', () => {
  const at = (value: number): DenseWeights => ({
    w1: Float32Array.of(value),
    b1: Float32Array.of(2 * value),
    w2: null,
    b2: null,
  });

  test('is the mean of the first epochs, then forgets the oldest', () => {
    const average = createWeightAverage(0.5);
    expect(average.add(at(4))).toEqual(at(4));
    expect(average.add(at(8))).toEqual(at(6));
    // From here on the past counts half.
    expect(average.add(at(2))).toEqual(at(4));
  });

  test('without a share of the past it is the last epoch', () => {
    const average = createWeightAverage(0);
    average.add(at(4));
    expect(average.add(at(8))).toEqual(at(8));
  });

  test('leaves what it was given and what it gave alone', () => {
    const average = createWeightAverage(0.9);
    const first = at(4);
    const given = average.add(first);
    average.add(at(8));
    expect([first, given]).toEqual([at(4), at(4)]);
  });
});
