// What every engine must do. An engine joins by calling `describeEngine` with the models it reads.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BundleHead, HiddenSize, PoolSize } from '../../../crds/wire/head-bundle.ts';
import { runHead, toHeadWeights } from '../../../server/core/head.ts';
import { poolActivation } from '../../../server/core/pool.ts';
import type {
  Activation,
  ModelDescription,
  PlannedCut,
  SegmentEngine,
  SegmentPlan,
} from '../../../server/engine/segment-engine.ts';
import { expectClose } from '../../support/expect-close.ts';
import { aHead } from '../../support/onnx-models/random-head.ts';
import { seededRandom } from '../../support/seeded-random.ts';

export interface ConformanceCase {
  readonly name: string;
  readonly create: () => SegmentEngine;
  readonly path: () => string;
  /** Cuts as tensor names, in order. */
  readonly cuts: readonly string[];
  /** Of the reference's maps. */
  readonly layout: 'NCHW' | 'NHWC';
  /** The tensor's values for these rows, from a runtime without segments. */
  readonly reference: (tensor: string, input: Float32Array, rows: number) => Promise<Float32Array>;
}

const NOTHING = { heads: [], pooled: false } as const;
const ROWS = 5;
/** Single-precision sums in another order. */
const NEAR = { rel: 1e-5, abs: 1e-5 } as const;
/** Of the widest heads there are so many that a process which keeps them grows by this, whatever the model; onnxruntime by 150 MB (measured). */
const SWAPPED_BYTES = 100e6;
const WIDEST: HiddenSize = 1024;

