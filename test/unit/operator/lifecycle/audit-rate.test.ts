import { describe, expect, test } from 'vitest';
import { chooseAuditRate } from '../../../../operator/lifecycle/audit-rate.ts';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecycleInput } from '../../../../operator/lifecycle/types.ts';
import { anInput, aService, START_MS } from '../../../support/builders.ts';
import { aCandidate, aLedger, aServingLedger } from '../../../support/ledger-builders.ts';

const rateAt = (
  rowsPerSecond: number | null,
  ledger: Partial<Ledger>,
  input: Partial<LifecycleInput> = {},
) =>
  chooseAuditRate(
    {
      ...aServingLedger(),
      ...ledger,
      traffic: { rowsPerSecond, auditRate: ledger.traffic?.auditRate ?? 0.5 },
    },
    anInput(input),
  );

describe('the audit rate', () => {
  // exits.md 8.4.
  test.each([
    ['is the base from 10 rows/s on', 10, 0.02],
    ['is the base at many rows/s', 10_000, 0.02],
    ['is 20 % at 1 row/s', 1, 0.2],
    ['is everything at 0.2 rows/s', 0.2, 1],
    ['is everything without traffic', 0, 1],
    ['is everything before any traffic', null, 1],
  ])('serving %s', (_rule, rowsPerSecond, rate) => {
    expect(rateAt(rowsPerSecond, {})).toBe(rate);
  });

  test('is at least 10 % beside a candidate, and for the time of a hint', () => {
    expect(rateAt(100, { candidate: aCandidate() })).toBe(0.1);
    expect(rateAt(1, { candidate: aCandidate() })).toBe(0.2);
    expect(rateAt(100, { hint: { strikes: 2, untilMs: START_MS + 1 } })).toBe(0.1);
    expect(rateAt(100, { hint: { strikes: 2, untilMs: START_MS } })).toBe(0.02);
  });

  test('with exits off is all rows up to 50 a second, thinned above, never in local mode', () => {
    const off = { exitsEnabled: false };
    expect(rateAt(50, off)).toBe(1);
    expect(rateAt(200, off)).toBe(0.25);
    expect(rateAt(null, off)).toBe(1);
    expect(rateAt(200, off, { thinAudits: false })).toBe(1);
  });

  test('is 0 while a stream repeats: those rows are no news', () => {
    expect(rateAt(100, {}, { auditsOff: true })).toBe(0);
    expect(rateAt(100, { exitsEnabled: false }, { auditsOff: true })).toBe(0);
  });

  test('stays while the wanted one is within a quarter, so that policies stay too', () => {
    const inForce = (auditRate: number) => ({ traffic: { rowsPerSecond: 1, auditRate } });
    expect(rateAt(1, inForce(0.17))).toBe(0.17);
    expect(rateAt(1, inForce(0.15))).toBe(0.2);
    expect(rateAt(1, inForce(0.24))).toBe(0.24);
    expect(rateAt(1, inForce(0.3))).toBe(0.2);
    expect(rateAt(0.1, inForce(0.9))).toBe(1);
  });

  test('is never below the base that the settings ask for', () => {
    const settings = aService({ auditRate: 0.022 });
    expect(rateAt(100, { traffic: { rowsPerSecond: 100, auditRate: 0.02 } }, { settings })).toBe(
      0.022,
    );
  });

  test('of a new service is everything', () => {
    expect(chooseAuditRate(aLedger(), anInput())).toBe(1);
  });
});
