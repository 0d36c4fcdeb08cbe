import { expect, test } from 'vitest';

import { SERVER_METRICS, type MetricFamily } from '../../../../crds/metrics/catalogue.ts';
import {
  OPERATOR_METRIC_GROUPS,
  OPERATOR_METRICS,
} from '../../../../crds/metrics/operator-catalogue.ts';

const families: readonly MetricFamily[] = Object.values(OPERATOR_METRICS);
const PUBLIC = /^(controller_runtime|workqueue|rest_client|leader_election)_/;
const own = families.filter(({ name }) => !PUBLIC.test(name));

test('each family stands in one group, under a name that the server has not', () => {
  const grouped = Object.values(OPERATOR_METRIC_GROUPS).flatMap((group) =>
    Object.values<MetricFamily>(group),
  );
  expect(grouped).toEqual(families);
  const taken = Object.values(SERVER_METRICS).map(({ name }) => name as string);
  const names = [...taken, ...families.map(({ name }) => name)];
  expect(new Set(names).size).toBe(names.length);
});

test('names of our own say unit and type as Prometheus wants them', () => {
  for (const { name, type, unit } of own) {
    expect(name).toMatch(/^layercache_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(name.endsWith('_info'), name).toBe(unit === 'info');
    if (unit === 'seconds') expect(name).toMatch(/_seconds$/);
  }
});

test('names, types and labels of others are as their dashboards query them', () => {
  const others = families.filter(({ name }) => PUBLIC.test(name));
  expect(
    others.map(({ name, type, labels }) => `${type} ${name}{${Object.keys(labels).join()}}`),
  ).toEqual([
    'gauge leader_election_master_status{name}',
    'counter rest_client_requests_total{code,method,host}',
    'counter controller_runtime_reconcile_total{controller,result}',
    'counter controller_runtime_reconcile_errors_total{controller}',
    'counter controller_runtime_terminal_reconcile_errors_total{controller}',
    'counter controller_runtime_reconcile_panics_total{controller}',
    'histogram controller_runtime_reconcile_time_seconds{controller}',
    'gauge controller_runtime_max_concurrent_reconciles{controller}',
    'gauge controller_runtime_active_workers{controller}',
    'gauge workqueue_depth{name,controller}',
    'counter workqueue_adds_total{name,controller}',
    'histogram workqueue_queue_duration_seconds{name,controller}',
    'histogram workqueue_work_duration_seconds{name,controller}',
    'gauge workqueue_unfinished_work_seconds{name,controller}',
    'gauge workqueue_longest_running_processor_seconds{name,controller}',
    'counter workqueue_retries_total{name,controller}',
  ]);
});

test('help is one sentence, histograms alone have buckets, and these ascend', () => {
  for (const { name, help, type, buckets } of families) {
    expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
    expect(buckets !== undefined, name).toBe(type === 'histogram');
    expect(buckets ?? []).toEqual([...(buckets ?? [])].sort((a, b) => a - b));
  }
});

test('a service has at most 50 series', () => {
  const conditions = 10;
  const ofService = families.filter(({ labels }) => 'model_namespace' in labels);
  const series = ofService.reduce((sum, { labels }) => {
    const combinations = Object.entries(labels).reduce((product, [label, values]) => {
      if (label === 'condition') return product * conditions;
      return product * (typeof values === 'string' ? 1 : values.length);
    }, 1);
    return sum + combinations;
  }, 0);
  expect(series).toBeLessThanOrEqual(50);
});
