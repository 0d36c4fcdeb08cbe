import { OBJECT, POD, SERVICE } from '../queries/label-sets.ts';
import {
  age,
  aggregate,
  formula,
  increase,
  NO_SCOPE,
  rate,
  ratio,
  seriesIn,
  sum,
  type Query,
} from '../queries/query.ts';
import { alert, type Alert } from './alert.ts';
import { above } from './recorded.ts';
import type { TimeScale } from './time-scale.ts';

const { gauge, counter } = seriesIn(NO_SCOPE);
const builds = gauge('operatorBuildInfo').text;

/** Of our operators only: other programs of the cluster write families of these names too. */
function ours<L extends string>(query: Query<L>): Query<L> {
  return { text: `${query.text} and on (namespace, pod) ${builds}`, labels: query.labels };
}

export function operatorAlerts(scale: TimeScale): readonly Alert[] {
  return [
    policySkew(),
    policyRejected(scale),
    evidenceStale(scale),
    rolloutStuck(),
    rolloutAborted(scale),
    trainingFailing(scale),
    neverCertifies(scale),
    operatorDown(),
    noLeader(),
    reconcileErrors(scale),
    workqueueStuck(scale),
  ];
}

function policySkew(): Alert {
  const distance = (family: 'policyEpoch' | 'policyRevision') =>
    formula`${aggregate('max', gauge(family), SERVICE)} - ${aggregate('min', gauge(family), SERVICE)}`;
  return alert({
    name: 'PolicySkew',
    severity: 'warning',
    query: formula`${distance('policyEpoch')} > 0 or ${distance('policyRevision')} > 0`,
    summary: 'Pods of {{ $labels.namespace }}/{{ $labels.model }} run different policies.',
    description:
      'For 10 minutes a pod has not followed the others: rollouts hold, and that pod answers by older rules.',
    forMinutes: 10,
    keepFiringMinutes: 2,
    board: 'layercache-service',
  });
}

function policyRejected(scale: TimeScale): Alert {
  const rejected = counter('policyApplies', { result: 'rejected' });
  return alert({
    name: 'PolicyRejected',
    severity: 'warning',
    query: formula`${sum(increase(rejected, scale.range(15)), POD)} > 0`,
    summary: 'Pod {{ $labels.namespace }}/{{ $labels.pod }} refuses policies.',
    description:
      'It refused a policy in the last 15 minutes and goes on with the one in force. Its acknowledgement says why.',
    forMinutes: 5,
    keepFiringMinutes: 5,
    board: 'layercache-service',
  });
}

function evidenceStale(scale: TimeScale): Alert {
  const unread = age(aggregate('max', gauge('evidenceRead'), POD));
  const rows = sum(rate(counter('rows'), scale.range(5)), POD);
  return alert({
    name: 'EvidenceStale',
    severity: 'warning',
    query: formula`${unread} > ${10 * scale.minuteSeconds} and ${rows} > 0`,
    summary: 'Nobody reads the evidence of pod {{ $labels.namespace }}/{{ $labels.pod }}.',
    description:
      'It answers rows, and the operator has not read it for 10 minutes. Evidence older than 30 minutes is lost, and silent pods lose their exits.',
    forMinutes: 5,
    keepFiringMinutes: 2,
    board: 'layercache-operator',
  });
}

function rolloutStuck(): Alert {
  const since = age(aggregate('max', gauge('rolloutTransition'), OBJECT));
  const ramps = aggregate('max', gauge('serviceCandidateShare'), OBJECT);
  return alert({
    name: 'RolloutStuck',
    severity: 'warning',
    query: {
      text: `${above(since, 'rollout_step_seconds').text} and (${ramps.text}) > 0`,
      labels: OBJECT,
    },
    summary: 'The rollout of {{ $labels.model_namespace }}/{{ $labels.model }} stands still.',
    description:
      'Its step has taken {{ $value | humanizeDuration }}, longer than a step may (alerts.thresholds.rollout_step_seconds). The stable heads go on.',
    forMinutes: 15,
    keepFiringMinutes: 2,
    board: 'layercache-rollout',
  });
}

function rolloutAborted(scale: TimeScale): Alert {
  const failed = counter('rollouts', { result: { oneOf: ['aborted', 'load_failed'] } });
  return alert({
    name: 'RolloutAborted',
    severity: 'info',
    query: formula`${sum(increase(failed, scale.range(60)), OBJECT)} > 0`,
    summary: 'A rollout of {{ $labels.model_namespace }}/{{ $labels.model }} was taken back.',
    description:
      'In the last hour new heads were withdrawn. Nothing is broken: the stable heads or the backbone answer.',
    forMinutes: 0,
    keepFiringMinutes: 0,
    board: 'layercache-rollout',
  });
}

