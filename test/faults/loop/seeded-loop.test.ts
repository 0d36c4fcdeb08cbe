import { test } from 'vitest';
import { runSeededLoop } from './seeded-loop.ts';

// More seeds: seeded-loop.long.ts.
test('an hour of faults, deaths and edits on the way to certified exits: policies stay lawful, and heads serve in the end', async () => {
  await runSeededLoop(1);
}, 300_000);