export function describeEngine(subject: ConformanceCase): void {
  describe(subject.name, () => {
    let engine: SegmentEngine;
    let model: ModelDescription;
    let input: Float32Array;
    let whole: SegmentPlan;

    beforeAll(async () => {
      engine = subject.create();
      model = await engine.open({ path: subject.path(), outputName: null, digest: null });
      input = randomRows(model, ROWS);
      whole = await engine.plan([]);
    });

    afterAll(async () => {
      await engine.close();
    });

    const upload = (rows = ROWS): Activation =>
      engine.upload(input.slice(0, (input.length / ROWS) * rows), rows);
    const bare = (tensor: string): PlannedCut => ({ tensor, heads: [], samplePool: null });
    const cutNamed = (tensor: string): ModelDescription['cuts'][number] =>
      model.cuts.find((cut) => cut.tensor === tensor)!;
    const wholeOutput = async (rows = ROWS): Promise<Float32Array> =>
      (await engine.output(whole, upload(rows)))[0]!;

    async function through(plan: SegmentPlan, start: Activation): Promise<Float32Array> {
      let activation = start;
      for (const cut of plan.cuts.keys()) {
        ({ activation } = await engine.run(plan, cut, activation, NOTHING));
      }
      return (await engine.output(plan, activation))[0]!;
    }

    test('the cuts of the backbone are found in its order', () => {
      expect(model.cuts.map(({ tensor }) => tensor)).toEqual(subject.cuts);
      const shares = model.cuts.map(({ macsShare }) => macsShare);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
    });

    test('segments answer what the whole backbone answers', async () => {
      const plan = await engine.plan(subject.cuts.map(bare));
      expectClose(await through(plan, upload()), await wholeOutput(), NEAR);
      await engine.releasePlan(plan);
    });

    test('pooled features equal the definition on the activation', async () => {
      for (const tensor of subject.cuts) {
        const { channels, height, width, pool } = cutNamed(tensor);
        const plan = await engine.plan([{ tensor, heads: [], samplePool: pool }]);
        const { pooled, activation } = await engine.run(plan, 0, upload(), {
          heads: [],
          pooled: true,
        });
        engine.discard(activation);
        const shape = { rows: ROWS, channels, height, width };
        const values = await subject.reference(tensor, input.slice(), ROWS);
        const layout = height > 1 && width > 1 ? subject.layout : 'NHWC';
        expectClose(pooled!, poolActivation(values, { ...shape, layout }, pool), NEAR);
        await engine.releasePlan(plan);
      }
    });

    test('heads inside a segment equal the definition, two at a time', async () => {
      for (const [index, tensor] of subject.cuts.entries()) {
        const { pool } = cutNamed(tensor);
        const heads = [headFor(tensor, pool, 64, index), headFor(tensor, 1, 0, index + 100)];
        const plan = await engine.plan([{ tensor, heads: heads.map(shapeOf), samplePool: pool }]);
        const prepared = heads.map((head) => engine.prepareHead(head));
        const result = await engine.run(plan, 0, upload(), { heads: prepared, pooled: true });
        engine.discard(result.activation);
        const coarse = await pooledAt(tensor, 1);
        for (const [slot, features] of [result.pooled!, coarse].entries()) {
          const weights = toHeadWeights(heads[slot]!, model.classCount);
          expectClose(result.logits[slot]!, runHead(weights, features, ROWS), {
            rel: 1e-5,
            abs: 5e-5,
          });
        }
        await engine.releasePlan(plan);
      }
    });

    async function pooledAt(tensor: string, pool: PoolSize): Promise<Float32Array> {
      const plan = await engine.plan([{ tensor, heads: [], samplePool: pool }]);
      const { activation, pooled } = await engine.run(plan, 0, upload(), {
        heads: [],
        pooled: true,
      });
      engine.discard(activation);
      await engine.releasePlan(plan);
      return pooled!;
    }

    test('a head alone gives what it gives inside a segment', async () => {
      const [tensor] = subject.cuts;
      const { pool } = cutNamed(tensor!);
      const head = headFor(tensor!, pool, 64, 3);
      const alone = await engine.runHead(
        engine.prepareHead(head),
        await pooledAt(tensor!, pool),
        ROWS,
      );
      const plan = await engine.plan([
        { tensor: tensor!, heads: [shapeOf(head)], samplePool: null },
      ]);
      const want = { heads: [engine.prepareHead(head)], pooled: false };
      const { activation, logits } = await engine.run(plan, 0, upload(), want);
      engine.discard(activation);
      expectClose(logits[0]!, alone, NEAR);
      await engine.releasePlan(plan);
    });

    test('heads come and go without growth', () => {
      const [tensor] = subject.cuts;
      const head = headFor(tensor!, cutNamed(tensor!).pool, WIDEST, 3);
      const count = Math.ceil(SWAPPED_BYTES / (4 * WIDEST * head.featureCount));
      const swaps = (): void => {
        for (let i = 0; i < count; i += 1) engine.releaseHead(engine.prepareHead(head));
      };
      // The heap of the process takes its size once.
      swaps();
      const before = process.memoryUsage.rss();
      swaps();
      expect(process.memoryUsage.rss() - before).toBeLessThan(SWAPPED_BYTES / 2);
    });

    test('compacted rows answer what they answer in the whole batch', async () => {
      const plan = await engine.plan(subject.cuts.slice(0, 1).map(bare));
      const { activation } = await engine.run(plan, 0, upload(), NOTHING);
      const kept = [1, 2, 4];
      const compacted = engine.compact(activation, kept);
      expect(compacted.rows).toBe(kept.length);
      const answers = (await engine.output(plan, compacted))[0]!;
      const all = await wholeOutput();
      const rows = kept.map((row) =>
        all.slice(row * model.classCount, (row + 1) * model.classCount),
      );
      expectClose(
        answers,
        rows.flatMap((row) => [...row]),
        NEAR,
      );
      await engine.releasePlan(plan);
    });

    test('a row answers the same whatever the size of its batch', async () => {
      expectClose(await wholeOutput(1), (await wholeOutput()).slice(0, model.classCount), NEAR);
    });

    test('bytes are the numbers they stand for', async () => {
      const bytes = Uint8Array.from(input, (value) => 128 + 60 * Math.tanh(value));
      const [fromBytes] = await engine.output(whole, engine.upload(bytes, ROWS));
      const [fromFloats] = await engine.output(
        whole,
        engine.upload(Float32Array.from(bytes), ROWS),
      );
      expect(fromBytes).toEqual(fromFloats);
    });

    test('a non-finite row spoils neither its batch-mates nor hides in a head', async () => {
      const size = input.length / ROWS;
      const [tensor] = subject.cuts;
      const { pool } = cutNamed(tensor!);
      const head = headFor(tensor!, pool, 64, 5);
      const plan = await engine.plan([
        { tensor: tensor!, heads: [shapeOf(head)], samplePool: pool },
      ]);
      const clean = await wholeOutput();
      for (const bad of [NaN, Infinity, -Infinity]) {
        const spoilt = input.slice();
        spoilt.fill(bad, size, 2 * size);
        const want = { heads: [engine.prepareHead(head)], pooled: true };
        const result = await engine.run(plan, 0, engine.upload(spoilt, ROWS), want);
        const features = result.pooled!.subarray(
          (result.pooled!.length / ROWS) * 1,
          (result.pooled!.length / ROWS) * 2,
        );
        // Rectifiers may swallow -Infinity; what heads see non-finite, their logits must show.
        if (!features.every(Number.isFinite)) {
          const logits = result.logits[0]!.slice(model.classCount, 2 * model.classCount);
          expect([...logits].every(Number.isNaN)).toBe(true);
        }
        const [answers] = await engine.output(plan, result.activation);
        expectClose(answers!.slice(0, model.classCount), clean.slice(0, model.classCount), NEAR);
        expectClose(answers!.slice(2 * model.classCount), clean.slice(2 * model.classCount), NEAR);
      }
      await engine.releasePlan(plan);
    });

    test('an activation is used once, and only where it belongs', async () => {
      const plan = await engine.plan(subject.cuts.slice(0, 1).map(bare));
      const start = upload();
      const { activation } = await engine.run(plan, 0, start, NOTHING);
      await expect(engine.run(plan, 0, start, NOTHING)).rejects.toThrow('used twice');
      const other = upload();
      await expect(engine.output(plan, other)).rejects.toThrow('was passed to the segment');
      engine.discard(activation);
      expect(() => {
        engine.discard(activation);
      }).toThrow('used twice');
      await engine.releasePlan(plan);
      await expect(engine.run(plan, 0, upload(), NOTHING)).rejects.toThrow('was released');
    });

    test('an unknown tensor is refused with the nearest cuts', async () => {
      const [tensor] = subject.cuts;
      const asked = engine.plan([bare(`${tensor!}x`)]);
      await expect(asked).rejects.toMatchObject({ code: 'TensorNotFound' });
      await expect(asked).rejects.toThrow(tensor!);
    });

    test('a head for other features is refused', async () => {
      const [tensor] = subject.cuts;
      const heads = [{ pool: 1, hidden: 0, featureCount: 3 }] as const;
      const asked = engine.plan([{ tensor: tensor!, heads, samplePool: null }]);
      await expect(asked).rejects.toMatchObject({ code: 'HeadMismatch' });
    });

    test('the cost table has a figure for every size and segment', async () => {
      const plan = await engine.plan(subject.cuts.slice(0, 2).map(bare));
      const costs = await engine.measure(plan, [1, 2]);
      expect(costs.cuts).toEqual(subject.cuts.slice(0, 2));
      expect(costs.segmentMs.map((row) => row.length)).toEqual([3, 3]);
      expect([...costs.plainMs, ...costs.segmentMs.flat()].every((ms) => ms > 0)).toBe(true);
      await engine.releasePlan(plan);
    });

    test('repeated use holds on to nothing', async () => {
      const plan = await engine.plan(subject.cuts.map(bare));
      const before = engine.stats();
      for (let round = 0; round < 5; round += 1) await through(plan, upload());
      const startBytes = process.memoryUsage.rss();
      for (let round = 0; round < 40; round += 1) await through(plan, upload(1 + (round % ROWS)));
      expect(process.memoryUsage.rss() - startBytes).toBeLessThan(64 * 2 ** 20);
      expect(engine.stats()).toEqual(before);
      await engine.releasePlan(plan);
      // Only the plan of the whole backbone is left, and what a test above spent on purpose.
      expect(engine.stats().plans).toBe(1);
    });

    function headFor(tensor: string, pool: PoolSize, hidden: HiddenSize, seed: number): BundleHead {
      const featureCount = pool * pool * cutNamed(tensor).channels;
      return aHead({ tensor, featureCount, pool, hidden, classCount: model.classCount, seed });
    }
  });
}

function shapeOf({ pool, hidden, featureCount }: BundleHead): PlannedCut['heads'][number] {
  return { pool, hidden, featureCount };
}

function randomRows(model: ModelDescription, rows: number): Float32Array {
  const size = model.inputs[0]!.shape.slice(1).reduce((all, dim) => all * dim, 1);
  const random = seededRandom(77);
  return Float32Array.from({ length: rows * size }, () => random.normal());
}
