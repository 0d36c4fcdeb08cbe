import { expect, test } from 'vitest';
import type { ScoreCoefficients } from '../../../../crds/wire/head-bundle.ts';
import { decideRow } from '../../../../server/core/decide.ts';
import { exitScore } from '../../../../server/core/exit-score.ts';
import { scoreRow } from '../../../../server/core/score.ts';

const coefficients: ScoreCoefficients = {
  ...{ features: ['logitMax'], mean: [0], scale: [1], weights: [1], intercept: 9 },
};
const all = { classCount: 2, answerable: null, coefficients };
const first = { ...all, answerable: [0] };
const LOGITS = [9, 5, 1, 1, 5];

test('where every class may be answered it is the score', () => {
  expect(exitScore(LOGITS, 3, all)).toBe(scoreRow(LOGITS, 3, 2, coefficients));
  expect(exitScore(LOGITS, 1, first)).toBe(scoreRow(LOGITS, 1, 2, coefficients));
});

test('a class that may not be answered scores 0, and the next head is asked', () => {
  expect(exitScore(LOGITS, 3, first)).toBe(0);
  expect(decideRow([0, 0.9999], 119, 2)).toBe(1);
});

test('what is not finite stays so, whatever its class', () => {
  expect(exitScore([1, NaN], 0, first)).toBeNaN();
  expect(exitScore([1, Infinity], 0, first)).toBeNaN();
});
