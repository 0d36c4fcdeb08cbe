// The walks that `npm test` has no time for.
import { describe, test } from 'vitest';
import { OPTIONAL_FIELDS } from './optional-fields.ts';
import { expectNoTrace, runRestore, walkSpecs } from './random-walks.ts';

const from = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i);

describe('a service ends as its last spec says', () => {
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
