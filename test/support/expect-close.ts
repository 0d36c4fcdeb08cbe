import { expect } from 'vitest';

interface Tolerance {
  readonly rel?: number;
  readonly abs?: number;
}

/** Passes iff |actual - expected| <= abs + rel * |expected|; NaN never does. Lists are compared entry by entry. */
export function expectClose(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  { rel = 0, abs = 0 }: Tolerance,
): void {
  if (typeof actual === 'number' && typeof expected === 'number') {
    expectNumberClose(actual, expected, { rel, abs });
    return;
  }
  const actuals = typeof actual === 'number' ? [actual] : Array.from(actual);
  const expecteds = typeof expected === 'number' ? [expected] : Array.from(expected);
  expect(actuals.length, 'number of entries').toBe(expecteds.length);
  actuals.forEach((value, index) => {
    expectNumberClose(value, expecteds[index]!, { rel, abs }, ` at ${index}`);
  });
}

function expectNumberClose(
  actual: number,
  expected: number,
  { rel = 0, abs = 0 }: Tolerance,
  place = '',
): void {
  if (Object.is(actual, expected)) return;
  const allowed = abs + rel * Math.abs(expected);
  if (Math.abs(actual - expected) <= allowed) return;
  expect.fail(`expected ${actual} to be within ${allowed} of ${expected}${place}`);
}
