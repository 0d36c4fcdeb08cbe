import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseHeadBundle } from '../../../../crds/wire/head-bundle.ts';
import { toHeadWeights } from '../../../../server/core/head.ts';
import { answerKnownRows } from '../../../../server/core/known-answer.ts';
import { createJobRunner, type HeadJob } from '../../../../operator/training/head-job.ts';
import { createReferenceTrainer } from '../../../../operator/training/mlp.ts';
import {
  trainHeads,
  type TrainingInput,
  type TrainingOutcome,
} from '../../../../operator/training/train.ts';
import { BACKBONE_DIGEST } from '../../../support/builders.ts';
import {
  aSampleBatch,
  evenCosts,
  sliceBatch,
  withCompanionCosts,
} from '../../../support/sample-batches.ts';

const EXITS = [
  { name: 'blind', noise: Infinity },
  { name: 'early', noise: 0.6 },
  { name: 'late', noise: 0.3 },
];

const anyProgress = (): void => undefined;

function anInput(fields: Partial<TrainingInput> = {}): TrainingInput {
  return {
    batches: [aSampleBatch({ rows: 900, exits: EXITS })],
    costs: evenCosts(EXITS.map(({ name }) => name)),
    // Dear enough that a trial of the reference trainer has narrow layers.
    headCost: { fixedMs: 0.01, msPerMillionMacs: 60 },
    plainBatch: 1,
    backboneDigest: BACKBONE_DIGEST,
    classCount: 4,
    settings: {
      budget: 0.02,
      maxActiveExits: 2,
      minSaving: 0.03,
      maxOverhead: 0.05,
      maxBundleBytes: 100_000,
    },
    seed: 1,
    trainerVersion: 'test',
    parent: null,
    onProgress: anyProgress,
    ...fields,
  };
}

const run = (fields: Partial<TrainingInput> = {}): Promise<TrainingOutcome> =>
  trainHeads(anInput(fields), createJobRunner(createReferenceTrainer));

function digestOf(outcome: TrainingOutcome): string {
  if (outcome.kind !== 'Trained') throw new Error(outcome.message);
  return createHash('sha256').update(outcome.bytes).digest('hex');
}

const usual = run();

