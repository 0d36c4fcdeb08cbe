import { LAMBDAS } from '../../../../../crds/wire/lambda-grid.ts';
import { formatPercent } from '../../../../../crds/v1alpha1/percent.ts';
import type { Reason } from '../../../../../crds/v1alpha1/reasons.ts';
import type { Ledger } from '../../../../lifecycle/ledger.ts';
import { progress } from '../../../../lifecycle/progress.ts';
import type { LifecycleInput, LifecycleStage } from '../../../../lifecycle/types.ts';
import { toVerdict, type Verdict } from '../../../../plan/status/verdict.ts';
import type { Outcomes } from './outcomes.ts';

const WAITING: Record<LifecycleStage, Reason> = {
  Idle: 'Disabled',
  Collecting: 'CollectingSamples',
  Training: 'Training',
  Staging: 'Shadowing',
  Shadowing: 'Shadowing',
  Ramping: 'Shadowing',
  Serving: 'NoCertificate',
  Recertifying: 'Recertifying',
};

const PIN_FAILED =
  'The backbone answers everything: the heads of heads.revision did not come into force.';

/** Of heads that did not come into force; of other ends nothing is to be said here. */
const OF_ROLLOUT: Readonly<Partial<Record<Reason, Reason>>> = {
  NotCertified: 'NotCertified',
  NotWorthwhile: 'NotWorthwhile',
  Aborted: 'RolloutAborted',
  AbortedByUser: 'RolloutAborted',
  LoadFailed: 'RolloutAborted',
  CrashedPods: 'RolloutAborted',
};

/** Whether requests leave early, and what is missing for it. Null: what the spec says already tells it. */
export function judgeExits(
  ledger: Ledger,
  input: LifecycleInput,
  outcomes: Outcomes,
): Verdict | null {
  const { stage } = ledger;
  const { exitMode, trainingMode } = input.settings;
  if (stage === 'Idle' || exitMode !== 'Active') return null;
  if (ledger.exitsEnabled) return judgeAnswering(ledger);
  if (stage === 'Collecting' && trainingMode === 'Off') {
    return input.pin === null ? null : toVerdict('False', 'RolloutAborted', PIN_FAILED);
  }
  return judgeWaiting(ledger, progress(ledger, input).message, outcomes);
}

function judgeWaiting({ stage, stable }: Ledger, message: string, outcomes: Outcomes): Verdict {
  return stable === null && stage === 'Collecting'
    ? judgeCollecting(outcomes, message)
    : waiting(stable?.off ?? WAITING[stage], message);
}

function waiting(reason: Reason, message: string): Verdict {
  return toVerdict('False', reason, `The backbone answers everything. ${message}`);
}

/** Rows are collected for the first heads, or again since the last ones came to nothing: the training comes before the rollout. */
function judgeCollecting({ training, rollout }: Outcomes, message: string): Verdict {
  if (training?.status === 'False') return failed('TrainingFailed', 'Trained', message);
  const reason = rollout?.status === 'False' ? OF_ROLLOUT[rollout.reason] : undefined;
  if (reason !== undefined) return failed(reason, 'RolloutSucceeded', message);
  return waiting('CollectingSamples', message);
}

function failed(reason: Reason, condition: string, message: string): Verdict {
  const what = `The backbone answers everything: condition ${condition} says why. ${message}`;
  return toVerdict('False', reason, what);
}

/** Stable answers, or a candidate before there is one. */
function judgeAnswering({ stable, candidate }: Ledger): Verdict {
  if (stable?.off === null && stable.lambdaIndex !== null) {
    const what = `Exits ${stable.exits.join(', ')} may answer at lambda ${LAMBDAS[stable.lambdaIndex]}`;
    return toVerdict('True', 'Serving', what);
  }
  const share = candidate?.ramp?.share ?? 0;
  return toVerdict('True', 'Ramping', `A candidate takes ${formatPercent(share)} of the traffic`);
}
