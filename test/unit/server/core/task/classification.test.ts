import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../../../server/core/invariant.ts';
import { createClassification } from '../../../../../server/core/task/classification.ts';
import { expectClose } from '../../../../support/expect-close.ts';

const logits = createClassification({ classOutput: 1, classCount: 3, outputKind: 'Logits' });
const probabilities = createClassification({
  ...{ classOutput: 0, classCount: 3, outputKind: 'Probabilities' },
});
const logarithms = createClassification({
  ...{ classOutput: 0, classCount: 3, outputKind: 'LogProbabilities' },
});
const without = createClassification({ classOutput: -1, classCount: 0, outputKind: null });

const SCORES = Float32Array.of(1, 3, 2);
const EMBEDDING = Float32Array.of(9, 9);
/** softmax(1, 3, 2) */
const SHARES = [0.09003057317038046, 0.6652409557748219, 0.24472847105479767];

describe('an answer of the backbone', () => {
  test('is what the model gives', () => {
    const outputs = [EMBEDDING, SCORES];
    expect(logits.toAnswer(outputs)).toBe(outputs);
  });

  test('is of the class with the largest score of the class output', () => {
    expect(logits.classOf([EMBEDDING, SCORES])).toBe(1);
    expect(probabilities.classOf([Float32Array.of(0.2, 0.2, 0.1)])).toBe(0);
  });

  test('has that class with the probability that its kind of scores says', () => {
    expectClose(logits.confidenceOf([EMBEDDING, SCORES]), SHARES[1]!, { rel: 1e-6 });
    expectClose(probabilities.confidenceOf([Float32Array.of(0.1, 0.7, 0.2)]), 0.7, { rel: 1e-6 });
    const logs = Float32Array.from(SHARES, Math.log);
    expectClose(logarithms.confidenceOf([logs]), SHARES[1]!, { rel: 1e-6 });
    expect(without.confidenceOf([SCORES])).toBeNaN();
    expect(probabilities.confidenceOf([])).toBeNaN();
  });

  test('teaches heads the logarithms of its probabilities, finite ones', () => {
    expectClose(logits.logProbabilitiesOf([EMBEDDING, SCORES]), SHARES.map(Math.log), {
      rel: 1e-6,
    });
    const taught = probabilities.logProbabilitiesOf([Float32Array.of(0, 1, 0)]);
    expectClose(taught, [Math.log(1e-30), 0, Math.log(1e-30)], { rel: 1e-6 });
    const logs = Float32Array.of(-1, -2, -3);
    expect(logarithms.logProbabilitiesOf([logs])).toEqual(logs);
    expect(() => without.logProbabilitiesOf([SCORES])).toThrow(InvariantError);
  });
});

describe('an early answer', () => {
  test('has scores of the kind of the backbone, at the temperature of the head', () => {
    const said = { logits: Float32Array.of(7, 1, 3, 2), offset: 1 };
    const [shares] = probabilities.earlyAnswer(said, 1);
    expectClose(shares!, SHARES, { rel: 1e-6 });
    expect(logits.earlyAnswer(said, 2)).toEqual([Float32Array.of(0.5, 1.5, 1)]);
    expect(() => without.earlyAnswer(said, 1)).toThrow(InvariantError);
  });

  test('loses nothing where it is of the class of the backbone, else all', () => {
    const losses = [0, 1, 2].map((classId) => logits.lossTenthsOf(classId, [EMBEDDING, SCORES]));
    expect(losses).toEqual([10, 0, 10]);
  });

  test('may be of any class', () => {
    expect(logits.answerable).toBeNull();
  });
});
