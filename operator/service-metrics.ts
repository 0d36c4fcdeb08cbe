import { OPERATOR_METRICS } from '../crds/metrics/operator-catalogue.ts';
import type { Condition } from '../crds/v1alpha1/conditions.ts';
import type { ServiceStatus } from '../crds/v1alpha1/service-status.ts';
import type { MetricHandles, ServiceName } from './metrics.ts';

/** The families that a status fills whole. */
export const SHOWN_FAMILIES = [
  'serviceInfo',
  'serviceCondition',
  'serviceReplicas',
  'serviceBudget',
  'serviceDisagreement',
  'serviceEvidence',
  'serviceNetSaving',
  'serviceCandidateShare',
  'rolloutTransition',
] as const;

const CONDITION_VALUES = { True: 1, False: 0, Unknown: -1 } as const satisfies Record<
  Condition['status'],
  number
>;

type ServiceLabels = Readonly<Record<'model_namespace' | 'model', string>>;

export function labelsOf({ namespace, name }: ServiceName): ServiceLabels {
  return { model_namespace: namespace, model: name };
}

/** What a status says, as figures. What it does not say has no series: absent is unknown, and never 0. */
export function showService(
  handles: MetricHandles,
  service: ServiceName,
  { status, budgetRatio }: { readonly status: ServiceStatus; readonly budgetRatio: number | null },
): void {
  const labels = labelsOf(service);
  if (budgetRatio !== null) handles.serviceBudget.set(labels, budgetRatio);
  const { engine = '', format = '' } = status.backbone ?? {};
  handles.serviceInfo.set({ ...labels, engine, format }, 1);
  for (const { type, status: value } of status.conditions ?? []) {
    handles.serviceCondition.set({ ...labels, condition: type }, CONDITION_VALUES[value]);
  }
  const replicas = {
    current: status.replicas,
    ready: status.readyReplicas,
    acknowledged: status.policy?.appliedReplicas,
  };
  for (const state of OPERATOR_METRICS.serviceReplicas.labels.state) {
    handles.serviceReplicas.set({ ...labels, state }, replicas[state] ?? 0);
  }
  showAccuracy(handles, labels, status);
  showRollout(handles, labels, status);
}

function showAccuracy(
  handles: MetricHandles,
  labels: ServiceLabels,
  { accuracy }: ServiceStatus,
): void {
  const { disagreement, upperBound, saving, audits } = accuracy ?? {};
  if (disagreement !== undefined) {
    handles.serviceDisagreement.set({ ...labels, bound: 'point' }, ratioOf(disagreement));
  }
  if (upperBound !== undefined) {
    handles.serviceDisagreement.set({ ...labels, bound: 'upper' }, ratioOf(upperBound));
  }
  if (audits !== undefined) handles.serviceEvidence.set({ ...labels, track: 'stable' }, audits);
  if (saving !== undefined) handles.serviceNetSaving.set(labels, ratioOf(saving));
}

function showRollout(handles: MetricHandles, labels: ServiceLabels, status: ServiceStatus): void {
  const { share = '0%', stepStartTime } = status.rollout ?? {};
  handles.serviceCandidateShare.set(labels, ratioOf(share));
  const ended = status.conditions?.find(
    ({ type, reason }) => type === 'RolloutSucceeded' && reason !== 'NoRollout',
  );
  const times = [stepStartTime, ended?.lastTransitionTime].flatMap((time) =>
    time === undefined ? [] : [Date.parse(time)],
  );
  if (times.length > 0) handles.rolloutTransition.set(labels, Math.max(...times) / 1000);
}

/** `'-1.5%'` -> -0.015; the schema has checked the form. */
function ratioOf(shown: string): number {
  return Number(`${shown.slice(0, -1)}e-2`);
}
