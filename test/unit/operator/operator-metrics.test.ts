import { beforeEach, expect, test } from 'vitest';
import type { MetricFamily } from '../../../crds/metrics/catalogue.ts';
import { OPERATOR_METRICS } from '../../../crds/metrics/operator-catalogue.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { WatchedKind } from '../../../operator/controllers/watched-kind.ts';
import type { PodView } from '../../../operator/fleet/fleet-pod.ts';
import { ApiStatusError } from '../../../operator/kube/api-status-error.ts';
import type { ApiCall } from '../../../operator/kube/intercept-api.ts';
import type { Pass, WorkQueue } from '../../../operator/kube/work-queue.ts';
import { createMetricRegistry } from '../../../operator/metrics.ts';
import { createOperatorMetrics, type OperatorMetrics } from '../../../operator/operator-metrics.ts';
import { InvariantError } from '../../../server/core/invariant.ts';
import { parseMetricPage, type MetricPage } from '../../support/metric-page.ts';

let metrics: OperatorMetrics;
let nowMs = 0;

beforeEach(() => {
  nowMs = 0;
  metrics = createOperatorMetrics(createMetricRegistry(), {
    version: '1.2.3',
    nodeVersion: '20.20.0',
    clock: { nowMs: () => 1_800_000_000_000 + nowMs, monotonicMs: () => nowMs },
  });
});

async function page(): Promise<MetricPage> {
  return parseMetricPage((await metrics.render()).text);
}

async function value(series: string): Promise<number | undefined> {
  return (await page()).series.get(series);
}

function aPass(more: Partial<Pass>): Pass {
  const facts = { waitedMs: 20, tookMs: 300, error: null, retryInMs: null };
  return { key: 'ml/vision', outcome: 'Done', ...facts, ...more };
}

const queue = {
  workers: 4,
  depth: 0,
  active: 0,
  longestRunningMs: 0,
  unfinishedMs: 0,
  counters: {
    adds: 0,
    retries: 0,
    outcomes: { Done: 0, RequeueAfter: 0, Conflict: 0, Failed: 0, Terminal: 0 },
  },
};

const CONTROLLER = 'cached-model-service';

const aWrite: ApiCall = {
  verb: 'patch',
  kind: 'Deployment',
  subresource: null,
  namespace: 'ml',
  name: 'vision',
  isDryRun: false,
};

function aStatus(more: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    replicas: 3,
    readyReplicas: 2,
    policy: { epoch: 1, revision: 1, appliedReplicas: 1 },
    backbone: { engine: 'ONNX', format: 'ONNX' },
    conditions: [
      condition('Ready', 'True', 'Serving'),
      condition('PolicyApplied', 'Unknown', 'WaitingForReplicas'),
    ],
    ...more,
  };
}

function condition(type: string, status: 'True' | 'False' | 'Unknown', reason: string) {
  const lastTransitionTime = '2026-11-25T12:00:00Z';
  return { type, status, reason, message: 'It is so.', lastTransitionTime };
}

test('every series of a controller is there before its first pass', async () => {
  metrics.queueMade(CONTROLLER, queue as unknown as WorkQueue);
  const { series, of } = await page();
  for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
    expect(
      series.get(
        `controller_runtime_reconcile_total{controller="${CONTROLLER}",result="${result}"}`,
      ),
    ).toBe(0);
  }
  expect(of('workqueue_')).toContain(
    `workqueue_depth{name="${CONTROLLER}",controller="${CONTROLLER}"}`,
  );
  expect(
    series.get(`controller_runtime_reconcile_time_seconds_count{controller="${CONTROLLER}"}`),
  ).toBe(0);
  expect(
    series.get(`controller_runtime_max_concurrent_reconciles{controller="${CONTROLLER}"}`),
  ).toBe(4);
});

