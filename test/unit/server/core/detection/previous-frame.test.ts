import { describe, expect, test } from 'vitest';
import {
  linearScore,
  previousFrameValues,
  scorePreviousFrame,
  toKeyFrame,
  type LinearScore,
} from '../../../../../server/core/detection/previous-frame.ts';
import { aBox } from '../../../../support/detection/boxes.ts';
import { expectClose } from '../../../../support/expect-close.ts';

const FEATURES = Float32Array.of(1, 2, 3, 4);
const SCALE = [1, 1];

describe('a key frame', () => {
  test('answers with the boxes at or above the cut, and knows how near others are', () => {
    const peaks = [0.9, 0.4, 0.37, 0.31].map((score) => aBox({ score }));
    const key = toKeyFrame(FEATURES, peaks, 0.4);
    expect(key.boxes).toEqual(peaks.slice(0, 2));
    expect(key.nearCut).toBe(2);
    expect(key.margin).toBe(0);
  });

  test('counts those nearer to the cut than 0.05', () => {
    const nearCut = (score: number): number =>
      toKeyFrame(FEATURES, [aBox({ score })], 0.05).nearCut;
    expect([nearCut(0.1), nearCut(0.099)]).toEqual([0, 1]);
  });

  test('without peaks is as far from another answer as it can be', () => {
    expect(toKeyFrame(FEATURES, [], 0.4)).toMatchObject({ boxes: [], margin: 0.1, nearCut: 0 });
    expect(toKeyFrame(FEATURES, [aBox({ score: 0.9 })], 0.4).margin).toBe(0.1);
  });
});

test('the score reads distances, age and margin, and how they go together', () => {
  const key = { ...toKeyFrame(FEATURES, [aBox({ score: 0.42 })], 0.4), age: 3 };
  const values = previousFrameValues(key, Float32Array.of(1, 2, 3, 6), SCALE);
  const [moved, changed] = [Math.log(1 + 1e-3), Math.log(0.5 + 1e-3)];
  const margin = 0.42 - 0.4;
  expectClose(
    values,
    [
      ...[moved, changed, 3, margin, 1, 1],
      ...[moved * margin, changed * margin, moved, 3 * moved, margin],
    ],
    { rel: 1e-9 },
  );
});

test('several peaks near the cut count several times', () => {
  const peaks = [0.42, 0.39, 0.41].map((score) => aBox({ score }));
  const key = { ...toKeyFrame(FEATURES, peaks, 0.4), age: 1 };
  const values = previousFrameValues(key, FEATURES, SCALE);
  const still = Math.log(1e-3);
  expect(key.nearCut).toBe(3);
  expectClose([values[8]!, values[10]!], [3 * still, 3 * key.margin], { rel: 1e-12 });
});

describe('a linear score', () => {
  const score: LinearScore = { mean: [1, 0], scale: [2, 1], weights: [3, -1], intercept: 0.5 };

  test('is the logistic of the standardised sum', () => {
    expectClose(linearScore(score, [3, 2]), 1 / (1 + Math.exp(-(0.5 + 3 - 2))), { rel: 1e-12 });
  });

  test('of values that are missing or not finite is none', () => {
    expect(linearScore(score, [3])).toBeNaN();
    expect(linearScore({ ...score, scale: [2] }, [3, 1])).toBeNaN();
    expect(linearScore({ ...score, mean: [1] }, [3, 1])).toBeNaN();
    expect(linearScore(score, [NaN, 2])).toBeNaN();
  });
});

describe('the score of a previous frame', () => {
  const ofConstant = (intercept: number): LinearScore => ({
    ...{ mean: [0], scale: [1], weights: [0], intercept },
  });
  const fitted = { featureScale: SCALE, empty: ofConstant(2), filled: ofConstant(-2) };

  test('is another one where the key frame was empty', () => {
    const [empty, filled] = [[], [aBox()]].map((peaks) =>
      scorePreviousFrame({ ...toKeyFrame(FEATURES, peaks, 0.4), age: 1 }, FEATURES, fitted),
    );
    expectClose(empty!, 1 / (1 + Math.exp(-2)), { rel: 1e-12 });
    expectClose(filled!, 1 / (1 + Math.exp(2)), { rel: 1e-12 });
  });

  test('of frames that are not numbers is none', () => {
    const key = { ...toKeyFrame(FEATURES, [], 0.4), age: 1 };
    expect(scorePreviousFrame(key, new Float32Array(4).fill(NaN), fitted)).toBeNaN();
  });
});
