import type { AgreementName } from '../../../crds/wire/agreement.ts';
import { LAMBDAS } from '../../../crds/wire/lambda-grid.ts';
import { agreementOf } from '../../../server/core/agreement.ts';
import { auditedRows, countsAt, latestLook } from '../../lifecycle/attempts.ts';
import type { Attempt, CandidateRecord, Ledger, StableRecord } from '../../lifecycle/ledger.ts';
import { dispersionOf } from '../../stats/dispersion.ts';

/** One lambda of the merged grid. */
export interface GridRow {
  readonly lambdaIndex: number;
  readonly lambda: number;
  readonly audits: number;
  readonly leaving: number;
  /** Rows; where the agreement is F1 the sum of their losses. */
  readonly disagreements: number;
  readonly disagreementRatio: number;
  /** Of this lambda alone, bursts not counted: what the certificate asks for is stricter. */
  readonly upperBound: number;
  /** In force now. */
  readonly isInForce: boolean;
}

export interface TrackGrid {
  readonly track: 'stable' | 'candidate';
  readonly digest: string;
  readonly exits: readonly string[];
  readonly attempt: number;
  readonly budget: number;
  readonly confidence: number;
  /** What the budget bounds. */
  readonly agreement: AgreementName;
  readonly audits: number;
  readonly blocks: number;
  /** Variance of the blocks against the binomial one. */
  readonly dispersion: number;
  readonly pods: number;
  readonly lookLambda: number | null;
  readonly rows: readonly GridRow[];
}

/** The evidence of both tracks, merged over all pods, for all 120 lambdas. */
export function evidenceGrids({ stable, candidate }: Ledger): readonly TrackGrid[] {
  const own = candidate?.evidence ?? null;
  return [
    ...(stable === null ? [] : [toGrid('stable', stable, stable.evidence)]),
    ...(candidate === null || own === null ? [] : [toGrid('candidate', candidate, own)]),
  ];
}

function toGrid(
  track: TrackGrid['track'],
  record: StableRecord | CandidateRecord,
  attempt: Attempt,
): TrackGrid {
  const { blocks, budget, confidence } = attempt;
  const audits = auditedRows(attempt);
  const lookIndex = latestLook(attempt)?.lambdaIndex ?? null;
  return {
    track,
    digest: record.headRevision,
    exits: record.exits,
    attempt: attempt.attempt,
    budget,
    confidence,
    agreement: attempt.agreement ?? 'Strict',
    audits,
    blocks: blocks.blocks,
    dispersion: dispersionOf(blocks, agreementOf(attempt)),
    pods: attempt.pods.length,
    lookLambda: lookIndex === null ? null : (LAMBDAS[lookIndex] ?? null),
    rows: LAMBDAS.map((lambda, lambdaIndex) => {
      const { leaving, disagreements, upperBound } = countsAt(attempt, lambdaIndex);
      return {
        lambdaIndex,
        lambda,
        audits,
        leaving,
        disagreements,
        disagreementRatio: audits === 0 ? 0 : disagreements / audits,
        upperBound,
        isInForce: record.lambdaIndex === lambdaIndex,
      };
    }),
  };
}