/** So many of one kind and none of the other: a row of them, as far as counters tell. */
function onlyThese<L extends string>(bad: Query<L>, good: Query<L>, least: number): Query<L> {
  return formula`${bad} >= ${least} unless ${good} > 0`;
}

/** What extrapolation at the edges of a window may take from a whole number. */
const EDGE = 0.2;

function trainingFailing(scale: TimeScale): Alert {
  const ended = (results: readonly ('succeeded' | 'failed' | 'deadline_exceeded')[]) =>
    sum(
      increase(counter('trainingRuns', { result: { oneOf: results } }), scale.range(1440)),
      OBJECT,
    );
  return alert({
    name: 'TrainingFailing',
    severity: 'warning',
    query: onlyThese(ended(['failed', 'deadline_exceeded']), ended(['succeeded']), 3 - EDGE),
    summary: 'No training of {{ $labels.model_namespace }}/{{ $labels.model }} succeeds.',
    description: 'Three trainings failed in a day and none succeeded: there are no new heads.',
    forMinutes: 0,
    keepFiringMinutes: 30,
    board: 'layercache-rollout',
  });
}

function neverCertifies(scale: TimeScale): Alert {
  const attempts = (result: 'passed' | 'no_lambda') =>
    sum(increase(counter('certificates', { result }), scale.range(4320)), OBJECT);
  return alert({
    name: 'NeverCertifies',
    severity: 'warning',
    query: onlyThese(attempts('no_lambda'), attempts('passed'), 5 - EDGE),
    summary: 'No heads of {{ $labels.model_namespace }}/{{ $labels.model }} keep its budget.',
    description:
      'Five attempts at a certificate found no lambda in three days and none passed: exits stay off. The budget may be too small for this model.',
    forMinutes: 0,
    keepFiringMinutes: 60,
    board: 'layercache-rollout',
  });
}

function operatorDown(): Alert {
  return alert({
    name: 'OperatorDown',
    severity: 'critical',
    query: { text: `absent(${builds})`, labels: [] },
    summary: 'No operator of Layercache is scraped.',
    description:
      'For 10 minutes there was no operator. Servers go on, and their exits go off once policies are stale and own audits are too few.',
    forMinutes: 10,
    keepFiringMinutes: 0,
    board: 'layercache-operator',
  });
}

function noLeader(): Alert {
  return alert({
    name: 'NoLeader',
    severity: 'critical',
    query: formula`${sum(ours(gauge('leader')), ['namespace', 'name'])} == 0`,
    summary: 'No operator in {{ $labels.namespace }} holds Lease {{ $labels.name }}.',
    description:
      'Operators run and none leads for 5 minutes: nothing is reconciled, or with shards nothing in the namespaces of this one.',
    forMinutes: 5,
    keepFiringMinutes: 0,
    board: 'layercache-operator',
  });
}

function reconcileErrors(scale: TimeScale): Alert {
  const range = scale.range(10);
  const CONTROLLER = ['namespace', 'controller'] as const;
  const failed = sum(ours(rate(counter('reconcileErrors'), range)), CONTROLLER);
  const all = sum(ours(rate(counter('reconciles'), range)), CONTROLLER);
  const enough = formula`${all} * ${10 * scale.minuteSeconds} >= 10`;
  return alert({
    name: 'ReconcileErrors',
    severity: 'warning',
    query: formula`${ratio(failed, all)} > 0.1 and ${enough}`,
    summary: 'Passes of {{ $labels.controller }} in {{ $labels.namespace }} fail.',
    description:
      '{{ $value | humanizePercentage }} of the passes of the last 10 minutes failed. What the failing objects want is not done.',
    forMinutes: 10,
    keepFiringMinutes: 5,
    board: 'layercache-operator',
  });
}

function workqueueStuck(scale: TimeScale): Alert {
  const longest = aggregate('max', ours(gauge('queueLongest')), ['namespace', 'name']);
  return alert({
    name: 'WorkqueueStuck',
    severity: 'warning',
    query: formula`${longest} > ${5 * scale.minuteSeconds}`,
    summary: 'A pass of {{ $labels.name }} in {{ $labels.namespace }} does not end.',
    description:
      'It has run for {{ $value | humanizeDuration }}; its object is not looked at again before it ends.',
    forMinutes: 0,
    keepFiringMinutes: 5,
    board: 'layercache-operator',
  });
}
