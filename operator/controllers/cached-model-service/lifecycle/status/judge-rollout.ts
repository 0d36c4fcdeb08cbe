import { formatPercent } from '../../../../../crds/v1alpha1/percent.ts';
import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { CandidateRecord, Ledger } from '../../../../lifecycle/ledger.ts';
import { progress } from '../../../../lifecycle/progress.ts';
import type { LifecycleInput } from '../../../../lifecycle/types.ts';
import { toTime } from '../../../../plan/status/time.ts';
import { toVerdict, type Verdict } from '../../../../plan/status/verdict.ts';

/** What becomes of the candidate; null: there is none. */
export function judgeRollout(ledger: Ledger, input: LifecycleInput): Verdict | null {
  const { candidate } = ledger;
  if (candidate === null) return null;
  const { message } = progress(ledger, input);
  const stage = stageOf(ledger, candidate);
  if (input.settings.paused && stage === 'Ramping') return toVerdict('Unknown', 'Paused', message);
  if (candidate.ramp?.isOverdue === true) return toVerdict('Unknown', 'Inconclusive', message);
  return toVerdict('Unknown', stage, message);
}

function stageOf(
  { stage }: Ledger,
  { ramp }: CandidateRecord,
): 'Staging' | 'Shadowing' | 'Ramping' {
  if (ramp !== null) return 'Ramping';
  return stage === 'Staging' ? 'Staging' : 'Shadowing';
}

/** `status.rollout` while there is a candidate. */
export function rolloutOf(ledger: Ledger, input: LifecycleInput): ServiceStatus['rollout'] {
  const { candidate } = ledger;
  if (candidate === null) return undefined;
  const { steps } = input.settings;
  const { headRevision, ramp } = candidate;
  const loadedReplicas = input.pods.filter(
    ({ ready, acknowledgement }) =>
      ready && acknowledgement?.headRevisions.includes(headRevision) === true,
  ).length;
  const shared = {
    stage: stageOf(ledger, candidate),
    steps: steps.length,
    loadedReplicas,
    message: progress(ledger, input).message,
  };
  if (ramp === null) return { ...shared, share: formatPercent(0) };
  return {
    ...shared,
    step: steps.findIndex(({ share }) => share >= ramp.share) + 1,
    share: formatPercent(ramp.share),
    stepStartTime: toTime(ramp.sinceMs),
    checks: checksOf(ramp, input),
  };
}

type Ramp = NonNullable<CandidateRecord['ramp']>;

/** What the step has measured so far; the verdicts are those of the last evaluation. */
function checksOf(
  { audits, disagreements, detector, guards, failing }: Ramp,
  { settings }: LifecycleInput,
): NonNullable<NonNullable<ServiceStatus['rollout']>['checks']> {
  const verdictOf = (type: string, isMeasured: boolean) => {
    if (failing.includes(type)) return 'Fail' as const;
    return isMeasured ? ('Pass' as const) : ('Inconclusive' as const);
  };
  const shown = (ratio: number): string => formatPercent(Number(Math.min(1, ratio).toPrecision(3)));
  const measured = settings.checks.map(({ type }) => {
    const guard = type === 'Saving' ? undefined : guards[type];
    const samples = guard?.requests ?? 0;
    const value = samples > 0 ? { value: shown((guard?.above ?? 0) / samples) } : {};
    return { type, verdict: verdictOf(type, samples >= settings.minRequests), samples, ...value };
  });
  return [
    {
      type: 'Disagreement',
      verdict: verdictOf('Disagreement', audits > 0),
      samples: audits,
      ...(audits > 0 ? { value: shown(disagreements / audits) } : {}),
      limit: shown(detector.budget),
    },
    ...measured,
  ];
}
