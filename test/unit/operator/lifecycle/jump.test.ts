import { expect, test } from 'vitest';
import { simulateJumps, summarizeJumps } from '../../../support/jump-simulation.ts';

test('a jump to 5 budgets at 2 audits a second has exits off on every pod within minutes', () => {
  const delays = simulateJumps(20_261_125, 20, 5);
  const { meanSeconds, worstPropagationSeconds } = summarizeJumps(delays);
  expect(delays.length).toBeGreaterThan(18);
  // jump.long.ts has the promise itself, on 400 fleets; the mean of 20 scatters by a tenth.
  expect(meanSeconds).toBeLessThan(150);
  expect(Math.max(...delays.map(({ offSeconds }) => offSeconds))).toBeLessThan(300);
  expect(worstPropagationSeconds).toBeLessThan(10);
});
