import type { MetricFamily } from './catalogue.ts';

// Names, labels and values of controller-runtime and client-go, so that dashboards and alerts made for these fit.

/** Seconds from a millisecond to a minute: a pass over one object, and its wait. */
const PASS_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
export const CONTROLLER_METRICS = {
  reconciles: {
    name: 'controller_runtime_reconcile_total',
    type: 'counter',
    unit: 'events',
    help: 'Passes over one object, by outcome.',
    labels: {
      controller: 'text',
      result: ['success', 'error', 'requeue', 'requeue_after'],
    },
  },
  reconcileErrors: {
    name: 'controller_runtime_reconcile_errors_total',
    type: 'counter',
    unit: 'events',
    help: 'Passes that failed; terminal ones too.',
    labels: { controller: 'text' },
  },
  terminalReconcileErrors: {
    name: 'controller_runtime_terminal_reconcile_errors_total',
    type: 'counter',
    unit: 'events',
    help: 'Passes that failed in a way that only a change of the object cures.',
    labels: { controller: 'text' },
  },
  reconcilePanics: {
    name: 'controller_runtime_reconcile_panics_total',
    type: 'counter',
    unit: 'events',
    help: 'Passes that met a broken assumption; the process exits after one.',
    labels: { controller: 'text' },
  },
  reconcileTime: {
    name: 'controller_runtime_reconcile_time_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time of a pass over one object.',
    labels: { controller: 'text' },
    buckets: PASS_BUCKETS,
  },
  maxConcurrentReconciles: {
    name: 'controller_runtime_max_concurrent_reconciles',
    type: 'gauge',
    unit: 'count',
    help: 'Objects that are worked on at once, at most.',
    labels: { controller: 'text' },
  },
  activeWorkers: {
    name: 'controller_runtime_active_workers',
    type: 'gauge',
    unit: 'count',
    help: 'Objects that are worked on now.',
    labels: { controller: 'text' },
  },
} as const satisfies Record<string, MetricFamily>;

export const QUEUE_METRICS = {
  queueDepth: {
    name: 'workqueue_depth',
    type: 'gauge',
    unit: 'count',
    help: 'Keys that wait for a worker.',
    labels: { name: 'text', controller: 'text' },
  },
  queueAdds: {
    name: 'workqueue_adds_total',
    type: 'counter',
    unit: 'events',
    help: 'Keys that were added; one that waits already is not added again.',
    labels: { name: 'text', controller: 'text' },
  },
  queueWait: {
    name: 'workqueue_queue_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Wait of a key for a worker.',
    labels: { name: 'text', controller: 'text' },
    buckets: PASS_BUCKETS,
  },
  queueWork: {
    name: 'workqueue_work_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time that a worker had a key.',
    labels: { name: 'text', controller: 'text' },
    buckets: PASS_BUCKETS,
  },
  queueUnfinished: {
    name: 'workqueue_unfinished_work_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Age of all passes still running, added up; it grows while workers are stuck.',
    labels: { name: 'text', controller: 'text' },
  },
  queueLongest: {
    name: 'workqueue_longest_running_processor_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Age of the oldest pass still running.',
    labels: { name: 'text', controller: 'text' },
  },
  queueRetries: {
    name: 'workqueue_retries_total',
    type: 'counter',
    unit: 'events',
    help: 'Keys that came back after a failure.',
    labels: { name: 'text', controller: 'text' },
  },
} as const satisfies Record<string, MetricFamily>;