test.each([
  ['Done', null, { success: 1, errors: 0, terminal: 0, panics: 0 }],
  ['RequeueAfter', null, { requeue_after: 1, errors: 0, terminal: 0, panics: 0 }],
  ['Conflict', new Error('409'), { requeue: 1, errors: 0, terminal: 0, panics: 0 }],
  ['Failed', new Error('503'), { error: 1, errors: 1, terminal: 0, panics: 0 }],
  ['Terminal', new Error('422'), { error: 1, errors: 1, terminal: 1, panics: 0 }],
  ['Failed', new InvariantError('x'), { error: 1, errors: 1, terminal: 0, panics: 1 }],
] as const)('a pass that ends %s counts as %j', async (outcome, error, expected) => {
  metrics.queueMade(CONTROLLER, queue as unknown as WorkQueue);
  metrics.passEnded(CONTROLLER, aPass({ outcome, error }));
  const { series } = await page();
  const { errors, terminal, panics, ...results } = expected;
  const at = (name: string) => series.get(`controller_runtime_${name}{controller="${CONTROLLER}"}`);
  expect({
    errors: at('reconcile_errors_total'),
    terminal: at('terminal_reconcile_errors_total'),
    panics: at('reconcile_panics_total'),
    sum: at('reconcile_time_seconds_sum'),
  }).toEqual({ errors, terminal, panics, sum: 0.3 });
  for (const [result, count] of Object.entries(results)) {
    expect(
      series.get(
        `controller_runtime_reconcile_total{controller="${CONTROLLER}",result="${result}"}`,
      ),
    ).toBe(count);
  }
  const labels = `{name="${CONTROLLER}",controller="${CONTROLLER}"}`;
  expect(series.get(`workqueue_queue_duration_seconds_sum${labels}`)).toBe(0.02);
});

test('queues are read at each scrape, and their counts only grow by what is new', async () => {
  const moving = { ...queue, depth: 2, active: 3, longestRunningMs: 1_500, unfinishedMs: 4_000 };
  const counters = { ...queue.counters, adds: 7, retries: 2 };
  metrics.queueMade(CONTROLLER, { ...moving, counters } as unknown as WorkQueue);
  await page();
  counters.adds = 9;
  const { series } = await page();
  const labels = `{name="${CONTROLLER}",controller="${CONTROLLER}"}`;
  const at = (name: string) => series.get(`workqueue_${name}${labels}`);
  expect(at('adds_total')).toBe(9);
  expect(at('retries_total')).toBe(2);
  expect(at('depth')).toBe(2);
  expect(at('longest_running_processor_seconds')).toBe(1.5);
  expect(at('unfinished_work_seconds')).toBe(4);
  expect(series.get(`controller_runtime_active_workers{controller="${CONTROLLER}"}`)).toBe(3);
});

const reflectorOf = (size: number, problem: string | null) => ({
  ...{ size, problem, isSynced: true },
  counters: {
    lists: { Start: 1, Periodic: 0, Expired: 0, Idle: 0, Failure: 2 },
    watchEnds: { Clean: 0, Short: 0, Expired: 0, Failed: 1, Idle: 0, Periodic: 0 },
    ...{ idleAborts: 0, misses: 3 },
  },
});

test('the copies of one kind in several namespaces are one, current when all are', async () => {
  const reflectors = [reflectorOf(4, null), reflectorOf(5, 'the API server is gone')];
  metrics.kindWatched({ kind: 'Pod', reflectors } as unknown as WatchedKind);
  await page();
  const { series } = await page();
  expect(series.get('layercache_cache_objects{kind="Pod"}')).toBe(9);
  expect(series.get('layercache_cache_current{kind="Pod"}')).toBe(0);
  expect(series.get('layercache_cache_lists_total{kind="Pod",cause="start"}')).toBe(2);
  expect(series.get('layercache_cache_lists_total{kind="Pod",cause="failure"}')).toBe(4);
  expect(series.get('layercache_cache_watch_ends_total{kind="Pod",end="failed"}')).toBe(2);
  expect(series.get('layercache_cache_misses_total{kind="Pod"}')).toBe(6);
});

