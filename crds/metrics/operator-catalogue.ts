import { LATENCY_BUCKETS, type MetricFamily } from './catalogue.ts';
import { CONTROLLER_METRICS, QUEUE_METRICS } from './controller-catalogue.ts';

// Families of the operator: our own; those that controllers everywhere have are in `controller-catalogue.ts`.

/** Of each series that is about one service; plain `namespace` would be renamed by the scrape. */
const SERVICE_LABELS = { model_namespace: 'namespace', model: 'model' } as const;

/** Seconds from a minute to a week: from a candidate to its end. */
const ROLLOUT_BUCKETS = [60, 300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800];
/** Seconds from five to an hour: a training. */
const TRAINING_BUCKETS = [5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];
/** Seconds from a tenth to half an hour: from a policy stored to its last acknowledgement. */
const PROPAGATION_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 1800];

/** Stages of the lifecycle, in snake_case as all values. */
const STAGES = [
  'collecting',
  'training',
  'staging',
  'shadowing',
  'ramping',
  'serving',
  'recertifying',
  'idle',
] as const;
const TRACKS = ['stable', 'candidate'] as const;
/** `load_failed`: also pods that crashed after loading; `not_better`: also a saving that is not worthwhile. */
const ROLLOUT_RESULTS = [
  'promoted',
  'superseded',
  'aborted',
  'inconclusive',
  'load_failed',
  'not_certified',
  'not_better',
] as const;
/** The check that failed, a person, or a step that got no verdict in time. */
const ABORT_CAUSES = [
  'disagreement',
  'error_rate',
  'latency_p50',
  'latency_p99',
  'saving',
  'request',
  'no_verdict',
] as const;
/** `not_better`: also too few rows to tell. */
const TRAINING_RESULTS = ['succeeded', 'failed', 'deadline_exceeded', 'not_better'] as const;
/** ok: with the next windows; gap: some were gone before they were read; restarted: another boot of the server answered. */
const PULL_RESULTS = ['ok', 'gap', 'restarted', 'no_answer', 'refused', 'invalid'] as const;

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
  serviceState: {
    name: 'layercache_service_state',
    type: 'gauge',
    unit: 'boolean',
    help: '1 for the stage in which the heads are, 0 for the others; all 0 before the first decision.',
    labels: { ...SERVICE_LABELS, state: STAGES },
  },
  evidenceOldest: {
    name: 'layercache_service_evidence_oldest_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time at which the pod that has been silent for longest was last read; absent without pods.',
    labels: SERVICE_LABELS,
  },
} as const satisfies Record<string, MetricFamily>;

const accuracy = {
  serviceBudget: {
    name: 'layercache_service_budget_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Budget that the spec allows.',
    labels: SERVICE_LABELS,
  },
  serviceDisagreement: {
    name: 'layercache_service_disagreement_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Audited answers unlike the backbone, or where accuracy.agreement is F1 the mean of 1 - F1 of their boxes, and its upper confidence bound; absent before any.',
    labels: { ...SERVICE_LABELS, bound: ['point', 'upper'] },
  },
  serviceEvidence: {
    name: 'layercache_service_evidence_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Audited rows behind the figures.',
    labels: { ...SERVICE_LABELS, track: TRACKS },
  },
  serviceEvidenceNeeded: {
    name: 'layercache_service_evidence_needed_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Audited rows at which the next look at the candidate is taken; absent when none is to come.',
    labels: SERVICE_LABELS,
  },
  serviceDetector: {
    name: 'layercache_service_detector_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: "Logarithm of the detector's statistic over that of the alarm level: 1 is the alarm; absent while exits are off.",
    labels: SERVICE_LABELS,
  },
  serviceNetSaving: {
    name: 'layercache_service_net_saving_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Engine time saved net of heads, audits and companions; absent before it was measured.',
    labels: SERVICE_LABELS,
  },
  serviceCandidateShare: {
    name: 'layercache_service_candidate_share_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: "Candidate's share of the traffic; 0 without a candidate.",
    labels: SERVICE_LABELS,
  },
  rolloutTransition: {
    name: 'layercache_rollout_transition_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time of the last step, start or end of a rollout; absent before the first.',
    labels: SERVICE_LABELS,
  },
} as const satisfies Record<string, MetricFamily>;

