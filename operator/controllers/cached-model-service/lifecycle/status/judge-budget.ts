import type { AgreementName } from '../../../../../crds/wire/agreement.ts';
import { formatPercent } from '../../../../../crds/v1alpha1/percent.ts';
import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { PolicyCertificate } from '../../../../../crds/wire/policy.ts';
import { auditedRows, countsAt, latestLook } from '../../../../lifecycle/attempts.ts';
import { evidenceOf } from '../../../../lifecycle/candidates.ts';
import type { Attempt, Ledger, StableRecord } from '../../../../lifecycle/ledger.ts';
import { disagreementText } from '../../../../lifecycle/text.ts';
import { toVerdict, type Verdict } from '../../../../plan/status/verdict.ts';

/** What the audits behind the certificate in force say. */
export interface Audited {
  readonly audits: number;
  /** Rows; where the agreement is F1 the sum of their losses. */
  readonly disagreements: number;
  readonly disagreementRatio: number;
  readonly upperRatio: number;
  readonly exitedRatio: number;
  /** Absent: Strict. */
  readonly agreement?: AgreementName;
}

/** On all rows of the attempt so far, at the lambda in force; null without a certificate. */
export function auditedOf(stable: StableRecord | null): Audited | null {
  const lambdaIndex = stable?.lambdaIndex ?? null;
  if (stable === null || lambdaIndex === null) return null;
  const { evidence } = stable;
  const audits = auditedRows(evidence);
  if (audits === 0) return null;
  const { leaving, disagreements, upperBound } = countsAt(evidence, lambdaIndex);
  return {
    audits,
    disagreements,
    disagreementRatio: disagreements / audits,
    upperRatio: upperBound,
    exitedRatio: leaving / audits,
    ...(evidence.agreement === undefined ? {} : { agreement: evidence.agreement }),
  };
}

/** Whether the budget is proven and watched, by the heads that answer; null: nothing answers, and none are in force. */
export function judgeBudget(ledger: Ledger): Verdict | null {
  return judgeCandidate(ledger) ?? (ledger.stable && judgeStable(ledger.stable));
}

/** A candidate that answers while stable does not, or before there is one: the budget rests on its certificate. */
function judgeCandidate(ledger: Ledger): Verdict | null {
  const { stable, candidate, exitsEnabled } = ledger;
  const isAlone = exitsEnabled && stable?.off !== null;
  if (!isAlone || candidate === null) return null;
  const { ramp, certificate } = candidate;
  if (ramp === null || certificate === null) return null;
  const proven = provenText(certificate, evidenceOf(ledger, candidate));
  const what = `${proven}, for the candidate that takes ${formatPercent(ramp.share)} of the traffic`;
  return toVerdict('True', 'Certified', what);
}

function provenText(certificate: PolicyCertificate, { budget, confidence }: Attempt): string {
  const { disagreements, audits } = certificate;
  return (
    `${disagreementText(disagreements, certificate)} in ${audits} audited requests: ` +
    `at most ${formatPercent(budget)} at ${formatPercent(confidence)} confidence`
  );
}

function judgeStable(stable: StableRecord): Verdict {
  const audited = auditedOf(stable);
  const look = latestLook(stable.evidence);
  if (stable.certificate !== null && audited !== null && look !== null) {
    return stable.off === 'InsufficientSamples'
      ? toVerdict('Unknown', 'InsufficientSamples', 'Too few requests were audited in the last day')
      : toVerdict('True', 'Certified', provenText(stable.certificate, stable.evidence));
  }
  if (stable.off === 'Alarm') {
    const what = 'The audits of the heads in force exceeded the budget';
    return toVerdict('False', 'BudgetExceeded', what);
  }
  return stable.off === 'EvidenceVoid'
    ? toVerdict('Unknown', 'EvidenceVoid', 'Too many audits were lost')
    : toVerdict('Unknown', 'NoCertificate', 'The heads in force have no certificate');
}

/** `status.accuracy`; what was measured last stays while nothing is in force. */
export function accuracyOf(
  { stable }: Ledger,
  { saving, time }: { readonly saving: number | null; readonly time: string },
  before: ServiceStatus['accuracy'],
): ServiceStatus['accuracy'] {
  const audited = auditedOf(stable);
  if (audited === null) return before;
  const shown = (ratio: number): string => formatPercent(Number(ratio.toPrecision(3)));
  const figures = {
    disagreement: shown(audited.disagreementRatio),
    upperBound: shown(audited.upperRatio),
    ...(audited.agreement === undefined ? {} : { agreement: audited.agreement }),
    audits: Number(audited.audits.toPrecision(3)),
    exitedShare: shown(audited.exitedRatio),
    ...(saving === null ? {} : { saving: shown(Math.max(0, saving)) }),
  };
  const isSame =
    before !== undefined &&
    before.agreement === audited.agreement &&
    Object.entries(figures).every(
      ([name, value]) => before[name as keyof typeof figures] === value,
    );
  return isSame ? before : { ...figures, measuredTime: time };
}