test('a kind that is watched twice is the sum of both, and current when both are', async () => {
  const gone = [reflectorOf(4, 'the API server is gone')];
  metrics.kindWatched({ kind: 'Pod', reflectors: gone } as unknown as WatchedKind);
  metrics.kindWatched({
    kind: 'Pod',
    reflectors: [reflectorOf(0, null)],
  } as unknown as WatchedKind);
  const { series } = await page();
  expect(series.get('layercache_cache_objects{kind="Pod"}')).toBe(4);
  expect(series.get('layercache_cache_current{kind="Pod"}')).toBe(0);
});

test('a service shows its last status, and nothing of an earlier one', async () => {
  metrics.serviceReported(
    'ml/vision',
    aStatus({ conditions: [condition('Stalled', 'True', 'InvalidSpec')], backbone: {} }),
    null,
  );
  metrics.serviceReported('ml/vision', aStatus(), 0.01);
  const { of, series } = await page();
  const labels = 'model_namespace="ml",model="vision"';
  expect(of('layercache_service_').map((key) => [key, series.get(key)])).toEqual([
    [`layercache_service_info{${labels},engine="ONNX",format="ONNX"}`, 1],
    [`layercache_service_condition{${labels},condition="Ready"}`, 1],
    [`layercache_service_condition{${labels},condition="PolicyApplied"}`, -1],
    [`layercache_service_replicas{${labels},state="current"}`, 3],
    [`layercache_service_replicas{${labels},state="ready"}`, 2],
    [`layercache_service_replicas{${labels},state="acknowledged"}`, 1],
    [`layercache_service_budget_ratio{${labels}}`, 0.01],
    [`layercache_service_candidate_share_ratio{${labels}}`, 0],
  ]);
});

test('figures of a status are shown as ratios, and what it does not say has no series', async () => {
  const accuracy = { disagreement: '0.4%', upperBound: '0.58%', audits: 5210, saving: '-1.5%' };
  const rollout = { share: '25%', stepStartTime: '2026-11-25T13:00:00Z' };
  const conditions = [condition('RolloutSucceeded', 'Unknown', 'Ramping')];
  metrics.serviceReported('ml/vision', aStatus({ accuracy, rollout, conditions }), 0.01);
  const labels = 'model_namespace="ml",model="vision"';
  const shown = await page();
  const at = (name: string, more = '') => shown.series.get(`layercache_${name}{${labels}${more}}`);
  expect(at('service_disagreement_ratio', ',bound="point"')).toBe(0.004);
  expect(at('service_disagreement_ratio', ',bound="upper"')).toBe(0.0058);
  expect(at('service_evidence_rows', ',track="stable"')).toBe(5210);
  expect(at('service_net_saving_ratio')).toBe(-0.015);
  expect(at('service_candidate_share_ratio')).toBe(0.25);
  expect(at('rollout_transition_timestamp_seconds')).toBe(Date.UTC(2026, 10, 25, 13) / 1000);
  metrics.serviceReported('ml/vision', aStatus({ accuracy: { saving: '1%' } }), null);
  const { of } = await page();
  expect(of('layercache_service_disagreement_ratio')).toEqual([]);
  expect(of('layercache_service_evidence_rows')).toEqual([]);
  expect(of('layercache_service_budget_ratio')).toEqual([]);
  expect(of('layercache_rollout_transition_timestamp_seconds')).toEqual([]);
});

test('counters of a service start at 0 with its first status and keep what they counted', async () => {
  metrics.policyPublished('ml/vision', 'Mount');
  metrics.serviceReported('ml/vision', aStatus(), 0.01);
  const { series } = await page();
  const labels = 'model_namespace="ml",model="vision"';
  const counted = [...series].filter(([key]) => key.includes(labels) && key.includes('_total{'));
  expect(counted.filter(([, count]) => count !== 0)).toEqual([]);
  expect(series.get('layercache_policy_publishes_total{path="mount"}')).toBe(1);
  expect(series.get('layercache_policy_publishes_total{path="push"}')).toBe(0);
  for (const key of ['certificates_total', 'alarms_total', 'rollouts_total', 'training_runs_total'])
    expect(counted.map(([name]) => name).join('\n')).toContain(`layercache_${key}{`);
});

