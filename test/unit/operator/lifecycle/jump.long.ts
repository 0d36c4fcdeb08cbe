import { expect, test } from 'vitest';
import { simulateJumps, summarizeJumps } from '../../../support/jump-simulation.ts';
import { openRecord } from '../../../promises/open-record.ts';

const recordJump = openRecord('jump');

test('a jump to 5 budgets at 2 audits a second has exits off on every pod after 120 s in the mean, 300 s at p99', () => {
  const delays = simulateJumps(20_261_126, 400, 5);
  const summary = summarizeJumps(delays);
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  const { meanSeconds, p99Seconds } = summary;
  recordJump({ meanSeconds, p99Seconds });
  expect(summary.runs).toBeGreaterThan(390);
  expect(summary.meanSeconds).toBeLessThanOrEqual(120);
  expect(summary.p99Seconds).toBeLessThanOrEqual(300);
  expect(summary.worstPropagationSeconds).toBeLessThanOrEqual(10);
});
