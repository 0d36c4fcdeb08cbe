import { parsePercent } from '../../../crds/v1alpha1/percent.ts';
import { auditedRows, countsAt } from '../../lifecycle/attempts.ts';
import type { Ledger, StableRecord } from '../../lifecycle/ledger.ts';
import type { Picture } from '../../local/page/state/page-state.ts';
import { trackCertificate } from '../../local/web/track-certificate.ts';
import { evidenceGrids } from '../evidence/evidence-grid.ts';
import type { LedgerView, ServiceView } from '../service/service-view.ts';

type Evidence = Pick<Picture, 'disagreement' | 'certificate' | 'curve'> & {
  /** Why there is none; null: there is, or nothing was audited yet. */
  readonly unshown: string | null;
};

const NO_AUDITS = { n: 0, k: 0, upper: 1 };
/** Every third of 120: a line on a page shows no more. */
const CURVE_STEP = 3;

/** What the audits of all pods say together: the operator's ledger, else as much as the status repeats of it. */
export function clusterEvidence(service: ServiceView, view: LedgerView): Evidence {
  const disagreement = clusterDisagreement(service, view);
  const { ledger, problem } = view;
  if (ledger === null) {
    return { disagreement, certificate: null, curve: null, unshown: `No evidence: ${problem}.` };
  }
  return {
    disagreement,
    // Of the heads that are about to answer, else of those that do.
    certificate: trackCertificate(ledger.candidate?.certificate ? ledger.candidate : ledger.stable),
    curve: curveOf(ledger),
    unshown: whyOff(ledger.stable),
  };
}

/** Of what answers now. */
export function clusterDisagreement(
  service: ServiceView,
  { ledger }: LedgerView,
): Picture['disagreement'] {
  return ledger === null ? reportedDisagreement(service) : disagreementOf(ledger.stable);
}

/** Audited rows at the lambda in force, bounded as in `status.accuracy`. */
function disagreementOf(stable: StableRecord | null): Picture['disagreement'] {
  const lambdaIndex = stable?.lambdaIndex ?? null;
  if (stable === null || lambdaIndex === null) return NO_AUDITS;
  const { disagreements, upperBound } = countsAt(stable.evidence, lambdaIndex);
  return { n: auditedRows(stable.evidence), k: disagreements, upper: upperBound };
}

/** The status has shares alone: the count is the one nearest to its rounded share. */
function reportedDisagreement({ status: { accuracy = {} } }: ServiceView): Picture['disagreement'] {
  const { audits: n = 0, disagreement = '', upperBound = '' } = accuracy;
  const [share, upper] = [parsePercent(disagreement), parsePercent(upperBound)];
  if (n === 0 || Number.isNaN(share) || Number.isNaN(upper)) return NO_AUDITS;
  return { n, k: Math.round(n * share), upper };
}

/** Of the heads under test, else of those in force. */
function curveOf(ledger: Ledger): Picture['curve'] {
  const grid = evidenceGrids(ledger).findLast(({ audits }) => audits > 0);
  if (grid === undefined) return null;
  const rows = grid.rows.filter(({ lambdaIndex }) => lambdaIndex % CURVE_STEP === CURVE_STEP - 1);
  return {
    headRevision: grid.digest,
    n: grid.audits,
    lambda: rows.map(({ lambda }) => lambda),
    disagreement: rows.map(({ disagreementRatio }) => disagreementRatio),
    leaving: rows.map(({ leaving }) => leaving / grid.audits),
  };
}

function whyOff(stable: StableRecord | null): string | null {
  if (stable?.lambdaIndex !== null) return null;
  return `No certificate is in force${stable.off === null ? '' : ` (${stable.off})`}: the backbone answers everything, and what is audited tests the heads anew.`;
}
