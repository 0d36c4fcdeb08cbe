import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { ANNOTATIONS } from '../../plan/names.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';
import type { RolloutVerdict } from './explanation.ts';

const HELD = ['Paused', 'Inconclusive'];

/** Where the rollout stands or how the last one ended. */
export function explainRollout({ status, annotations, settings }: ServiceView): RolloutVerdict {
  const { rollout, heads } = status;
  const {
    reason,
    message,
    lastTransitionTime,
    status: state,
  } = conditionOf(status.conditions, 'RolloutSucceeded') ?? UNREPORTED;
  return {
    reason,
    message: `${message}${whoPaused(reason, annotations, settings)}`,
    since: lastTransitionTime,
    isStopped: state === 'False' || HELD.includes(reason),
    checks: (rollout?.checks ?? []).map(toCheck),
    failed: (heads?.failed ?? []).map(toFailed),
  };
}

const UNREPORTED = {
  status: 'Unknown',
  reason: 'NoRollout',
  message: 'The operator has not reported on a rollout.',
  lastTransitionTime: null,
} as const;

type Check = NonNullable<NonNullable<ServiceStatus['rollout']>['checks']>[number];
type Failed = NonNullable<NonNullable<ServiceStatus['heads']>['failed']>[number];

function toCheck({
  type,
  verdict,
  samples,
  value,
  limit,
}: Check): RolloutVerdict['checks'][number] {
  return {
    type,
    verdict: verdict ?? 'Inconclusive',
    samples: samples ?? null,
    value: value ?? null,
    limit: limit ?? null,
  };
}

function toFailed({ revision, reason, time }: Failed): RolloutVerdict['failed'][number] {
  return { revision, reason: reason ?? '', time: time ?? null };
}

function whoPaused(
  reason: string,
  annotations: ServiceView['annotations'],
  settings: ServiceView['settings'],
): string {
  if (reason !== 'Paused') return '';
  if (settings?.paused === true) return ' Field spec.rollout.paused holds it.';
  return annotations[ANNOTATIONS.rollout]?.trim() === 'paused'
    ? ` Annotation ${ANNOTATIONS.rollout} holds it.`
    : '';
}
