import { beforeEach, expect, test } from 'vitest';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { WatchedKind } from '../../../operator/controllers/watched-kind.ts';
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
    monotonicMs: () => nowMs,
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

test('the copies of one kind in several namespaces are one, current when all are', async () => {
  const reflector = (size: number, problem: string | null) => ({
    ...{ size, problem, isSynced: true },
    counters: {
      lists: { Start: 1, Periodic: 0, Expired: 0, Idle: 0, Failure: 2 },
      watchEnds: { Clean: 0, Short: 0, Expired: 0, Failed: 1, Idle: 0, Periodic: 0 },
      ...{ idleAborts: 0, misses: 3 },
    },
  });
  const reflectors = [reflector(4, null), reflector(5, 'the API server is gone')];
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

test('a service shows its last status, and nothing of an earlier one', async () => {
  metrics.serviceReported(
    'ml/vision',
    aStatus({ conditions: [condition('Stalled', 'True', 'InvalidSpec')], backbone: {} }),
  );
  metrics.serviceReported('ml/vision', aStatus());
  const { of, series } = await page();
  const labels = 'model_namespace="ml",model="vision"';
  expect(of('layercache_service_').map((key) => [key, series.get(key)])).toEqual([
    [`layercache_service_info{${labels},engine="ONNX",format="ONNX"}`, 1],
    [`layercache_service_condition{${labels},condition="Ready"}`, 1],
    [`layercache_service_condition{${labels},condition="PolicyApplied"}`, -1],
    [`layercache_service_replicas{${labels},state="current"}`, 3],
    [`layercache_service_replicas{${labels},state="ready"}`, 2],
    [`layercache_service_replicas{${labels},state="acknowledged"}`, 1],
  ]);
});

test('every series of a service goes with it, and no other', async () => {
  for (const key of ['ml/vision', 'ml/vision-2', 'other/vision']) {
    metrics.serviceReported(key, aStatus());
    metrics.policyPublished(key, 'Mount');
  }
  metrics.serviceGone('ml/vision');
  const { series } = await page();
  const left = [...series.keys()].filter((key) => key.includes('model='));
  expect(left.filter((key) => key.includes('model_namespace="ml",model="vision"'))).toEqual([]);
  expect(left.filter((key) => key.includes('_policy_publishes_total'))).toHaveLength(2);
});

test('a policy spreads from its storing until a status says that all acknowledged it', async () => {
  const seconds = (result: string) =>
    value(`layercache_policy_propagation_duration_seconds_sum{result="${result}"}`);
  metrics.policyPublished('ml/vision', 'Mount');
  metrics.policyPublished('ml/vision', 'Push');
  nowMs = 2_000;
  metrics.serviceReported('ml/vision', aStatus());
  expect(await seconds('acknowledged')).toBe(0);
  metrics.policyPublished('ml/vision', 'Mount');
  nowMs = 5_000;
  const done = aStatus({ conditions: [condition('PolicyApplied', 'True', 'AllReplicas')] });
  metrics.serviceReported('ml/vision', done);
  metrics.serviceReported('ml/vision', done);
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
    const call: ApiCall = {
      verb: 'patch',
      kind: 'Deployment',
      subresource: null,
      namespace: 'ml',
      name: 'vision',
      isDryRun: false,
    };
    const error =
      status === null
        ? null
        : new ApiStatusError({ status, reason: '', detail: 'x', call: 'apply' });
    metrics.callEnded(call, error);
    metrics.callEnded({ ...call, isDryRun: true }, error);
    metrics.callEnded({ ...call, verb: 'get' }, error);
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
  expect(series.get('layercache_operator_build_info{version="1.2.3",node_version="20.20.0"}')).toBe(
    1,
  );
});
