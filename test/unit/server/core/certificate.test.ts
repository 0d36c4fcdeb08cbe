import { describe, expect, test } from 'vitest';
import { binomialTail } from '../../../../server/core/binomial.ts';
import {
  LOOK_SHARES,
  attemptShare,
  certificateHolds,
  findScopeProblem,
  effectiveCounts,
  lookLevel,
  type CertificateCounts,
} from '../../../../server/core/certificate.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { expectClose } from '../../../support/expect-close.ts';

const BUDGET = 0.01;
const CONFIDENCE = 0.95;

function aCertificate(changes: Partial<CertificateCounts> = {}): CertificateCounts {
  return { audits: 3000, disagreements: 18, dispersion: 1, attempt: 1, look: 2, ...changes };
}

/** Largest number of disagreements that a look of n audits certifies; null: not even none. */
function largestPassing(audits: number, attempt: number, look: number): number | null {
  const holds = (disagreements: number): boolean =>
    certificateHolds(aCertificate({ audits, disagreements, attempt, look }), BUDGET, CONFIDENCE);
  if (!holds(0)) return null;
  let disagreements = 0;
  while (holds(disagreements + 1)) disagreements++;
  return disagreements;
}

describe('levels', () => {
  test('looks and attempts together spend at most delta', () => {
    expectClose(
      LOOK_SHARES.reduce((sum, share) => sum + share, 0),
      1,
      { abs: 1e-15 },
    );
    let sum = 0;
    for (let attempt = 1; attempt <= 100_000; attempt++) sum += attemptShare(attempt);
    expect(sum).toBeLessThanOrEqual(1);
    expectClose(sum, 1, { abs: 1e-5 });
  });

  test('the level is the product of delta and both shares', () => {
    expectClose(lookLevel(0.95, 1, 2), 0.05 * 0.9 * 0.45, { rel: 1e-14 });
    expectClose(lookLevel(0.95, 3, 3), (0.05 * 0.1 * 6 * 0.3) / (Math.PI ** 2 * 4), { rel: 1e-14 });
  });

  // exits.md 6.3: k at 10, 30, 100 / budget audits.
  test.each([
    [1, [3, 18, 78]],
    [2, [1, 14, 69]],
    [3, [0, 12, 66]],
    [5, [0, 11, 63]],
    [10, [null, 9, 60]],
  ])('attempt %i passes with at most these disagreements: %j', (attempt, expected) => {
    const passing = [1000, 3000, 10_000].map((audits, look) =>
      largestPassing(audits, attempt, look + 1),
    );
    expect(passing).toEqual(expected);
  });

  test('a busy service passes with 169 of 20,000 and 930 of 100,000 at the third look', () => {
    expect(largestPassing(20_000, 1, 3)).toBe(169);
    expect(largestPassing(100_000, 1, 3)).toBe(930);
  });

  test.each([0, -1, 1.5, NaN])('attempt %s does not exist', (attempt) => {
    expect(() => attemptShare(attempt)).toThrow(new InvariantError(`attempt ${attempt}`));
  });

  test.each([0, 4, 1.5, NaN])('look %s does not exist', (look) => {
    expect(() => lookLevel(0.95, 1, look)).toThrow(new InvariantError(`look ${look}`));
  });

  test.each([0, 1, NaN])('a confidence of %s has no level', (confidence) => {
    expect(() => lookLevel(confidence, 1, 1)).toThrow(
      new InvariantError(`confidence ${confidence}`),
    );
  });
});

describe('dispersion', () => {
  test('audits are divided and rounded down, disagreements rounded up', () => {
    expect(effectiveCounts({ audits: 3000, disagreements: 18, dispersion: 1.7 })).toEqual({
      audits: 1764,
      disagreements: 11,
    });
  });

  test('below 1 it counts as 1', () => {
    expect(effectiveCounts({ audits: 10, disagreements: 3, dispersion: 0.5 })).toEqual({
      audits: 10,
      disagreements: 3,
    });
  });

  test('a dispersed certificate is tested on its effective counts', () => {
    const certificate = aCertificate({ audits: 6000, disagreements: 36, dispersion: 2 });
    expect(certificateHolds(certificate, BUDGET, CONFIDENCE)).toBe(true);
    expect(certificateHolds({ ...certificate, disagreements: 37 }, BUDGET, CONFIDENCE)).toBe(false);
  });

  test('a dispersion that leaves no whole audit certifies nothing', () => {
    const certificate = aCertificate({ audits: 10, disagreements: 0, dispersion: 11 });
    expect(certificateHolds(certificate, BUDGET, CONFIDENCE)).toBe(false);
  });
});

