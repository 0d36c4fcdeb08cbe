import { LAMBDAS } from '../../../crds/wire/lambda-grid.ts';
import { binomialUpper } from '../../../server/core/binomial.ts';
import { auditedRows, latestLook, nextLookRows } from '../../lifecycle/attempts.ts';
import type { Attempt, CandidateRecord, Ledger, StableRecord } from '../../lifecycle/ledger.ts';
import { disagreementsAt, leavingAt } from '../../stats/grid-column.ts';
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
  const { blocks, budget, confidence } = attempt;
  const grids = [blocks.closed, blocks.open];
  const audits = auditedRows(attempt);
  const disagreements = grids.reduce((sum, grid) => sum + disagreementsAt(grid, lambdaIndex), 0);
  const leaving = grids.reduce((sum, grid) => sum + leavingAt(grid, lambdaIndex), 0);
  return {
    track,
    revision: nameOf(record.headRevision),
    attempt: attempt.attempt,
    audits,
    budget,
    confidence,
    lambda: lambdaOf(lambdaIndex),
    isCertified: record.certificate !== null,
    disagreements,
    upperBound: audits === 0 ? 1 : binomialUpper(disagreements, audits, 1 - confidence),
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
