import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../server/core/random.ts';
import { randomSplits } from '../../../bench/exits/compare.ts';
import { meanSaved, quantileSaved } from '../../../bench/exits/path-times.ts';
import { replayAttempts } from '../../../bench/exits/replay.ts';
import type { Answers } from '../../../bench/exits/rules/answers.ts';
import { overBudgetBound } from '../../../support/certificate-simulation.ts';

const ROWS = 4_000;
const BUDGET = 0.05;

/** One head that is sure of every row, whatever lambda is, and wrong on a share of them. */
function sureOf(disagreementRatio: number): Answers {
  const random = createRandom(3);
  const order = Uint32Array.from({ length: ROWS }, (_, row) => row);
  random.shuffle(order);
  const wrong = Math.round(disagreementRatio * ROWS);
  const agrees = Uint8Array.from(order, (place) => (place < wrong ? 0 : 1));
  const values = new Float64Array(ROWS).fill(20);
  const head = {
    ...{ classes: new Uint16Array(ROWS), agrees, isRight: null },
    ...{ logitMax: values, entropy: values, score: values },
  };
  return { rowCount: ROWS, exits: [head], backboneIsRight: null, path: [0.4, 1.02] };
}

describe('replayed attempts', () => {
  test('certify what is right above the budget no oftener than they promise', () => {
    const attempts = 100;
    const found = replayAttempts(sureOf(BUDGET + 1 / ROWS), { budget: BUDGET, attempts, seed: 1 });
    expect(found.overBudget).toBe(found.certified);
    expect(found.overBudget / attempts).toBeLessThanOrEqual(overBudgetBound(0.05, attempts));
  });

  test('certify what is far below it every time, and tell what that truly saves', () => {
    const found = replayAttempts(sureOf(0.02), { budget: BUDGET, attempts: 20, seed: 1 });
    expect(found).toMatchObject({ certified: 20, overBudget: 0, rowsOfAttempt: 3_000 });
    expect(found.disagreement).toBeCloseTo(0.02, 10);
    expect(found.saved).toBeCloseTo(0.6, 10);
  });
});

test('three standard errors above 5 % of 1,000 attempts are 7.1 %', () => {
  expect(overBudgetBound(0.05, 1_000)).toBeCloseTo(0.0707, 4);
});

test('splits part all rows, differ, and come again for the same seed', () => {
  const splits = randomSplits(50, 3, 1);
  for (const { setting, judging } of splits) {
    expect(setting).toHaveLength(30);
    expect([...setting, ...judging].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, row) => row),
    );
  }
  expect(splits[0]?.setting).not.toEqual(splits[1]?.setting);
  expect(randomSplits(50, 3, 1)).toEqual(splits);
});

describe('times of ways', () => {
  const times = {
    ms: [Float64Array.of(2, 2, 2, 2), Float64Array.of(10, 10, 10, 12)],
    plainMs: Float64Array.of(10, 10, 10, 10),
  };

  test('weigh each way by the rows that take it', () => {
    expect(meanSaved(times, [0.5, 0.5])).toBeCloseTo(0.4, 12);
  });

  test('at a quantile are those of rows that run to the end, as long as so many do', () => {
    expect(quantileSaved(times, [0.5, 0.5], 0.99)).toBeCloseTo(-0.2, 12);
    expect(quantileSaved(times, [1, 0], 0.99)).toBe(0.8);
  });

  test('save nothing where exits are off', () => {
    expect(meanSaved(times, [0, 1])).toBe(0);
    expect(quantileSaved(times, [0, 1], 0.99)).toBe(0);
  });
});