describe('what a server believes', () => {
  test('units of partly right rows may be more than there are rows', () => {
    const partly = aCertificate({ agreement: 'F1', audits: 1_000, disagreements: 200 });
    expect(certificateHolds(partly, 0.05, CONFIDENCE)).toBe(true);
    expect(certificateHolds({ ...partly, disagreements: 500 }, 0.05, CONFIDENCE)).toBe(false);
  });

  test('counts at the level pass, one disagreement more does not', () => {
    expect(certificateHolds(aCertificate(), BUDGET, CONFIDENCE)).toBe(true);
    expect(certificateHolds(aCertificate({ disagreements: 19 }), BUDGET, CONFIDENCE)).toBe(false);
  });

  test('a tail exactly at the level passes', () => {
    // One agreeing audit proves 1 - budget; of the budgets around 1 - level, rounding decides which hits the level.
    const level = lookLevel(0.01, 1, 2);
    const budgets = Array.from({ length: 41 }, (_, i) => 1 - level + (i - 20) * 2 ** -53);
    const budget = budgets.find((one) => binomialTail(0, 1, one) === level)!;
    const certificate = aCertificate({ audits: 1, disagreements: 0 });
    expect(certificateHolds(certificate, budget, 0.01)).toBe(true);
    expect(certificateHolds(certificate, budget - 1e-9, 0.01)).toBe(false);
  });

  test('a tighter budget or a higher confidence may refuse the same counts', () => {
    expect(certificateHolds(aCertificate(), 0.009, CONFIDENCE)).toBe(false);
    expect(certificateHolds(aCertificate(), BUDGET, 0.99)).toBe(false);
  });

  test.each<[string, Partial<CertificateCounts>]>([
    ['audits that are not a number', { audits: NaN }],
    ['a fraction of audits', { audits: 3000.5 }],
    ['a fraction of disagreements', { disagreements: 0.5 }],
    ['negative disagreements', { disagreements: -1 }],
    ['more disagreements than audits', { audits: 3000, disagreements: 3001 }],
    ['no audits', { audits: 0, disagreements: 0 }],
    ['a dispersion below 1', { dispersion: 0.5 }],
    ['a dispersion that is not a number', { dispersion: NaN }],
    ['an infinite dispersion', { dispersion: Infinity }],
    ['attempt 0', { attempt: 0 }],
    ['half an attempt', { attempt: 1.5 }],
    ['look 0', { look: 0 }],
    ['look 4', { look: 4 }],
  ])('%s certify nothing', (_, changes) => {
    expect(certificateHolds(aCertificate(changes), BUDGET, CONFIDENCE)).toBe(false);
  });

  test.each([
    [0, 0.95],
    [NaN, 0.95],
    [1, 0.95],
    [0.01, 0],
    [0.01, 1],
    [0.01, NaN],
  ])('budget %s with confidence %s certifies nothing', (budget, confidence) => {
    expect(certificateHolds(aCertificate({ disagreements: 0 }), budget, confidence)).toBe(false);
  });
});

describe('what a certificate is for', () => {
  const use = { headRevision: 'sha256:a', lambdaIndex: 60 };

  test.each([
    ['these heads at this lambda', { headRevision: 'sha256:a', lambdaIndex: 60 }, null],
    ['a larger lambda: smaller ones passed too', { ...use, lambdaIndex: 61 }, null],
    ['a smaller lambda', { ...use, lambdaIndex: 59 }, 'LargerLambda'],
    ['other heads', { ...use, headRevision: 'sha256:b' }, 'OtherHeads'],
    ['something that an older policy does not say', {}, null],
  ])('%s', (_, certificate, problem) => {
    expect(findScopeProblem(certificate, use)).toBe(problem);
  });
});
