import { expect, test } from 'vitest';
import { LAMBDA_COUNT, THRESHOLDS } from '../../../../crds/wire/lambda-grid.ts';
import { forEachLeaving } from '../../../../server/core/leaving.ts';

function visitsOf(...scores: number[]): (readonly number[])[] {
  const visits: (readonly number[])[] = [];
  forEachLeaving(scores, scores.length, (...visit) => visits.push(visit));
  return visits;
}

/** Leaves from this index on. */
const scoreFrom = (index: number): number => (THRESHOLDS[index]! + THRESHOLDS[index - 1]!) / 2;

test('each exit takes the lambdas that the ones before it left, and one that takes none is not heard of', () => {
  expect(visitsOf(scoreFrom(40), scoreFrom(90), scoreFrom(40), scoreFrom(10))).toEqual([
    [0, 40, LAMBDA_COUNT],
    [3, 10, 40],
  ]);
});

test('behind a score that is no number nothing leaves', () => {
  expect(visitsOf(scoreFrom(40), NaN, scoreFrom(10))).toEqual([[0, 40, LAMBDA_COUNT]]);
});
