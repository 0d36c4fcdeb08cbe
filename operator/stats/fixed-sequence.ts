// Fixed-sequence test over the lambda grid (exits.md 6.1): with lambda_i the first of risk above the budget, any wrong
// acceptance needs lambda_i accepted, which has probability <= level. No correction for 120 tests, no monotone risk needed.
import type { AgreementName } from '../../crds/wire/agreement.ts';
import { certificateHolds } from '../../server/core/certificate.ts';
import type { RowColumn } from './pod-rows.ts';

/** What fixes the level and the size of the test. */
export interface SequenceTest {
  readonly budget: number;
  readonly confidence: number;
  /** 1-based attempt of the episode and 1-based look. */
  readonly attempt: number;
  readonly look: number;
  /** D of exits.md 6.4, >= 1: one for all lambdas, or one for each. */
  readonly dispersion: number | readonly number[];
  /** What a unit of `dis` is; absent: Strict. */
  readonly agreement?: AgreementName;
}

/**
 * Index of the largest lambda accepted before the first failure, or null when lambda_0 fails.
 * Every column is the very test that servers repeat. No rows, budget 0 or anything unsound gives null: exits stay off.
 */
export function largestAccepted(rows: RowColumn, test: SequenceTest): number | null {
  const { budget, confidence, dispersion, ...level } = test;
  const failure = rows.dis.findIndex((disagreements, j) => {
    const own = typeof dispersion === 'number' ? dispersion : (dispersion[j] ?? NaN);
    const counts = { audits: rows.n, disagreements, dispersion: own, ...level };
    return !certificateHolds(counts, budget, confidence);
  });
  const accepted = failure === -1 ? rows.dis.length : failure;
  return accepted === 0 ? null : accepted - 1;
}
