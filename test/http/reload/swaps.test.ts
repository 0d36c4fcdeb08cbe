import { expect, test } from 'vitest';
import { Fault } from '../../support/faulty-engine/faults.ts';
import { runSwaps } from '../../support/swap-run.ts';
import { swapPlace } from './swap-place.ts';

const start = swapPlace();

test('300 swaps of heads under load fail no request, mix no answers, and leave nothing behind', async () => {
  const run = await runSwaps(start(), { swaps: 300 });
  expect(run.failures).toEqual([]);
  expect(run.refusals).toEqual([]);
  expect(run.requests).toBeGreaterThan(300);
  expect(run.before.activations).toBe(0);
  expect(run.before.plans).toBeGreaterThan(0);
  expect(run.after).toEqual(run.before);
});

test.each([
  ['plans', Fault.keepPlans],
  ['activations', Fault.keepActivations],
] as const)('the same check catches an engine that keeps %s nobody needs', async (what, fault) => {
  const run = await runSwaps(start(true), { swaps: 20, fault });
  expect(run.failures).toEqual([]);
  expect(run.after[what]).toBeGreaterThan(run.before[what]);
});
