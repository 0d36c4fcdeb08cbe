import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LAMBDA_COUNT, THRESHOLDS } from '../../../../crds/wire/lambda-grid.ts';
import { decideRow, firstLeavingIndex } from '../../../../server/core/decide.ts';

const SEED = 20_260_102;
const aScore = fc.oneof(
  { weight: 5, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 119 }).map((j) => THRESHOLDS[j]!) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, NaN, Infinity, -Infinity) },
);

test('a row leaves at the first active exit above the threshold', () => {
  expect(decideRow([0.2, 0.9, 0.99], 119, 3)).toBe(1);
});

test('a tie runs on', () => {
  expect(decideRow([THRESHOLDS[60]!], 60, 1)).toBe(-1);
  expect(decideRow([THRESHOLDS[60]!, 1], 60, 2)).toBe(1);
});

test('a score of 1 leaves at every lambda', () => {
  for (let j = 0; j < LAMBDA_COUNT; j++) expect(decideRow([1], j, 1)).toBe(0);
});

test.each([NaN, Infinity, -Infinity])(
  'a score of %s sends the row to the end although a later head is sure',
  (score) => {
    expect(decideRow([score, 1], 119, 2)).toBe(-1);
  },
);

test('a missing score sends the row to the end', () => {
  expect(decideRow([0.1], 119, 2)).toBe(-1);
});

test('an exit behind the active ones never answers', () => {
  expect(decideRow([0.1, 1], 119, 1)).toBe(-1);
  expect(decideRow([1], 119, 0)).toBe(-1);
});

test('no lambda means no exit: off is a mode, not a threshold', () => {
  expect(decideRow([1], null, 1)).toBe(-1);
});

test.each([-1, 120, 0.5, NaN])('lambda index %s outside the grid lets nothing leave', (index) => {
  expect(decideRow([1], index, 1)).toBe(-1);
});

test('cutting exits from the end only turns leaving into running on', () => {
  fc.assert(
    fc.property(
      fc.array(aScore, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 0, max: 119 }),
      (scores, j) => {
        const all = decideRow(scores, j, scores.length);
        for (let active = 0; active <= scores.length; active++)
          expect(decideRow(scores, j, active)).toBe(all < active ? all : -1);
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});

test('the first leaving index is where the decision of a single exit turns', () => {
  fc.assert(
    fc.property(aScore, (score) => {
      const first = firstLeavingIndex(score);
      for (let j = 0; j < LAMBDA_COUNT; j++) expect(score > THRESHOLDS[j]!).toBe(j >= first);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test('a score that leaves nowhere has the index behind the grid', () => {
  expect(firstLeavingIndex(0.5)).toBe(LAMBDA_COUNT);
  expect(firstLeavingIndex(NaN)).toBe(LAMBDA_COUNT);
  expect(firstLeavingIndex(0.50000001)).toBe(LAMBDA_COUNT - 1);
  expect(firstLeavingIndex(1)).toBe(0);
});

test('with an end the search stops there: a score that leaves only behind it gives the end', () => {
  fc.assert(
    fc.property(aScore, fc.integer({ min: 0, max: LAMBDA_COUNT }), (score, end) => {
      expect(firstLeavingIndex(score, end)).toBe(Math.min(end, firstLeavingIndex(score)));
    }),
    { seed: SEED, numRuns: 500 },
  );
});
