import { expect, test } from 'vitest';
import { certifiedByAttempt, simulateAtBudget } from '../../../support/budget-simulation.ts';
import { openRecord } from '../../../promises/open-record.ts';

const recordCertified = openRecord('at-budget');

const SERVICES = 10_000;
/** Those after it share less than 0.1 % between them. */
const ATTEMPTS = 6;

test('of 10,000 services whose heads disagree on exactly the budget at most 5 % are ever certified', () => {
  const stories = Array.from({ length: SERVICES }, (_, i) =>
    simulateAtBudget([20_261_126, i], ATTEMPTS),
  );
  const counts = certifiedByAttempt(stories);
  const certified = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const summary = { services: SERVICES, attempts: ATTEMPTS, certified, byAttempt: counts };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  recordCertified({ fleets: SERVICES, certifiedPercent: (100 * certified) / SERVICES });
  expect(certified / SERVICES).toBeLessThanOrEqual(0.05);
}, 7_200_000);
