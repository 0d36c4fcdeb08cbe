import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { Ledger } from '../../../../lifecycle/ledger.ts';
import { cooldownText, progress } from '../../../../lifecycle/progress.ts';
import { cooldownEndMs } from '../../../../lifecycle/training-wishes.ts';
import type { Decision, LifecycleInput } from '../../../../lifecycle/types.ts';
import { trainingJobName } from '../../../../plan/names.ts';
import { toTime } from '../../../../plan/status/time.ts';
import { toVerdict, type Verdict } from '../../../../plan/status/verdict.ts';

/** Where training stands; null: it is off. `last` is how the one before ended. */
export function judgeTraining(
  ledger: Ledger,
  input: LifecycleInput,
  last: Verdict | null,
): Verdict | null {
  const { stage, training } = ledger;
  if (input.pin !== null) {
    const what = 'heads.revision is set, so no heads are trained; remove it to train again.';
    return toVerdict('Unknown', 'RevisionPinned', what);
  }
  if (input.settings.trainingMode === 'Off' || stage === 'Idle') return null;
  if (training.request !== null) {
    return toVerdict('Unknown', 'Running', progress(ledger, input).message);
  }
  return judgeNext(ledger, input, last);
}

/** None runs: how the last one ended, or what the next one waits for. */
function judgeNext(ledger: Ledger, input: LifecycleInput, last: Verdict | null): Verdict | null {
  const { stage, training } = ledger;
  const isWanted = stage === 'Collecting' || training.waiting !== null;
  // A failure asks for something; a success says nothing about the next training.
  if (last !== null && (last.status === 'False' || !isWanted)) return last;
  const waitMs = cooldownEndMs(ledger, input) - input.nowMs;
  if (waitMs > 0) return toVerdict('Unknown', 'Cooldown', cooldownText(waitMs));
  if (!isWanted) return null;
  return toVerdict('Unknown', 'WaitingForSamples', progress(ledger, input).message);
}

const FAILURES: ReadonlySet<string> = new Set([
  'TrainingFailed',
  'TooFewRows',
  'DeadlineExceeded',
  'UploadFailed',
]);

/** `status.training`, out of what was decided since the last one. */
export function trainingOf(
  service: string,
  ledger: Ledger,
  { decisions, input }: { readonly decisions: readonly Decision[]; readonly input: LifecycleInput },
  before: ServiceStatus['training'],
): ServiceStatus['training'] {
  const { count } = ledger.training;
  if (count === 0) return before;
  const told = decisions.reduce<NonNullable<ServiceStatus['training']>>((known, decision) => {
    const { reason, nowMs, details, headRevision } = decision;
    if (reason === 'TrainingStarted') {
      return { ...known, lastStartTime: toTime(nowMs), rows: Number(details.rows) };
    }
    if (reason === 'TrainingSucceeded') return { ...known, lastSuccessTime: toTime(nowMs) };
    const hasFailed = FAILURES.has(reason) || (reason === 'NotBetter' && headRevision === null);
    return hasFailed ? { ...known, lastFailureReason: reason } : known;
  }, before ?? {});
  const eligibleMs = cooldownEndMs(ledger, input);
  return {
    ...told,
    ...{ attempt: count, jobName: trainingJobName(service, count) },
    ...(eligibleMs > 0 ? { nextEligibleTime: toTime(eligibleMs) } : {}),
  };
}
