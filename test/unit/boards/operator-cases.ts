import {
  grows,
  OBJECT,
  OF_OBJECT,
  OF_POD,
  OF_SERVICE,
  OPERATOR,
  OTHER_SERVER,
  series,
  SERVER,
  stays,
  steps,
  traffic,
  type AlertCase,
} from './alert-case.ts';

const HOUR = 60;
const revision = (labels: string): string => series('layercache_policy_revision', labels);
const applies = (result: string): string =>
  series('layercache_policy_applies_total', SERVER, `path="push",result="${result}"`);
const read = series('layercache_evidence_last_read_timestamp_seconds', SERVER);
const transition = series('layercache_rollout_transition_timestamp_seconds', OBJECT);
const share = series('layercache_service_candidate_share_ratio', OBJECT);
const rollouts = (result: string): string =>
  series('layercache_rollouts_total', OBJECT, `result="${result}"`);
const trainings = (result: string): string =>
  series('layercache_training_runs_total', OBJECT, `result="${result}"`);
const certificates = (result: string): string =>
  series('layercache_certificates_total', OBJECT, `result="${result}"`);
const build = series('layercache_operator_build_info', OPERATOR, 'version="0.1.0"');
const OTHER_PROGRAM = 'namespace="cert-manager",pod="cert-manager-0",job="cert-manager"';
const leads = (labels: string, lease = 'lease'): string =>
  series('leader_election_master_status', labels, `name="${lease}"`);
const CONTROLLER = 'controller="cached-model-service"';
const passes = (labels: string): string =>
  series('controller_runtime_reconcile_total', labels, `${CONTROLLER},result="success"`);
const failures = (labels: string): string =>
  series('controller_runtime_reconcile_errors_total', labels, CONTROLLER);
const longest = (labels: string): string =>
  series(
    'workqueue_longest_running_processor_seconds',
    labels,
    `name="cached-model-service",${CONTROLLER}`,
  );

/** A counter that counts one at each of these minutes. */
function countsAt(minutes: readonly number[], length: number): string {
  return Array.from({ length }, (_, now) => minutes.filter((at) => at <= now).length).join(' ');
}

