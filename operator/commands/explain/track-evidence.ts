import { LAMBDAS } from '../../../crds/wire/lambda-grid.ts';
import { auditedRows, countsAt, latestLook, nextLookRows } from '../../lifecycle/attempts.ts';
import type { Attempt, CandidateRecord, Ledger, StableRecord } from '../../lifecycle/ledger.ts';
import type { TrackEvidence } from './explanation.ts';

/** The evidence of both tracks; a candidate that raises lambda shares stable's. */
export function evidenceOfTracks(
  { stable, candidate }: Ledger,
  nameOf: (digest: string) => string,
): readonly TrackEvidence[] {
  const own = candidate?.evidence ?? null;
  return [
    ...(stable === null ? [] : [toEvidence('stable', stable, stable.evidence, nameOf)]),
    ...(candidate === null || own === null
      ? []
      : [toEvidence('candidate', candidate, own, nameOf)]),
  ];
}

function toEvidence(
  track: TrackEvidence['track'],
  record: StableRecord | CandidateRecord,
  attempt: Attempt,
  nameOf: (digest: string) => string,
): TrackEvidence {
  const lambdaIndex = record.lambdaIndex ?? latestLook(attempt)?.lambdaIndex ?? 0;
  const { budget, confidence } = attempt;
  const audits = auditedRows(attempt);
  const { leaving, disagreements, upperBound } = countsAt(attempt, lambdaIndex);
  return {
    track,
    revision: nameOf(record.headRevision),
    attempt: attempt.attempt,
    audits,
    budget,
    confidence,
    agreement: attempt.agreement ?? 'Strict',
    lambda: lambdaOf(lambdaIndex),
    isCertified: record.certificate !== null,
    disagreements,
    upperBound,
    leavingRatio: audits === 0 ? 0 : leaving / audits,
    looks: attempt.looks.map((look) => ({
      look: look.look,
      audits: look.grid.n,
      lambda: look.lambdaIndex === null ? null : lambdaOf(look.lambdaIndex),
    })),
    nextLookAudits: nextLookRows(attempt),
  };
}

function lambdaOf(index: number): number {
  return LAMBDAS[index] ?? NaN;
}
