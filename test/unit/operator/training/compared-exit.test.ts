import { describe, expect, test } from 'vitest';
import { encodeHalf } from '../../../../crds/wire/half-float.ts';
import { parseHeadBundle } from '../../../../crds/wire/head-bundle.ts';
import {
  COMPARISON_VALUES,
  KEY_FRAME,
  NOT_COMPARED,
} from '../../../../crds/wire/previous-frame.ts';
import type { SampleBatch } from '../../../../crds/wire/samples.ts';
import {
  rowsOf,
  splitOf,
  spreadOver,
  targetsOf,
} from '../../../../operator/training/compared-exit.ts';
import { mergeSamples, type Dataset } from '../../../../operator/training/dataset.ts';
import { createJobRunner } from '../../../../operator/training/head-job.ts';
import { createReferenceTrainer } from '../../../../operator/training/mlp.ts';
import { trainHeads, type TrainingOutcome } from '../../../../operator/training/train.ts';
import { BACKBONE_DIGEST } from '../../../support/builders.ts';
import { aSampleBatch, evenCosts } from '../../../support/sample-batches.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const WIDTH = COMPARISON_VALUES + 1;
const EXPECTED = { backboneDigest: BACKBONE_DIGEST, classCount: 2 };

/** Rows of a detector: an exit that compares frames before one that sees what is there. @param losses per row */
function aBatch(losses: readonly number[], valueOf: (row: number) => number): SampleBatch {
  const rows = losses.length;
  const late = { name: 'late', noise: 0.5 };
  const batch = aSampleBatch({ rows, classCount: 2, exits: [late] });
  const values = new Float32Array(rows * WIDTH);
  for (const [row, loss] of losses.entries()) {
    values[row * WIDTH] = loss < 0 ? 0 : valueOf(row);
    values[row * WIDTH + COMPARISON_VALUES] = loss;
  }
  const still = {
    ...{ name: 'still', tensor: 'tensor.still', modelDigest: null },
    ...({ pool: 1, channels: WIDTH, height: 1, width: 1, featureCount: WIDTH } as const),
    compares: 'PreviousFrame',
  } as const;
  return {
    ...batch,
    answerable: [0],
    exits: [still, ...batch.exits],
    features: [encodeHalf(values), ...batch.features],
  };
}

function merged(losses: readonly number[]): Dataset {
  return mergeSamples([aBatch(losses, (row) => row + 1)], EXPECTED);
}

describe('an exit that compares frames', () => {
  const dataset = merged([KEY_FRAME, 0, 1, 10, NOT_COMPARED, 0]);
  const [still, late] = dataset.exits;
  const all = Uint32Array.of(0, 1, 2, 3, 4, 5);

  test('learns whether the earlier answer lost anything, of rows that were compared', () => {
    expect(still!.exit).toMatchObject({ channels: 12, featureCount: 12, pool: 1 });
    expect(still!.features).toHaveLength(6 * COMPARISON_VALUES);
    expect([...rowsOf(still!, all)]).toEqual([1, 2, 3, 5]);
    const { teacherClass, teacher } = targetsOf(still!, dataset);
    expect([1, 2, 3, 5].map((row) => teacherClass[row])).toEqual([0, 1, 1, 0]);
    expect(teacher[2]).toBeCloseTo(Math.log(0.999), 5);
    expect(teacher[3]).toBeCloseTo(Math.log(0.001), 5);
    expect(teacher[5]).toBeCloseTo(Math.log(0.999), 5);
  });

  test('leaves the other exits their rows and their classes', () => {
    expect(late).not.toHaveProperty('comparisons');
    expect(rowsOf(late!, all)).toBe(all);
    expect(targetsOf(late!, dataset).teacherClass).toBe(dataset.teacherClass);
    const split = { training: all, validation: Uint32Array.of(0, 1) };
    expect(splitOf(late!, split)).toEqual(split);
    expect([...splitOf(still!, split).validation]).toEqual([1]);
  });

  test('spreads what is known of its rows over all of them', () => {
    const into = { into: new Float64Array(5), otherwise: (isKey: boolean) => (isKey ? NaN : 0) };
    const rows = Uint32Array.of(0, 1, 3, 4, 5);
    expect([...spreadOver(still!, rows, Float64Array.of(0.1, 0.2, 0.3), into)]).toEqual([
      ...[NaN, 0.1, 0.2, 0, 0.3],
    ]);
    const own = Float64Array.of(1, 2);
    expect(spreadOver(late!, rows, own, into)).toBe(own);
  });
});

/** A sixth are key frames, some name no source; of the others a fifth has changed, which the first value tells. */
function someLosses(rows: number): { losses: number[]; values: number[] } {
  const random = seededRandom([7, rows]);
  const losses: number[] = [];
  const values = Array.from({ length: rows }, (_, row) => {
    const hasChanged = random.uniform() < 0.2;
    const told = row % 60 === 1 ? NOT_COMPARED : hasChanged ? 10 : 0;
    losses.push(row % 6 === 0 ? KEY_FRAME : told);
    return (hasChanged ? 2 : -4) + random.normal();
  });
  return { losses, values };
}

function train(batch: SampleBatch): Promise<TrainingOutcome> {
  return trainHeads(
    {
      ...{ batches: [batch], costs: evenCosts(['still', 'late']) },
      ...{ headCost: { fixedMs: 0.01, msPerMillionMacs: 60 }, plainBatch: 1 },
      ...{ ...EXPECTED, seed: 1, trainerVersion: 'test', parent: null },
      settings: {
        ...{ budget: 0.02, maxActiveExits: 2, minSaving: 0.03, maxOverhead: 0.05 },
        maxBundleBytes: 100_000,
      },
      onProgress: () => undefined,
    },
    createJobRunner(createReferenceTrainer),
  );
}

test('training gives a head that compares frames, priced with the frames that run to the end for it', async () => {
  const { losses, values } = someLosses(900);
  const outcome = await train(aBatch(losses, (row) => values[row]!));
  if (outcome.kind !== 'Trained') throw new Error(outcome.message);
  expect(parseHeadBundle(outcome.bytes)).toMatchObject({ ok: true });
  const [head] = outcome.bundle.heads;
  expect(head).toMatchObject({ exit: 'still', tensor: 'tensor.still', compares: 'PreviousFrame' });
  expect(head).toMatchObject({ pool: 1, featureCount: COMPARISON_VALUES });
  const covered = outcome.bundle.training.exits.map(({ coverage }) => coverage);
  expect(covered[0]).toBeGreaterThan(0.5);
  // One in six leaves nowhere, however sure a later head is.
  expect(covered.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(5 / 6 + 0.03);
});

test('traffic without sources trains the other exits alone', async () => {
  const losses = new Array<number>(900).fill(NOT_COMPARED);
  const outcome = await train(aBatch(losses, () => 0));
  expect(outcome.summary.exits.map(({ exit }) => exit)).toEqual(['late']);
});