const decisions = {
  certificates: {
    name: 'layercache_certificates_total',
    type: 'counter',
    unit: 'events',
    help: 'Attempts at a certificate: a lambda passed, none did, or too few rows came.',
    labels: { ...SERVICE_LABELS, result: ['passed', 'no_lambda', 'too_few_rows'] },
  },
  alarms: {
    name: 'layercache_alarms_total',
    type: 'counter',
    unit: 'events',
    help: 'Times that a certificate was voided, by what did it.',
    labels: { ...SERVICE_LABELS, cause: ['detector', 'evidence_void'] },
  },
  rollouts: {
    name: 'layercache_rollouts_total',
    type: 'counter',
    unit: 'events',
    help: 'Candidates that came to an end, by how; reasons of an abort are those of the condition.',
    labels: { ...SERVICE_LABELS, result: ROLLOUT_RESULTS },
  },
  rolloutAborts: {
    name: 'layercache_rollout_aborts_total',
    type: 'counter',
    unit: 'events',
    help: 'Candidates that were taken back, by the check that failed or by who asked for it.',
    // Of all services: which check failed for one of them stands in its condition and event.
    labels: { cause: ABORT_CAUSES },
  },
  trainingRuns: {
    name: 'layercache_training_runs_total',
    type: 'counter',
    unit: 'events',
    help: 'Trainings that ended, by how.',
    labels: { ...SERVICE_LABELS, result: TRAINING_RESULTS },
  },
  rolloutDuration: {
    name: 'layercache_rollout_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from a candidate to its end.',
    labels: { result: ROLLOUT_RESULTS },
    buckets: ROLLOUT_BUCKETS,
  },
  trainingDuration: {
    name: 'layercache_training_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from the start of a training to its end.',
    labels: { result: TRAINING_RESULTS },
    buckets: TRAINING_BUCKETS,
  },
} as const satisfies Record<string, MetricFamily>;

const fleet = {
  policyPublishes: {
    name: 'layercache_policy_publishes_total',
    type: 'counter',
    unit: 'events',
    help: 'Policies stored for the mount, and handed to the pods.',
    labels: { path: ['mount', 'push'] },
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
    help: 'Evidence asked of pods, by what came of it; gap: windows were gone before they were read.',
    labels: { result: PULL_RESULTS },
  },
  evidencePullDuration: {
    name: 'layercache_evidence_pull_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time of a pull, by what came of it.',
    labels: { result: PULL_RESULTS },
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
    help: 'Lists that fill the copy of a kind and were answered, by cause; a healthy one has a start and a periodic list every 10 minutes.',
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
    help: '1, with the versions of the program and of Node, and what the program was built from.',
    labels: { version: 'text', commit: 'text', node_version: 'text' },
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

/** Families of the operator by topic, in the order of the reference. */
export const OPERATOR_METRIC_GROUPS = {
  Services: services,
  Accuracy: accuracy,
  Decisions: decisions,
  Fleet: fleet,
  'API server': cluster,
  Process: program,
  'Controllers (names of controller-runtime)': CONTROLLER_METRICS,
  'Work queues (names of client-go)': QUEUE_METRICS,
} as const satisfies Record<string, Record<string, MetricFamily>>;

/** Families of the operator by key. */
export const OPERATOR_METRICS = {
  ...services,
  ...accuracy,
  ...decisions,
  ...fleet,
  ...cluster,
  ...program,
  ...CONTROLLER_METRICS,
  ...QUEUE_METRICS,
} as const;
