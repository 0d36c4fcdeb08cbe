import { expect, test } from 'vitest';
import { parseHeadBundle } from '../../../../../crds/wire/head-bundle.ts';
import type { InputBatch } from '../../../../../crds/wire/inputs.ts';
import { createJobRunner } from '../../../../../operator/training/head-job.ts';
import { createReferenceTrainer } from '../../../../../operator/training/mlp.ts';
import { withoutStudents } from '../../../../../operator/training/student/student-candidate.ts';
import type {
  StudentJob,
  StudentJobRunner,
} from '../../../../../operator/training/student/student-job.ts';
import {
  trainHeads,
  type TrainingInput,
  type TrainingOutcome,
} from '../../../../../operator/training/train.ts';
import { BACKBONE_DIGEST } from '../../../../support/builders.ts';
import { aSampleBatch, evenCosts, withCompanionCosts } from '../../../../support/sample-batches.ts';
import { aStudent } from '../../../../support/students.ts';

const ROWS = 1_600;
const EXITS = [{ name: 'late', noise: 0.9 }];
const batch = aSampleBatch({ rows: ROWS, exits: EXITS });

function inputs(count: number, rowShape = [1, 16, 16]): InputBatch {
  const size = rowShape.reduce((product, extent) => product * extent, 1);
  return {
    schemaVersion: 1,
    ...{ podUid: 'pod-a', bootId: 'boot-1', backboneDigest: BACKBONE_DIGEST, rowShape },
    ...{ rowCount: count, nextAfter: ROWS },
    sequence: Float64Array.from({ length: count }, (_, i) => ROWS - count + i + 1),
    inputs: new Uint16Array(count * size),
  };
}

/** A student that agrees with the backbone with this probability, and unless it is vain is sure only where it does. */
function imagined(
  accuracy: number,
  mirrored = accuracy,
  isVain = false,
): { jobs: StudentJob[]; run: StudentJobRunner } {
  const jobs: StudentJob[] = [];
  const logits = ({ task, validationRows }: StudentJob, share: number): Float32Array => {
    const { classCount, teacherClass } = task.targets;
    const out = new Float32Array(validationRows.length * classCount);
    for (const [i, row] of validationRows.entries()) {
      const isRight = i % 100 < 100 * share;
      const named = (teacherClass[row]! + (isRight ? 0 : 1)) % classCount;
      out[i * classCount + named] = (isRight || isVain ? 8 : 1) + (i % 7) / 10;
    }
    return out;
  };
  return {
    jobs,
    run: (job) => {
      jobs.push(job);
      return Promise.resolve({
        student: aStudent({ ...job.task.rows.extent, layout: 'NCHW', mean: [0], scale: [1] }, 4),
        validationLogits: logits(job, accuracy),
        mirroredLogits: job.asksMirrored ? logits(job, mirrored) : null,
      });
    },
  };
}

function train(
  student: Partial<NonNullable<TrainingInput['student']>>,
  fields: Partial<TrainingInput> = {},
): Promise<TrainingOutcome> {
  return trainHeads(
    {
      batches: [batch],
      costs: evenCosts(['late']),
      headCost: { fixedMs: 0.01, msPerMillionMacs: 60 },
      ...{ plainBatch: 1, backboneDigest: BACKBONE_DIGEST, classCount: 4 },
      settings: {
        ...{ budget: 0.02, maxActiveExits: 2, minSaving: 0.03, maxOverhead: 0.05 },
        maxBundleBytes: 100_000,
      },
      ...{ seed: 1, trainerVersion: 'test', parent: null },
      student: {
        ...{ inputs: [inputs(ROWS)], backboneMacs: 4e7, runJob: imagined(0.9).run },
        ...student,
      },
      onProgress: () => undefined,
      ...fields,
    },
    createJobRunner(createReferenceTrainer),
  );
}

test('a student that agrees often goes before the backbone, its weights in the bundle', async () => {
  const { jobs, run } = imagined(0.9);
  const outcome = await train({ runJob: run });
  if (outcome.kind !== 'Trained') throw new Error(outcome.message);
  const [first] = outcome.bundle.heads;
  expect(first).toMatchObject({ exit: 'student', tensor: null, hidden: 0 });
  expect(parseHeadBundle(outcome.bytes)).toEqual({ ok: true, value: outcome.bundle });
  expect(outcome.summary.exits[0]).toMatchObject({ exit: 'student', isChosen: true });
  expect(outcome.summary.exits[0]!.agreement).toBeCloseTo(0.9, 1);
  expect(outcome.summary.noStudent).toBeNull();
  expect(outcome.summary.predictedSaving).toBeGreaterThan(0.7);
  const [trial, ...sizes] = jobs;
  expect(trial).toMatchObject({ asksMirrored: true, settings: { flips: false } });
  expect(sizes).toMatchObject([
    { asksMirrored: false, settings: { flips: true } },
    { asksMirrored: false, settings: { flips: true } },
  ]);
  const [small, large] = sizes.map(({ task }) => task.convolutions[0]!.outputs);
  expect(small).toBeLessThan(large!);
});