test('the pod that has been silent for longest tells how old the evidence is', async () => {
  const heard = new Map<string, number | null>();
  metrics.fleetMade(
    (key) =>
      (key === 'ml/vision'
        ? [...heard].map(([uid, heardMs]) => ({ pod: { uid }, heardMs }))
        : []) as unknown as PodView[],
  );
  metrics.serviceReported('ml/vision', aStatus(), 0.01);
  metrics.serviceReported('ml/other', aStatus(), 0.01);
  const name = 'layercache_service_evidence_oldest_timestamp_seconds';
  const ages = async () => {
    const { of, series } = await page();
    return of(name).map((key) => 1_800_000_000 + nowMs / 1000 - series.get(key)!);
  };
  expect(await ages()).toEqual([]);
  nowMs = 60_000;
  heard.set('a', 50_000).set('b', null);
  expect(await ages()).toEqual([10]);
  nowMs = 90_000;
  heard.set('a', 85_000);
  // b has said nothing since it was first asked about.
  expect(await ages()).toEqual([30]);
  heard.set('b', 89_000);
  expect(await ages()).toEqual([5]);
  heard.clear();
  expect(await ages()).toEqual([]);
});

/** Known only once heads were trained, tested or served: what is unknown has no series. */
const LATER: readonly string[] = [
  'layercache_service_state',
  'layercache_service_evidence_needed_rows',
  'layercache_service_detector_ratio',
];

test('every family of the catalogue has a series once a service was reported', async () => {
  metrics.followLease('demo-operator', () => true);
  metrics.followEvents({ recorded: 0, written: 0, dropped: 0 });
  metrics.apiAnswered('10.0.0.1:443', 'GET', 200);
  metrics.queueMade(CONTROLLER, queue as unknown as WorkQueue);
  metrics.kindWatched({
    kind: 'Pod',
    reflectors: [reflectorOf(1, null)],
  } as unknown as WatchedKind);
  metrics.fleetMade(() => [{ pod: { uid: 'a' }, heardMs: 0 }] as unknown as PodView[]);
  metrics.callEnded(aWrite, null);
  const accuracy = { disagreement: '0.4%', upperBound: '0.58%', audits: 5210, saving: '-1.5%' };
  const rollout = { stepStartTime: '2026-11-25T13:00:00Z' };
  metrics.serviceReported('ml/vision', aStatus({ accuracy, rollout }), 0.01);
  const { types, of } = await page();
  const families: readonly MetricFamily[] = Object.values(OPERATOR_METRICS);
  expect(families.filter(({ name, type }) => types.get(name) !== type)).toEqual([]);
  const empty = families.map(({ name }) => name).filter((name) => of(name).length === 0);
  expect(empty).toEqual(LATER);
  const known = new Set(families.map(({ name }) => name));
  const others = [...types.keys()].filter((name) => !known.has(name));
  expect(others.filter((name) => !/^(process|nodejs)_/.test(name))).toEqual([]);
});

test('every series of a service goes with it, and no other', async () => {
  for (const key of ['ml/vision', 'ml/vision-2', 'other/vision']) {
    metrics.serviceReported(key, aStatus(), 0.01);
    metrics.policyPublished(key, 'Mount');
  }
  metrics.serviceGone('ml/vision');
  const { series } = await page();
  const left = [...series.keys()].filter((key) => key.includes('model='));
  expect(left.filter((key) => key.includes('model_namespace="ml",model="vision"'))).toEqual([]);
  const rollouts = left.filter((key) => key.includes('_rollouts_total'));
  expect(rollouts.filter((key) => key.includes('result="promoted"'))).toHaveLength(2);
});

