// Audited rows of stable: for its further looks, its detector and the least number a day.
import type { AgreementName } from '../../crds/wire/agreement.ts';
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import {
  createDetector,
  thinnedDispersion,
  updateDetector,
  updateLossDetector,
  type LossWindow,
} from '../../server/core/detector.ts';
import { invariant } from '../../server/core/invariant.ts';
import { auditsByLoss } from '../stats/window-losses.ts';
import { addRows, auditShare } from './attempts.ts';
import type { DetectorRecord, Ledger, StableRecord } from './ledger.ts';
import { evidenceWindows, isAfterFence, toTickRows, type Tick } from './tick.ts';

/** Adds a tick to stable's evidence. After a switch-off only windows of later policies count. */
export function countStable(ledger: Ledger, tick: Tick): Ledger {
  const { stable } = ledger;
  if (stable === null) return ledger;
  const windows = evidenceWindows(tick, stable.headRevision).filter((window) =>
    isAfterFence(window, ledger.fence),
  );
  const rows = toTickRows(windows, stable.exits.length, stable.evidence);
  return {
    ...ledger,
    stable: {
      ...stable,
      evidence: addRows(stable.evidence, rows),
      detector: nextDetector(ledger, stable, windows),
      day: { ...stable.day, audits: stable.day.audits + rows.grid.n },
    },
  };
}

/** D of stable's certificate at the audit rate of now: thinning breaks bursts up (exits.md 8.1). */
export function dispersionNow(
  { traffic }: Ledger,
  { certificate, evidence }: StableRecord,
): number {
  invariant(certificate !== null, 'a detector watches a certificate');
  return thinnedDispersion(certificate.dispersion, traffic.auditRate, auditShare(evidence));
}

function nextDetector(
  ledger: Ledger,
  stable: StableRecord,
  windows: readonly EvidenceWindow[],
): DetectorRecord | null {
  const { detector, lambdaIndex, evidence } = stable;
  if (detector === null || lambdaIndex === null) return null;
  const dispersion = dispersionNow(ledger, stable);
  const audits = auditsByLoss(windows, lambdaIndex);
  return watch(detector, { audits, dispersion, agreement: evidence.agreement ?? 'Strict' });
}

/** Adds audited rows, by their loss at the lambda in force, to a detector. */
export function watch(
  { budget, ...state }: DetectorRecord,
  {
    audits,
    dispersion,
    agreement,
  }: Omit<LossWindow, 'budget'> & { readonly agreement: AgreementName },
): DetectorRecord {
  if (agreement === 'F1') {
    return { budget, ...updateLossDetector(state, { budget, audits, dispersion }) };
  }
  const [agreeing = 0, ...others] = audits;
  const disagreements = others.reduce((sum, rows) => sum + rows, 0);
  const counts = { audits: agreeing + disagreements, disagreements, dispersion };
  return { budget, ...updateDetector(state, { budget, ...counts }) };
}

/** A detector that has seen nothing, for a new certificate, lambda or budget. */
export function freshDetector(budget: number): DetectorRecord {
  return { budget, ...createDetector(budget) };
}
