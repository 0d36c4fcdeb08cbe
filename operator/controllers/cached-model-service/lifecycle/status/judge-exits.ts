import { LAMBDAS } from '../../../../../crds/wire/lambda-grid.ts';
import { formatPercent } from '../../../../../crds/v1alpha1/percent.ts';
import type { Reason } from '../../../../../crds/v1alpha1/reasons.ts';
import type { Ledger } from '../../../../lifecycle/ledger.ts';
import { progress } from '../../../../lifecycle/progress.ts';
import type { LifecycleInput, LifecycleStage } from '../../../../lifecycle/types.ts';
import { toVerdict, type Verdict } from '../../../../plan/status/verdict.ts';

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

/** Whether requests leave early, and what is missing for it. Null: what the spec says already tells it. */
export function judgeExits(ledger: Ledger, input: LifecycleInput): Verdict | null {
  const { stage, stable } = ledger;
  const { exitMode, trainingMode } = input.settings;
  if (stage === 'Idle' || exitMode !== 'Active') return null;
  if (ledger.exitsEnabled) return judgeAnswering(ledger);
  if (stage === 'Collecting' && trainingMode === 'Off') {
    return input.pin === null ? null : toVerdict('False', 'RolloutAborted', PIN_FAILED);
  }
  const { message } = progress(ledger, input);
  const reason = stable?.off ?? WAITING[stage];
  return toVerdict('False', reason, `The backbone answers everything. ${message}`);
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
