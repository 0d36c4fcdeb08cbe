import { describe, expect, test } from 'vitest';
import { judgeBudget } from '../../../../operator/controllers/cached-model-service/lifecycle/status/judge-budget.ts';
import { startStep } from '../../../../operator/lifecycle/checks.ts';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import { START_MS } from '../../../support/builders.ts';
import {
  aLedger,
  aLookedAttempt,
  aRampingCandidate,
  aServingLedger,
  aStable,
  aVoidedStable,
  LAMBDA,
} from '../../../support/ledger-builders.ts';

function said(ledger: Ledger): string | null {
  const verdict = judgeBudget(ledger);
  return verdict && `${verdict.status} ${verdict.reason}: ${verdict.message}`;
}

const PROVEN = '0 disagreements in 1000 audited requests: at most 1% at 95% confidence';
const ramp = startStep(0.1, 0.01, START_MS);

describe('WithinBudget in a ramp', () => {
  test('of the first heads is about them: requests leave early though nothing is in force yet', () => {
    const fields = { stage: 'Ramping', candidate: aRampingCandidate({ ramp }) } as const;
    expect(said(aLedger({ ...fields, exitsEnabled: true }))).toBe(
      `True Certified: ${PROVEN}, for the candidate that takes 10% of the traffic.`,
    );
    expect(said(aLedger(fields))).toBeNull();
  });

  test('of the same heads after an alarm is about their new certificate', () => {
    const stable = aVoidedStable({ evidence: aLookedAttempt(1, LAMBDA) });
    const candidate = aRampingCandidate({ kind: 'Recertified', evidence: null, ramp });
    const ledger = aLedger({ stage: 'Ramping', stable, candidate, exitsEnabled: true });
    expect(said(ledger)).toContain(
      `True Certified: ${PROVEN}, for the candidate that takes 10% of the traffic.`,
    );
    expect(said({ ...ledger, candidate: null, exitsEnabled: false })).toContain(
      'False BudgetExceeded',
    );
  });

  test('beside heads in force is about those in force', () => {
    const ledger = aServingLedger({ stage: 'Ramping', candidate: aRampingCandidate({ ramp }) });
    expect(said(ledger)).toBe(`True Certified: ${PROVEN}.`);
    const off = aStable({ off: 'InsufficientSamples' });
    expect(said(aServingLedger({ stable: off, exitsEnabled: false }))).toContain(
      'Unknown InsufficientSamples',
    );
  });
});