test('a policy spreads from its storing until a status says that all acknowledged it', async () => {
  const seconds = (result: string) =>
    value(`layercache_policy_propagation_duration_seconds_sum{result="${result}"}`);
  metrics.policyPublished('ml/vision', 'Mount');
  metrics.policyPublished('ml/vision', 'Push');
  nowMs = 2_000;
  metrics.serviceReported('ml/vision', aStatus(), 0.01);
  expect(await seconds('acknowledged')).toBe(0);
  metrics.policyPublished('ml/vision', 'Mount');
  nowMs = 5_000;
  const done = aStatus({ conditions: [condition('PolicyApplied', 'True', 'AllReplicas')] });
  metrics.serviceReported('ml/vision', done, 0.01);
  metrics.serviceReported('ml/vision', done, 0.01);
  expect(await seconds('superseded')).toBe(2);
  expect(await seconds('acknowledged')).toBe(3);
  const counts = 'layercache_policy_propagation_duration_seconds_count{result="acknowledged"}';
  expect(await value(counts)).toBe(1);
});

test.each([
  [null, 'ok'],
  [409, 'conflict'],
  [403, 'forbidden'],
  [422, 'rejected'],
  [503, 'failed'],
] as const)(
  'a write answered %s counts as %s; dry runs and reads do not',
  async (status, result) => {
    const error =
      status === null
        ? null
        : new ApiStatusError({ status, reason: '', detail: 'x', call: 'apply' });
    metrics.callEnded(aWrite, error);
    metrics.callEnded({ ...aWrite, isDryRun: true }, error);
    metrics.callEnded({ ...aWrite, verb: 'get' }, error);
    const { of, series } = await page();
    const [key = '', ...more] = of('layercache_object_writes_total');
    expect(more).toEqual([]);
    expect(key).toBe(
      `layercache_object_writes_total{kind="Deployment",subresource="",verb="patch",result="${result}"}`,
    );
    expect(series.get(key)).toBe(1);
  },
);

test('events, the Lease, pulls and answers of the API server are shown', async () => {
  const counters = { recorded: 5, written: 3, dropped: 1 };
  metrics.followEvents(counters);
  metrics.followLease('layercache-operator', () => true);
  metrics.evidencePulled('no_answer', 2);
  metrics.apiAnswered('10.0.0.1:443', 'GET', 200);
  metrics.apiAnswered('10.0.0.1:443', 'GET', null);
  const { series } = await page();
  expect(series.get('layercache_events_total{result="written"}')).toBe(3);
  expect(series.get('leader_election_master_status{name="layercache-operator"}')).toBe(1);
  expect(series.get('layercache_evidence_pulls_total{result="no_answer"}')).toBe(1);
  expect(series.get('layercache_evidence_pulls_total{result="ok"}')).toBe(0);
  const calls = 'rest_client_requests_total{code="<error>",method="GET",host="10.0.0.1:443"}';
  expect(series.get(calls)).toBe(1);
  expect(
    series.get(
      'layercache_operator_build_info{version="1.2.3",commit="unknown",node_version="20.20.0"}',
    ),
  ).toBe(1);
});

test.each([
  ['Conditions', ['layercache_service_condition', 'layercache_service_info']],
  ['Off', []],
] as const)('with %s only that is shown of each service', async (detail, families) => {
  metrics = createOperatorMetrics(createMetricRegistry(detail), {
    version: '1.2.3',
    nodeVersion: '20.20.0',
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
  });
  metrics.serviceReported('ml/vision', aStatus(), 0.01);
  metrics.policyPublished('ml/vision', 'Mount');
  metrics.serviceGone('ml/gone');
  const named = [...(await page()).series.keys()].filter((series) =>
    series.includes('model="vision"'),
  );
  expect([...new Set(named.map((series) => series.split('{', 1)[0]))].sort()).toEqual(families);
});
