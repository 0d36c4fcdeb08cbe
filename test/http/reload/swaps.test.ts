import { expect, test } from 'vitest';
import { Fault } from '../../support/faulty-engine/faults.ts';
import { runSwaps } from '../../support/swap-run.ts';
import { swapPlace } from './swap-place.ts';

const start = swapPlace();

// What each swap leaves behind is counted, so a few show it. What one swap in 33 does to a request is seen in 95 of 100 runs;
// swaps.long.ts has 5,000. A server that is asked without a pause takes four or five a second.
test('100 swaps of heads under load fail no request, mix no answers, and leave nothing behind', async () => {
  const run = await runSwaps(start(), { swaps: 100 });
  expect(run.failures).toEqual([]);
  expect(run.refusals).toEqual([]);
  expect(run.requests).toBeGreaterThan(100);
  expect(run.before.activations).toBe(0);
  expect(run.before.plans).toBeGreaterThan(0);
  expect(run.after).toEqual(run.before);
});

test.each([
  ['plans', Fault.keepPlans],
  ['activations', Fault.keepActivations],
] as const)('the same check catches an engine that keeps %s nobody needs', async (what, fault) => {
  const run = await runSwaps(start(true), { swaps: 5, fault });
  expect(run.failures).toEqual([]);
  expect(run.after[what]).toBeGreaterThan(run.before[what]);
});
