// The levels of exits.md 6.2 and 6.3, and the test of one lambda as a server repeats it before it believes a policy.
import type { AgreementName } from '../../crds/wire/agreement.ts';
import { agreementOf } from './agreement.ts';
import { invariant } from './invariant.ts';

/** Shares of delta that the three looks of an attempt spend. */
export const LOOK_SHARES = [0.25, 0.45, 0.3] as const;

/** Counts of audited rows with their dispersion D (exits.md 6.4). Disagreements are units of the agreement, rows where it is Strict. */
export interface DispersedCounts {
  readonly audits: number;
  readonly disagreements: number;
  readonly dispersion: number;
}

/** The counts behind one certified lambda, with the attempt of the episode and the look (1..3) that fix its level. */
export interface CertificateCounts extends DispersedCounts {
  readonly attempt: number;
  readonly look: number;
  /** Absent: Strict. */
  readonly agreement?: AgreementName;
}

/** Share of delta that attempt r = 1, 2, ... of an episode may spend; all together at most 1 (exits.md 6.3). */
export function attemptShare(attempt: number): number {
  invariant(Number.isSafeInteger(attempt) && attempt >= 1, `attempt ${attempt}`);
  return attempt === 1 ? 0.9 : (0.1 * 6) / (Math.PI * (attempt - 1)) ** 2;
}

/** Level of the test at a look: (1 - confidence) x share of the attempt x share of the look. Other looks than 1..3 throw InvariantError. */
export function lookLevel(confidence: number, attempt: number, look: number): number {
  const share = LOOK_SHARES[look - 1];
  invariant(share !== undefined, `look ${look}`);
  invariant(confidence > 0 && confidence < 1, `confidence ${confidence}`);
  return (1 - confidence) * attemptShare(attempt) * share;
}

/** Whole counts that the test takes: floor(n/D), ceil(k/D). D below 1 counts as 1 (exits.md 6.4). */
export function effectiveCounts({ audits, disagreements, dispersion }: DispersedCounts): {
  readonly audits: number;
  readonly disagreements: number;
} {
  const divisor = Math.max(1, dispersion);
  return {
    audits: Math.floor(audits / divisor),
    disagreements: Math.ceil(disagreements / divisor),
  };
}

/**
 * Whether the counts certify a disagreement ratio of at most `budget` at the level of their attempt and look.
 * Everything that is not a sound claim (NaN, fractions, k > n, an unknown look, budget 0) is false: such exits stay off.
 */
export function certificateHolds(
  certificate: CertificateCounts,
  budget: number,
  confidence: number,
): boolean {
  if (!isSoundClaim(certificate)) return false;
  if (!isProperRatio(budget) || !isProperRatio(confidence)) return false;
  const { audits, disagreements } = effectiveCounts(certificate);
  const level = lookLevel(confidence, certificate.attempt, certificate.look);
  return agreementOf(certificate).tail(disagreements, audits, budget) <= level;
}

/** What a certificate says that it is for; certificates of older policies do not say it. */
export interface CertificateScope {
  readonly headRevision?: string;
  readonly lambdaIndex?: number;
}

/**
 * Why a certificate does not speak for these heads at this lambda; null: it does, or it does not say what it is for. A smaller lambda
 * was accepted by the same test (exits.md 6.1), a larger one was not.
 */
export function findScopeProblem(
  certificate: CertificateScope,
  use: { readonly headRevision: string; readonly lambdaIndex: number },
): 'OtherHeads' | 'LargerLambda' | null {
  if ((certificate.headRevision ?? use.headRevision) !== use.headRevision) return 'OtherHeads';
  return use.lambdaIndex > (certificate.lambdaIndex ?? use.lambdaIndex) ? 'LargerLambda' : null;
}

function isSoundClaim(certificate: CertificateCounts): boolean {
  const { audits, disagreements, dispersion, attempt, look } = certificate;
  const { rowUnits } = agreementOf(certificate);
  const areCounts = Number.isSafeInteger(audits) && Number.isSafeInteger(disagreements);
  const areOrdered = disagreements >= 0 && disagreements <= audits * rowUnits;
  const isAttempt = Number.isSafeInteger(attempt) && attempt >= 1;
  return (
    areCounts &&
    areOrdered &&
    dispersion >= 1 &&
    dispersion < Infinity &&
    isAttempt &&
    LOOK_SHARES[look - 1] !== undefined
  );
}

function isProperRatio(ratio: number): boolean {
  return ratio > 0 && ratio < 1;
}
