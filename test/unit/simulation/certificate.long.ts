import { beforeAll, describe, expect, test } from 'vitest';
import {
  overBudgetBound,
  simulateCertificates,
  type CertificateSummary,
} from '../../support/certificate-simulation.ts';
import { expectClose } from '../../support/expect-close.ts';
import { createTruth } from '../../support/exit-simulation.ts';
import { simulateRule, type RuleName } from '../../support/rule-simulation.ts';

// exits.md 7.1 (300 runs) and 7.2 (1,000 runs).
const RUNS = 1000;
const truth = createTruth(20_260_301);

describe(`${RUNS} whole certificates`, () => {
  let independent: CertificateSummary;
  let bursts: CertificateSummary;
  beforeAll(() => {
    independent = simulateCertificates(20_260_302, RUNS, truth);
    bursts = simulateCertificates(20_260_303, RUNS, truth, 3);
    process.stdout.write(`${JSON.stringify({ independent, bursts })}\n`);
  }, 1_200_000);

  test('exceed the budget no oftener than delta + 3 standard errors', () => {
    expect(independent.overShare).toBeLessThanOrEqual(overBudgetBound(0.05, RUNS));
  });

  test('cost 0.58 to 0.65 of plain at the second look and 0.55 to 0.60 at the third', () => {
    expect(independent.costs[1]).toBeGreaterThan(0.58);
    expect(independent.costs[1]).toBeLessThan(0.65);
    expect(independent.costs[2]).toBeGreaterThan(0.55);
    expect(independent.costs[2]).toBeLessThan(0.6);
  });

  test('with bursts of 3 keep the promise by dispersion, and break it without', () => {
    expect(bursts.overShare).toBeLessThanOrEqual(overBudgetBound(0.05, RUNS));
    expect(bursts.overShareWithoutDispersion).toBeGreaterThan(0.12);
  });
});

interface ExpectedRule {
  readonly name: RuleName;
  readonly over: readonly [low: number, high: number];
  readonly meanRisk: number;
  readonly meanCost: number;
}

/**
 * 7.1; the ranges of over are its figures with 3 standard errors of 300 runs. Two rows are not met, unexplained: survivorsOnly,
 * whose thresholds 7.1 does not describe, is over in 54 % of runs against 66-70; eachExitAlone has a mean risk of 1.82 against 1.89 %.
 */
const TABLE: readonly ExpectedRule[] = [
  { name: 'eachExitAlone', over: [0.98, 1], meanRisk: 0.0189, meanCost: 0.5 },
  { name: 'survivorsOnly', over: [0.58, 0.78], meanRisk: 0.011, meanCost: 0.56 },
  { name: 'sharedUntested', over: [0.41, 0.65], meanRisk: 0.01, meanCost: 0.54 },
  { name: 'rawTested', over: [0, 0.088], meanRisk: 0.007, meanCost: 0.6 },
  { name: 'rawMiscalibratedTested', over: [0, 0.088], meanRisk: 0.007, meanCost: 0.63 },
  { name: 'calibratedTested', over: [0, 0.06], meanRisk: 0.007, meanCost: 0.6 },
];

describe('rules of 7.1', () => {
  test.each(TABLE)('$name has the error rate, risk and cost of the table', (row) => {
    const outcome = simulateRule(row.name, 20_260_304, 300, truth);
    process.stdout.write(`${row.name} ${JSON.stringify(outcome)}\n`);
    expect(outcome.overShare).toBeGreaterThanOrEqual(row.over[0]);
    expect(outcome.overShare).toBeLessThanOrEqual(row.over[1]);
    expectClose(outcome.meanRisk, row.meanRisk, { abs: 0.0006 });
    expectClose(outcome.meanCost, row.meanCost, { abs: 0.015 });
  });
});
