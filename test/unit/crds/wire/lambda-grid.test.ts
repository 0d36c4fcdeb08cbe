import { createHash } from 'node:crypto';

import { expect, test } from 'vitest';

import {
  isLambdaIndex,
  LAMBDA_COUNT,
  LAMBDAS,
  THRESHOLDS,
} from '../../../../crds/wire/lambda-grid.ts';

test('the grid is the one whose sha256 the design states', () => {
  const digest = createHash('sha256').update(LAMBDAS.join(',')).digest('hex');
  // exits.md 2
  expect(digest).toBe('8e01f8f7e134a2733e23d39b56e5f0d6e571038f862b91b84e389cde5bdf3a7b');
  expect([LAMBDAS[0], LAMBDAS[60], LAMBDAS[68], LAMBDAS[119]]).toEqual([
    0.0001, 0.0073287, 0.0129926, 0.5,
  ]);
});

test('lambdas rise and thresholds are one minus them', () => {
  expect(LAMBDAS).toHaveLength(LAMBDA_COUNT);
  for (let j = 0; j < LAMBDA_COUNT; j++) {
    expect(LAMBDAS[j]).toBeGreaterThan(LAMBDAS[j - 1] ?? 0);
    expect(THRESHOLDS[j]).toBe(1 - LAMBDAS[j]!);
  }
});

test('an index is a whole number of the grid and nothing else', () => {
  expect([0, 68, 119].every(isLambdaIndex)).toBe(true);
  expect([-1, 120, 1.5, NaN, Infinity, '1', null, undefined].some(isLambdaIndex)).toBe(false);
});
