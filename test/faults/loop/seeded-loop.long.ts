import { test } from 'vitest';
import { runSeededLoop } from './seeded-loop.ts';

test.each(Array.from({ length: 200 }, (_, i) => 1_000 + i))(
  'an hour of faults, deaths and edits on the way to certified exits ends with heads that serve, seed %i',
  (seed) => runSeededLoop(seed),
);
