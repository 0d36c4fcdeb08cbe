// The seeds that `npm test` has no time for.
import { describe, test } from 'vitest';
import { OPTIONAL_FIELDS } from './optional-fields.ts';
import { expectNoTrace, runRestore, runSchedule, walkSpecs } from './random-schedule.ts';

const from = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i);

describe('a service ends as its last spec says', () => {
  test.each(from(1_000, 1_000))('after three minutes of everything, seed %i', (seed) =>
    runSchedule(seed),
  );

  test.each(from(1_000, 200))('after its store went back in time, seed %i', (seed) =>
    runRestore(seed),
  );

  test.each(from(1_000, 100))('after a walk of twenty valid specs, seed %i', (seed) =>
    walkSpecs(seed, 20),
  );

  test.each(OPTIONAL_FIELDS)('after $path was set, changed and taken out again', (field) =>
    expectNoTrace([field]),
  );
});