test('rows that a mirror makes into others are not mirrored', async () => {
  const { jobs, run } = imagined(0.9, 0.7);
  await train({ runJob: run });
  expect(jobs.map(({ settings }) => settings.flips)).toEqual([false, false, false]);
});

test('a student that ranks nothing is left out, and heads alone are chosen', async () => {
  const outcome = await train({ runJob: imagined(0.3, 0.3, true).run });
  if (outcome.kind !== 'Trained') throw new Error(outcome.message);
  expect(outcome.bundle.heads.map(({ exit }) => exit)).toEqual(['late']);
  expect(outcome.summary.noStudent).toBeNull();
});

test('where no head sees anything a student alone goes before the backbone', async () => {
  const batches = [aSampleBatch({ rows: ROWS, exits: [{ name: 'late', noise: Infinity }] })];
  const outcome = await train({}, { batches });
  if (outcome.kind !== 'Trained') throw new Error(outcome.message);
  expect(outcome.bundle.heads.map(({ exit }) => exit)).toEqual(['student']);
});

test('a student that serves already is no companion of the service: the next training makes another one', async () => {
  const costs = withCompanionCosts(evenCosts(['late']), 'sha256:student', 0.1);
  const batches = [aSampleBatch({ rows: ROWS, exits: [{ name: 'late', noise: Infinity }] })];
  const outcome = await train({}, { batches, costs: withoutStudents(costs, []) });
  if (outcome.kind !== 'Trained') throw new Error(outcome.message);
  expect(outcome.bundle.heads.map(({ exit }) => exit)).toEqual(['student']);
});

test('a cost table without students has the companions of the service, and the backbone as it was', () => {
  const own = withCompanionCosts(evenCosts(['early', 'late']), 'sha256:own', 0.2);
  const both = withCompanionCosts(own, 'sha256:student', 0.1);
  expect(withoutStudents(both, [{ digest: 'sha256:own' }])).toEqual(own);
  expect(withoutStudents(both, [])).toEqual(evenCosts(['early', 'late']));
  expect(withoutStudents(evenCosts(['late']), [])).toEqual(evenCosts(['late']));
});

test('a bundle without room for either has neither', async () => {
  const limits = { budget: 0.02, maxActiveExits: 2, minSaving: 0.03, maxOverhead: 0.05 };
  const outcome = await train({}, { settings: { ...limits, maxBundleBytes: 16 * 1024 + 1 } });
  expect(outcome.kind).toBe('NotBetter');
});

test('of rows whose inputs are partly held those are used, also for the choice', async () => {
  const { jobs, run } = imagined(0.9);
  const outcome = await train({ inputs: [inputs(1_400)], runJob: run });
  expect(outcome.kind).toBe('Trained');
  const [job] = jobs;
  expect(job!.task.trainingRows.length + job!.validationRows.length).toBe(1_400);
});

test('rows whose inputs are held are split by themselves, though they all came within the last minute', async () => {
  const minute = Uint32Array.from({ length: ROWS }, (_, i) => Math.min(20, Math.floor(i / 10)));
  const { jobs, run } = imagined(0.9);
  const batches = [{ ...batch, minute }];
  const outcome = await train({ inputs: [inputs(1_400)], runJob: run }, { batches });
  expect(outcome.summary.noStudent).toBeNull();
  expect(jobs[0]!.validationRows.length).toBeCloseTo(280, -2);
});

test.each<[string, Partial<NonNullable<TrainingInput['student']>>, Partial<TrainingInput>, RegExp]>(
  [
    [
      'too few inputs',
      { inputs: [inputs(900)] },
      {},
      /inputs of 900 of 1600 rows.*raise heads\.training\.inputs/,
    ],
    ['no inputs', { inputs: [] }, {}, /hold no inputs/],
    ['rows that are no pictures', { inputs: [inputs(ROWS, [12])] }, {}, /no pictures/],
    ['a small backbone', { backboneMacs: 1e5 }, {}, /too small for a student/],
    [
      'companions of the service',
      {},
      {
        batches: [
          aSampleBatch({
            rows: ROWS,
            exits: [{ name: 'own', noise: 3, companion: 'sha256:own' }, ...EXITS],
          }),
        ],
        costs: withCompanionCosts(evenCosts(['late']), 'sha256:own', 0.1),
      },
      /companions of its own/,
    ],
  ],
)('without one, for %s, it says why and trains heads', async (_, student, fields, why) => {
  const { jobs, run } = imagined(0.9);
  const outcome = await train({ runJob: run, ...student }, fields);
  expect(outcome.summary.noStudent).toMatch(why);
  expect(jobs).toEqual([]);
});
