import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { Reason } from '../../../../../crds/v1alpha1/reasons.ts';
import type { Decision } from '../../../../lifecycle/types.ts';
import { toVerdict, type Verdict } from '../../../../plan/status/verdict.ts';

/** How the last rollout and the last training ended; null: none that is remembered. */
export interface Outcomes {
  readonly rollout: Verdict | null;
  readonly training: Verdict | null;
}

const ROLLOUT: Partial<Record<Reason, readonly [Verdict['status'], Reason]>> = {
  RolloutPromoted: ['True', 'Promoted'],
  RolloutAborted: ['False', 'Aborted'],
  Inconclusive: ['False', 'Aborted'],
  AbortedByUser: ['False', 'AbortedByUser'],
  LoadFailed: ['False', 'LoadFailed'],
  CrashedPods: ['False', 'CrashedPods'],
  Superseded: ['False', 'Superseded'],
  NotCertified: ['False', 'NotCertified'],
  NotWorthwhile: ['False', 'NotWorthwhile'],
};

const TRAINING: Partial<Record<Reason, readonly [Verdict['status'], Reason]>> = {
  TrainingSucceeded: ['True', 'Completed'],
  TrainingFailed: ['False', 'Failed'],
  TooFewRows: ['False', 'TooFewRows'],
  DeadlineExceeded: ['False', 'DeadlineExceeded'],
  UploadFailed: ['False', 'UploadFailed'],
};

/** What these decisions ended, else what was remembered. A word about both tells itself apart by the revision that it names. */
export function nextOutcomes(before: Outcomes, decisions: readonly Decision[]): Outcomes {
  return decisions.reduce<Outcomes>((known, { reason, message, headRevision }) => {
    const isNotBetter = reason === 'NotBetter';
    const ended: readonly [Verdict['status'], Reason] = ['False', 'NotBetter'];
    const rollout = isNotBetter && headRevision !== null ? ended : ROLLOUT[reason];
    const training = isNotBetter && headRevision === null ? ended : TRAINING[reason];
    return {
      rollout: rollout === undefined ? known.rollout : toVerdict(...rollout, message),
      training: training === undefined ? known.training : toVerdict(...training, message),
    };
  }, before);
}

/** As the last status has them: what a new leader knows of the one before. */
export function statedOutcomes({ conditions = [] }: ServiceStatus): Outcomes {
  const stated = (
    type: string,
    reasons: readonly (readonly [unknown, Reason])[],
  ): Verdict | null => {
    const found = conditions.find((condition) => condition.type === type);
    const isOutcome = reasons.some(([, reason]) => reason === found?.reason);
    if (found === undefined || !isOutcome) return null;
    return { status: found.status, reason: found.reason as Reason, message: found.message };
  };
  return {
    rollout: stated('RolloutSucceeded', [...Object.values(ROLLOUT), ['False', 'NotBetter']]),
    training: stated('Trained', [...Object.values(TRAINING), ['False', 'NotBetter']]),
  };
}