describe('training', () => {
  test('gives a bundle that parses, in backbone order, without the exit that sees nothing', async () => {
    const outcome = await usual;
    if (outcome.kind !== 'Trained') throw new Error(outcome.message);
    const parsed = parseHeadBundle(outcome.bytes);
    expect(parsed).toMatchObject({ ok: true });
    const exits = outcome.bundle.heads.map(({ exit }) => exit);
    expect(exits).not.toContain('blind');
    expect(exits[0]).toBe('early');
    expect(outcome.summary.exits.map(({ exit }) => exit)).not.toContain('blind');
    expect(outcome.summary.predictedSaving).toBeGreaterThan(0.3);
  });

  test('only rows that heads give an answerable class count as covered', async () => {
    const batch = aSampleBatch({ rows: 900, exits: EXITS });
    const outcome = await run({
      batches: [{ ...batch, answerable: [0] }],
      settings: { ...anInput().settings, minSaving: 0 },
    });
    if (outcome.kind !== 'Trained') throw new Error(outcome.message);
    const share = batch.teacherClass.filter((classId) => classId === 0).length / 900;
    const covered = outcome.bundle.training.exits.reduce((sum, { coverage }) => sum + coverage, 0);
    expect(covered).toBeGreaterThan(share / 2);
    expect(covered).toBeLessThan(1.3 * share);
  });

  test('known answers are what server/core gives for the heads as they were written', async () => {
    const outcome = await usual;
    if (outcome.kind !== 'Trained') throw new Error(outcome.message);
    const parsed = parseHeadBundle(outcome.bytes);
    if (!parsed.ok) throw new Error(parsed.message);
    for (const head of parsed.value.heads) {
      const { seed, classes } = head.knownAnswers;
      const again = answerKnownRows(toHeadWeights(head, 4), head.score, seed);
      expect(classes.length).toBe(16);
      expect(again.classes).toEqual(classes);
    }
  });

  test('provenance says rows, seed, digests and until where samples were used', async () => {
    const outcome = await usual;
    if (outcome.kind !== 'Trained') throw new Error(outcome.message);
    const { training } = outcome.bundle;
    expect(training).toMatchObject({ trainerVersion: 'test', seed: 1, parent: null });
    expect(training.samplesUntil).toEqual([{ podUid: 'pod-a', bootId: 'boot-1', seq: 900 }]);
    expect(training.trainingRows + training.validationRows).toBe(900);
    expect(training.validationDisagreements).toBeLessThanOrEqual(0.014 * training.validationRows);
    expect(training.sampleDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('the same samples in another order, and jobs that end in another order, give the same digest', async () => {
    const batch = aSampleBatch({ rows: 900, exits: EXITS });
    const batches = [sliceBatch(batch, 500, 900), sliceBatch(batch, 0, 500)];
    const runJob = createJobRunner(createReferenceTrainer);
    let last: Promise<unknown> = Promise.resolve();
    const newestFirst = async (job: HeadJob): ReturnType<typeof runJob> => {
      const own = last.then(() => runJob(job));
      last = job.source.exit.name === 'late' ? Promise.resolve() : own;
      return own;
    };
    const shuffled = await trainHeads(anInput({ batches }), newestFirst);
    expect(digestOf(shuffled)).toBe(digestOf(await usual));
  });

  test('another seed gives another revision', async () => {
    expect(digestOf(await run({ seed: 2 }))).not.toBe(digestOf(await usual));
  });

  test('exits named in another order come out in backbone order', async () => {
    const outcome = await run({
      batches: [aSampleBatch({ rows: 900, exits: [EXITS[2]!, EXITS[1]!] })],
    });
    if (outcome.kind !== 'Trained') throw new Error(outcome.message);
    expect(outcome.summary.exits.map(({ exit }) => exit)).toEqual(['early', 'late']);
  });

  test('small heads are all trained in full, whatever their trials say', async () => {
    const exits = [1.2, 0.9, 0.6, 0.4, 0.3].map((noise, i) => ({ name: `exit${i}`, noise }));
    const outcome = await run({
      batches: [aSampleBatch({ rows: 300, exits })],
      costs: evenCosts(exits.map(({ name }) => name)),
      settings: { ...anInput().settings, maxActiveExits: 1 },
    });
    expect(outcome.summary.exits.map(({ exit }) => exit)).toEqual(exits.map(({ name }) => name));
    expect(outcome.summary.exits.filter(({ isChosen }) => isChosen).length).toBe(1);
  });

  describe('with a companion', () => {
    const digest = `sha256:${'e'.repeat(64)}`;
    const dearer = `sha256:${'f'.repeat(64)}`;
    const small = { name: 'small', noise: 0.4, companion: digest };
    const large = { name: 'large', noise: 0.1, companion: dearer };
    const [, early, late] = EXITS;
    const costs = withCompanionCosts(
      withCompanionCosts(evenCosts(['early', 'late']), dearer, 0.5),
      digest,
      0.05,
    );

    test('its score and temperature are fitted, and it comes before the heads', async () => {
      const outcome = await run({
        batches: [aSampleBatch({ rows: 900, exits: [late!, large, early!, small] })],
        costs,
      });
      if (outcome.kind !== 'Trained') throw new Error(outcome.message);
      expect(outcome.summary.exits.map(({ exit }) => exit)).toEqual([
        'small',
        'large',
        'early',
        'late',
      ]);
      const [first] = outcome.bundle.heads;
      expect(first).toMatchObject({ exit: 'small', modelDigest: digest, tensor: null, w1: null });
      expect(first!.temperature).toBeGreaterThan(0.5);
      expect(first!.score.weights[0]).toBeGreaterThan(0);
      expect(parseHeadBundle(outcome.bytes)).toMatchObject({ ok: true });
      expect(outcome.summary.exits[0]).toMatchObject({ pool: 1, hidden: 0, isChosen: true });
      expect(outcome.summary.exits[0]!.headMs).toBeCloseTo(0.05 * 4, 9);
      // What it costs is charged to all, what it answers is saved.
      expect(outcome.summary.predictedSaving).toBeGreaterThan(0.5);
      expect(outcome.summary.predictedSaving).toBeLessThanOrEqual(0.95);
    });

    test('alone it is a revision without a training, and one that costs half the backbone is none', async () => {
      const alone = await run({
        batches: [aSampleBatch({ rows: 900, exits: [small] })],
        costs: withCompanionCosts(evenCosts([]), digest, 0.05),
      });
      if (alone.kind !== 'Trained') throw new Error(alone.message);
      expect(alone.bundle.heads.map(({ exit }) => exit)).toEqual(['small']);
      expect(alone.summary.predictedSaving).toBeGreaterThan(0.6);
      const dear = await run({
        batches: [aSampleBatch({ rows: 900, exits: [{ ...small, noise: 3 }] })],
        costs: withCompanionCosts(evenCosts([]), digest, 0.9),
      });
      expect(dear.kind).toBe('NotBetter');
    });
  });

  test('too few rows are refused with what is missing', async () => {
    const outcome = await run({ batches: [aSampleBatch({ rows: 199, exits: EXITS })] });
    expect(outcome).toMatchObject({ kind: 'TooFewRows', summary: { rows: 199, exits: [] } });
    expect(outcome.kind === 'Trained' ? '' : outcome.message).toContain('at least 200');
  });

  test('heads that save less than minSaving are not a revision', async () => {
    const settings = { ...anInput().settings, minSaving: 0.5 };
    const only = [{ name: 'late', noise: 0.3 }];
    const outcome = await run({ settings, batches: [aSampleBatch({ rows: 300, exits: only })] });
    expect(outcome).toMatchObject({ kind: 'NotBetter' });
    expect(outcome.kind === 'Trained' ? '' : outcome.message).toContain(
      'less than minSaving 50.0 %',
    );
  });

  test('when no exit sees anything there is no revision', async () => {
    const outcome = await run({
      batches: [aSampleBatch({ rows: 3000, exits: [{ name: 'blind', noise: Infinity }] })],
    });
    expect(outcome).toMatchObject({
      kind: 'NotBetter',
      summary: { exits: [], predictedSaving: null, lambda: null },
    });
    expect(outcome.kind === 'Trained' ? '' : outcome.message).toContain('2.0 %');
  });

  test('progress never falls and ends with choosing', async () => {
    const seen: [string, number][] = [];
    await run({
      batches: [aSampleBatch({ rows: 300, exits: EXITS })],
      onProgress: (stage, fraction) => seen.push([stage, fraction]),
    });
    expect(seen[0]).toEqual(['Merging', 0]);
    expect(seen.at(-1)).toEqual(['Choosing', 1]);
    const searching = seen
      .filter(([stage]) => stage === 'Searching')
      .map(([, fraction]) => fraction);
    expect(searching).toEqual([...searching].sort((a, b) => a - b));
    expect(searching.at(-1)).toBeLessThanOrEqual(1.0001);
  });
});
