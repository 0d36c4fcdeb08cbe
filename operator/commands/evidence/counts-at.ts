import { binomialUpper } from '../../../server/core/binomial.ts';
import { auditedRows, rowsAt } from '../../lifecycle/attempts.ts';
import type { Attempt } from '../../lifecycle/ledger.ts';

/** What the audits of an attempt say of one lambda. */
export interface LambdaCounts {
  readonly leaving: number;
  readonly disagreements: number;
  /** Of the disagreement, at the attempt's confidence; 1 before the first row. */
  readonly upperBound: number;
}

export function countsAt(attempt: Attempt, lambdaIndex: number): LambdaCounts {
  const audits = auditedRows(attempt);
  const rows = rowsAt(attempt, lambdaIndex);
  const delta = 1 - attempt.confidence;
  return {
    ...rows,
    upperBound: audits === 0 ? 1 : binomialUpper(rows.disagreements, audits, delta),
  };
}
