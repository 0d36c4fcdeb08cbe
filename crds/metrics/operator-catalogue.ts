import { LATENCY_BUCKETS, type MetricFamily } from './catalogue.ts';

// Families of the operator. Those that controllers everywhere have keep the names, labels and values of controller-runtime
// and client-go, so that dashboards and alerts made for these fit.

/** Of each series that is about one service; plain `namespace` would be renamed by the scrape. */
const SERVICE_LABELS = { model_namespace: 'namespace', model: 'model' } as const;

/** Seconds from a millisecond to a minute: a pass over one object, and its wait. */
const PASS_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Seconds from a tenth to half an hour: from a policy stored to its last acknowledgement. */
const PROPAGATION_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 1800];

const services = {
  serviceInfo: {
    name: 'layercache_service_info',
    type: 'gauge',
    unit: 'info',
    help: '1, with the engine and the format that the pods report; empty before they do.',
    labels: { ...SERVICE_LABELS, engine: 'text', format: 'text' },
  },
  serviceCondition: {
    name: 'layercache_service_condition',
    type: 'gauge',
    unit: 'boolean',
    help: '1 for True, 0 for False, -1 for Unknown; one series for each condition.',
    labels: { ...SERVICE_LABELS, condition: 'text' },
  },
  serviceReplicas: {
    name: 'layercache_service_replicas',
    type: 'gauge',
    unit: 'replicas',
    help: 'Pods that exist, are ready, and acknowledged the policy in force.',
    labels: { ...SERVICE_LABELS, state: ['current', 'ready', 'acknowledged'] },
  },
} as const satisfies Record<string, MetricFamily>;

const fleet = {
  policyPublishes: {
    name: 'layercache_policy_publishes_total',
    type: 'counter',
    unit: 'events',
    help: 'Policies stored for the mount, and handed to the pods.',
    labels: { ...SERVICE_LABELS, path: ['mount', 'push'] },
  },
  policyPropagation: {
    name: 'layercache_policy_propagation_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from a policy stored to a status that says every ready pod acknowledged it, or to the next policy.',
    labels: { result: ['acknowledged', 'superseded'] },
    buckets: PROPAGATION_BUCKETS,
  },
  evidencePulls: {
    name: 'layercache_evidence_pulls_total',
    type: 'counter',
    unit: 'events',
    help: 'Evidence asked of pods, by what came of it.',
    labels: { result: ['ok', 'refused', 'no_answer'] },
  },
  evidencePullDuration: {
    name: 'layercache_evidence_pull_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time of a pull, by what came of it.',
    labels: { result: ['ok', 'refused', 'no_answer'] },
    buckets: LATENCY_BUCKETS,
  },
} as const satisfies Record<string, MetricFamily>;

const cluster = {
  objectWrites: {
    name: 'layercache_object_writes_total',
    type: 'counter',
    unit: 'events',
    help: 'Writes to the API server by kind; rejected: the object is at fault and the same write fails again.',
    labels: {
      kind: 'text',
      subresource: 'text',
      verb: ['create', 'patch', 'update', 'delete'],
      result: ['ok', 'conflict', 'forbidden', 'rejected', 'failed'],
    },
  },
  cacheLists: {
    name: 'layercache_cache_lists_total',
    type: 'counter',
    unit: 'events',
    help: 'Lists that fill the copy of a kind, by cause; a healthy one has a start and a periodic list every 10 minutes.',
    labels: { kind: 'text', cause: ['start', 'periodic', 'expired', 'idle', 'failure'] },
  },
  cacheWatchEnds: {
    name: 'layercache_cache_watch_ends_total',
    type: 'counter',
    unit: 'events',
    help: 'Watches that ended, by how.',
    labels: { kind: 'text', end: ['clean', 'short', 'expired', 'failed', 'idle', 'periodic'] },
  },
  cacheMisses: {
    name: 'layercache_cache_misses_total',
    type: 'counter',
    unit: 'objects',
    help: 'Differences that only a periodic list brought to light.',
    labels: { kind: 'text' },
  },
  cacheObjects: {
    name: 'layercache_cache_objects',
    type: 'gauge',
    unit: 'objects',
    help: 'Objects in the copy of a kind.',
    labels: { kind: 'text' },
  },
  cacheCurrent: {
    name: 'layercache_cache_current',
    type: 'gauge',
    unit: 'boolean',
    help: '1 while the copy of a kind is kept current; 0 while the API server cannot be listed or watched.',
    labels: { kind: 'text' },
  },
  events: {
    name: 'layercache_events_total',
    type: 'counter',
    unit: 'events',
    help: 'Kubernetes Events, by whether they were written.',
    labels: { result: ['written', 'dropped'] },
  },
} as const satisfies Record<string, MetricFamily>;

const program = {
  operatorBuildInfo: {
    name: 'layercache_operator_build_info',
    type: 'gauge',
    unit: 'info',
    help: '1, with the versions of the program and of Node.',
    labels: { version: 'text', node_version: 'text' },
  },
  leader: {
    name: 'leader_election_master_status',
    type: 'gauge',
    unit: 'boolean',
    help: '1 while this process holds the Lease.',
    labels: { name: 'text' },
  },
  apiRequests: {
    name: 'rest_client_requests_total',
    type: 'counter',
    unit: 'requests',
    help: 'Calls of the API server by status; <error> when there was no answer.',
    labels: { code: 'text', method: 'text', host: 'text' },
  },
} as const satisfies Record<string, MetricFamily>;

const controllers = {
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

const queues = {
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

/** Families of the operator by topic, in the order of the reference. */
export const OPERATOR_METRIC_GROUPS = {
  Services: services,
  Fleet: fleet,
  'API server': cluster,
  Process: program,
  'Controllers (names of controller-runtime)': controllers,
  'Work queues (names of client-go)': queues,
} as const satisfies Record<string, Record<string, MetricFamily>>;

/** Families of the operator by key. */
export const OPERATOR_METRICS = {
  ...services,
  ...fleet,
  ...cluster,
  ...program,
  ...controllers,
  ...queues,
} as const;