export const OPERATOR_CASES: readonly AlertCase[] = [
  {
    alert: 'PolicySkew',
    kind: 'firing',
    scene: 'one pod is a revision behind for 15 minutes',
    series: { [revision(SERVER)]: stays(3, 20), [revision(OTHER_SERVER)]: stays(4, 20) },
    atMinutes: 15,
    labels: OF_SERVICE,
  },
  {
    alert: 'PolicySkew',
    kind: 'quiet',
    scene: 'a pod follows five minutes later',
    series: {
      [revision(SERVER)]: steps(3, 5, { then: 4, minutes: 20 }),
      [revision(OTHER_SERVER)]: stays(4, 20),
    },
    atMinutes: 15,
  },
  {
    alert: 'PolicySkew',
    kind: 'thin',
    scene: 'there is one pod',
    series: { [revision(SERVER)]: stays(3, 20) },
    atMinutes: 15,
  },
  {
    alert: 'PolicyRejected',
    kind: 'firing',
    scene: 'a pod refuses a policy',
    series: { [applies('rejected')]: steps(0, 2, { then: 1, minutes: 20 }) },
    atMinutes: 10,
    labels: OF_POD,
  },
  {
    alert: 'PolicyRejected',
    kind: 'quiet',
    scene: 'policies are applied',
    series: { [applies('rejected')]: stays(0, 20), [applies('applied')]: grows(1, 20) },
    atMinutes: 10,
  },
  {
    alert: 'PolicyRejected',
    kind: 'thin',
    scene: 'a pod that refused one yesterday is scraped for the first time',
    series: { [applies('rejected')]: '_ _ 1x17' },
    atMinutes: 10,
  },
  {
    alert: 'EvidenceStale',
    kind: 'firing',
    scene: 'rows flow and nobody has read the pod',
    series: { ...traffic({}, 30), [read]: stays(0, 30) },
    atMinutes: 20,
    labels: OF_POD,
  },
  {
    alert: 'EvidenceStale',
    kind: 'quiet',
    scene: 'the pod is read each minute',
    series: { ...traffic({}, 30), [read]: '0+60x30' },
    atMinutes: 20,
  },
  {
    alert: 'EvidenceStale',
    kind: 'thin',
    scene: 'the pod has no traffic',
    series: { ...traffic({ rows: 0, exited: 0, agreeing: 0 }, 30), [read]: stays(0, 30) },
    atMinutes: 20,
  },
  {
    alert: 'RolloutStuck',
    kind: 'firing',
    scene: 'a quarter of the traffic for longer than a step may take',
    series: { [transition]: stays(0, 7 * HOUR), [share]: stays(0.25, 7 * HOUR) },
    atMinutes: 6 * HOUR + 30,
    labels: OF_OBJECT,
  },
  {
    alert: 'RolloutStuck',
    kind: 'quiet',
    scene: 'the last rollout ended long ago',
    series: { [transition]: stays(0, 7 * HOUR), [share]: stays(0, 7 * HOUR) },
    atMinutes: 6 * HOUR + 30,
  },
  {
    alert: 'RolloutStuck',
    kind: 'thin',
    scene: 'there was never a rollout',
    series: { [share]: stays(0, 7 * HOUR) },
    atMinutes: 6 * HOUR + 30,
  },
  {
    alert: 'RolloutAborted',
    kind: 'firing',
    scene: 'a candidate was taken back',
    series: { [rollouts('aborted')]: steps(0, 5, { then: 1, minutes: 20 }) },
    atMinutes: 10,
    labels: OF_OBJECT,
  },
  {
    alert: 'RolloutAborted',
    kind: 'quiet',
    scene: 'a candidate was promoted',
    series: {
      [rollouts('aborted')]: stays(0, 20),
      [rollouts('promoted')]: steps(0, 5, { then: 1, minutes: 20 }),
    },
    atMinutes: 10,
  },
  {
    alert: 'RolloutAborted',
    kind: 'thin',
    scene: 'the operator counts from the start',
    series: { [rollouts('aborted')]: '_ _ 1x17' },
    atMinutes: 10,
  },
  {
    alert: 'TrainingFailing',
    kind: 'firing',
    scene: 'three trainings failed within an hour',
    series: {
      [trainings('failed')]: countsAt([10, 30, 50], HOUR + 5),
      [trainings('succeeded')]: stays(0, HOUR + 5),
    },
    atMinutes: HOUR,
    labels: OF_OBJECT,
  },
  {
    alert: 'TrainingFailing',
    kind: 'quiet',
    scene: 'three failed and one succeeded',
    series: {
      [trainings('failed')]: countsAt([10, 30, 50], HOUR + 5),
      [trainings('succeeded')]: countsAt([40], HOUR + 5),
    },
    atMinutes: HOUR,
  },
  {
    alert: 'TrainingFailing',
    kind: 'thin',
    scene: 'two trainings failed so far',
    series: {
      [trainings('failed')]: countsAt([10, 30], HOUR + 5),
      [trainings('succeeded')]: stays(0, HOUR + 5),
    },
    atMinutes: HOUR,
  },
  {
    alert: 'NeverCertifies',
    kind: 'firing',
    scene: 'five attempts found no lambda',
    series: {
      [certificates('no_lambda')]: countsAt([5, 15, 25, 35, 45], HOUR + 5),
      [certificates('passed')]: stays(0, HOUR + 5),
    },
    atMinutes: HOUR,
    labels: OF_OBJECT,
  },
  {
    alert: 'NeverCertifies',
    kind: 'quiet',
    scene: 'the fifth of six found a lambda',
    series: {
      [certificates('no_lambda')]: countsAt([5, 15, 25, 35, 45], HOUR + 5),
      [certificates('passed')]: countsAt([40], HOUR + 5),
    },
    atMinutes: HOUR,
  },
  {
    alert: 'NeverCertifies',
    kind: 'thin',
    scene: 'two attempts found none so far',
    series: {
      [certificates('no_lambda')]: countsAt([5, 15], HOUR + 5),
      [certificates('passed')]: stays(0, HOUR + 5),
    },
    atMinutes: HOUR,
  },
  {
    alert: 'OperatorDown',
    kind: 'firing',
    scene: 'no operator for 12 minutes',
    series: { [build]: '1x4' },
    atMinutes: 25,
    labels: {},
  },
  {
    alert: 'OperatorDown',
    kind: 'quiet',
    scene: 'an operator runs',
    series: { [build]: stays(1, 25) },
    atMinutes: 20,
  },
  {
    alert: 'OperatorDown',
    kind: 'thin',
    scene: 'the operator was replaced within minutes',
    series: { [build]: '1x4 _x6 1x15' },
    atMinutes: 18,
  },
  {
    alert: 'NoLeader',
    kind: 'firing',
    scene: 'an operator runs and does not lead',
    series: { [build]: stays(1, 15), [leads(OPERATOR)]: stays(0, 15) },
    atMinutes: 10,
    labels: { namespace: 'layercache-system', name: 'lease' },
  },
  {
    alert: 'NoLeader',
    kind: 'firing',
    scene: 'one of two shards has no leader',
    series: {
      [build]: stays(1, 15),
      [leads(OPERATOR)]: stays(1, 15),
      [leads(OPERATOR, 'lease-1')]: stays(0, 15),
    },
    atMinutes: 10,
    labels: { namespace: 'layercache-system', name: 'lease-1' },
  },
  {
    alert: 'NoLeader',
    kind: 'quiet',
    scene: 'it leads',
    series: { [build]: stays(1, 15), [leads(OPERATOR)]: stays(1, 15) },
    atMinutes: 10,
  },
  {
    alert: 'NoLeader',
    kind: 'thin',
    scene: 'another program waits for its own Lease',
    series: { [build]: stays(1, 15), [leads(OTHER_PROGRAM)]: stays(0, 15) },
    atMinutes: 10,
  },
  {
    alert: 'ReconcileErrors',
    kind: 'firing',
    scene: 'a fifth of 60 passes a minute fails',
    series: {
      [build]: stays(1, 30),
      [passes(OPERATOR)]: grows(60, 30),
      [failures(OPERATOR)]: grows(12, 30),
    },
    atMinutes: 25,
    labels: { namespace: 'layercache-system', controller: 'cached-model-service' },
  },
  {
    alert: 'ReconcileErrors',
    kind: 'quiet',
    scene: 'one of 60 passes fails',
    series: {
      [build]: stays(1, 30),
      [passes(OPERATOR)]: grows(60, 30),
      [failures(OPERATOR)]: grows(1, 30),
    },
    atMinutes: 25,
  },
  {
    alert: 'ReconcileErrors',
    kind: 'thin',
    scene: 'two passes in five minutes, one of which fails',
    series: {
      [build]: stays(1, 30),
      [passes(OPERATOR)]: grows(0.4, 30),
      [failures(OPERATOR)]: grows(0.2, 30),
    },
    atMinutes: 25,
  },
  {
    alert: 'WorkqueueStuck',
    kind: 'firing',
    scene: 'a pass has run for ten minutes',
    series: { [build]: stays(1, 15), [longest(OPERATOR)]: '0+60x15' },
    atMinutes: 10,
    labels: { namespace: 'layercache-system', name: 'cached-model-service' },
  },
  {
    alert: 'WorkqueueStuck',
    kind: 'quiet',
    scene: 'passes take two seconds',
    series: { [build]: stays(1, 15), [longest(OPERATOR)]: stays(2, 15) },
    atMinutes: 10,
  },
  {
    alert: 'WorkqueueStuck',
    kind: 'thin',
    scene: 'another program has a queue of that name',
    series: { [build]: stays(1, 15), [longest(OTHER_PROGRAM)]: '0+60x15' },
    atMinutes: 10,
  },
];
