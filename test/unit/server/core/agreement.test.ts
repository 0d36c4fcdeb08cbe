import { describe, expect, test } from 'vitest';
import { AGREEMENTS, agreementOf } from '../../../../server/core/agreement.ts';
import { binomialTail, binomialUpper } from '../../../../server/core/binomial.ts';
import { boundedLossTail, boundedLossUpper } from '../../../../server/core/bounded-loss.ts';
import { certificateHolds, type CertificateCounts } from '../../../../server/core/certificate.ts';

const { Strict, F1 } = AGREEMENTS;

describe('agreement', () => {
  test('Strict counts a row with any loss, and tests by the binomial law', () => {
    expect([0, 1, 9, 10].map(Strict.unitsOf)).toEqual([0, 1, 1, 1]);
    expect(Strict.tail(3, 1_000, 0.01)).toBe(binomialTail(3, 1_000, 0.01));
  });

  test('F1 counts tenths, and tests by Hoeffding and Bentkus', () => {
    expect([0, 1, 9, 10].map(F1.unitsOf)).toEqual([0, 1, 9, 10]);
    expect(F1.tail(25, 1_000, 0.01)).toBe(boundedLossTail(1_000, 2.5, 0.01));
  });

  test('the upper limit belongs to the test', () => {
    expect(Strict.upper(3, 1_000, 0.05)).toBe(binomialUpper(3, 1_000, 0.05));
    expect(F1.upper(25, 1_000, 0.05)).toBe(boundedLossUpper(1_000, 2.5, 0.05));
  });

  test('units of all rows, or of more than there are, prove nothing', () => {
    expect(F1.tail(100, 10, 0.01)).toBe(1);
    expect(F1.tail(101, 10, 0.01)).toBe(1);
    expect(F1.tail(0, 0, 0.01)).toBe(1);
  });

  test('one that is not named is Strict', () => {
    expect(agreementOf({})).toBe(Strict);
    expect(agreementOf({ agreement: 'F1' })).toBe(F1);
  });
});

describe('a certificate of F1', () => {
  const counts: CertificateCounts = {
    ...{ audits: 3_000, disagreements: 170, dispersion: 1, attempt: 1, look: 2, agreement: 'F1' },
  };
  const holds = (changes: Partial<CertificateCounts>): boolean =>
    certificateHolds({ ...counts, ...changes }, 0.01, 0.95);

  // exits.md 6.6: a loss of 17.0 in 3,000 rows.
  test('holds up to the loss of the table', () => {
    expect(holds({})).toBe(true);
    expect(holds({ disagreements: 171 })).toBe(false);
  });

  test('of the same units as Strict rows does not hold', () => {
    expect(holds({ agreement: 'Strict' })).toBe(false);
  });

  test('shrinks with dispersion', () => {
    expect(holds({ disagreements: 100 })).toBe(true);
    expect(holds({ disagreements: 100, dispersion: 3 })).toBe(false);
  });

  test('with more units than its rows can have is no sound claim', () => {
    expect(holds({ audits: 10, disagreements: 101 })).toBe(false);
    expect(certificateHolds({ ...counts, audits: 10, disagreements: 101 }, 0.999, 0.001)).toBe(
      false,
    );
  });
});
