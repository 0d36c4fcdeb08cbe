import { expect, test } from 'vitest';
import type { ScoreCoefficients } from '../../../../crds/wire/head-bundle.ts';
import { runHead, toHeadWeights, type HeadWeights } from '../../../../server/core/head.ts';
import {
  KNOWN_ANSWER_ROWS,
  answerKnownRows,
  answersOfLogits,
  areSameAnswers,
  definedAnswers,
  knownAnswerRows,
  knownRows,
  knownRowsInSteps,
} from '../../../../server/core/known-answer.ts';
import { scoreLogit } from '../../../../server/core/score.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { aCompanionHead, aHead } from '../../../support/onnx-models/random-head.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const random = seededRandom(6);
const normals = (count: number): Float32Array =>
  Float32Array.from({ length: count }, () => random.normal());
const head: HeadWeights = {
  featureCount: 12,
  hidden: 0,
  classCount: 5,
  mean: normals(12),
  scale: normals(12).map((x) => 0.2 + Math.abs(x)),
  w1: normals(60),
  b1: normals(5),
  w2: null,
  b2: null,
};
const score: ScoreCoefficients = {
  features: ['logitMax'],
  mean: [0],
  scale: [1],
  weights: [1.2],
  intercept: 0.1,
};

test('one seed gives one set of 16 rows, another seed or width another', () => {
  const rows = knownAnswerRows(11, 12);
  expect(rows.length).toBe(16 * 12);
  expect([...knownAnswerRows(11, 12)]).toEqual([...rows]);
  expect(knownAnswerRows(12, 12)[0]).not.toBe(rows[0]);
  expect(knownAnswerRows(11, 13)[0]).not.toBe(rows[0]);
});

test('the features give the rows back after the standardisation of the head', () => {
  const features = knownRows(head, 11).features;
  const back = features.map((f, i) => (f - head.mean[i % 12]!) / head.scale[i % 12]!);
  expectClose(back, knownAnswerRows(11, 12), { abs: 1e-5 });
});

test('the answers are class and score logit of the head on its 16 rows', () => {
  const answers = answerKnownRows(head, score, 11);
  const logits = runHead(head, knownRows(head, 11).features, KNOWN_ANSWER_ROWS);
  expect(answers.seed).toBe(11);
  expect(answers.classes.length).toBe(16);
  for (let row = 0; row < 16; row++) {
    const mine = [...logits.subarray(row * 5, row * 5 + 5)];
    expect(answers.classes[row]).toBe(mine.indexOf(Math.max(...mine)));
    expectClose(answers.scoreLogits[row]!, scoreLogit(mine, 0, 5, score), { abs: 1e-12 });
  }
});

test('rows in steps are the rows at once, and each row is a step', () => {
  const steps = knownRowsInSteps(head, 11);
  let count = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) count += 1;
  expect(count).toBe(KNOWN_ANSWER_ROWS);
  expect(step.value).toEqual(knownRows(head, 11));
  expect([...step.value.logits]).toEqual([...runHead(head, step.value.features, 16)]);
});

test('a wrong head gives other answers', () => {
  const wrong = { ...head, w1: head.w1.map((w) => -w) };
  const answers = answerKnownRows(head, score, 11);
  expect(answerKnownRows(wrong, score, 11).classes).not.toEqual(answers.classes);
});

test('the definition of a head is its weights, that of a companion its score', () => {
  const wish = {
    tensor: 't',
    featureCount: 4,
    pool: 1,
    hidden: 0,
    classCount: 5,
    seed: 3,
  } as const;
  const own = aHead(wish);
  expect(definedAnswers(own, 5)).toEqual(
    answerKnownRows(toHeadWeights(own, 5), own.score, own.knownAnswers.seed),
  );
  const companion = aCompanionHead('small', { digest: 'sha256:1', classCount: 5 }, 0.5);
  expect(definedAnswers(companion, 5)).toEqual(companion.knownAnswers);
});

test('a companion answers on its synthetic logits', () => {
  const logits = knownAnswerRows(3, 5);
  const answers = answersOfLogits(logits, 5, { seed: 3, score });
  expect(answers.classes[0]).toBe(
    logits.subarray(0, 5).indexOf(Math.max(...logits.subarray(0, 5))),
  );
  expect(answers.scoreLogits.every(Number.isFinite)).toBe(true);
});

test('answers are the same with as many exits, as many rows and the same class on each', () => {
  const answers = [[1, 2], [12]];
  expect(areSameAnswers(answers, structuredClone(answers))).toBe(true);
  expect(areSameAnswers([], [])).toBe(true);
  const others = [
    [[1, 2]],
    [[1, 2], [12], []],
    [
      [1, 2],
      [1, 2],
    ],
    [[1, 2], [21]],
    [[1], [12]],
    [],
  ];
  for (const other of others) {
    expect(areSameAnswers(answers, other)).toBe(false);
    expect(areSameAnswers(other, answers)).toBe(false);
  }
});
