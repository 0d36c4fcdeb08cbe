// Audited rows of stable: for its further looks, its detector and the least number a day.
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { createDetector, thinnedDispersion, updateDetector } from '../../server/core/detector.ts';
import { invariant } from '../../server/core/invariant.ts';
import { disagreementsAt } from '../stats/grid-column.ts';
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
  const rows = toTickRows(windows, stable.exits.length);
  return {
    ...ledger,
    stable: {
      ...stable,
      evidence: addRows(stable.evidence, rows),
      detector: nextDetector(ledger, stable, rows.grid),
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
  grid: EvidenceGrid,
): DetectorRecord | null {
  const { detector, lambdaIndex } = stable;
  if (detector === null || lambdaIndex === null) return null;
  const disagreements = disagreementsAt(grid, lambdaIndex);
  const { budget } = detector;
  const dispersion = dispersionNow(ledger, stable);
  const counts = { audits: grid.n, disagreements, dispersion };
  return { budget, ...updateDetector(detector, { budget, ...counts }) };
}

/** A detector that has seen nothing, for a new certificate, lambda or budget. */
export function freshDetector(budget: number): DetectorRecord {
  return { budget, ...createDetector(budget) };
}
