import { DRIFT_HINTS } from '../wire/drift-hints.ts';
import { BACKBONE_METRICS } from './backbone-catalogue.ts';

/**
 * The one catalogue of metrics, data only. From it come the registration in each `metrics.ts`, queries, and the metric
 * reference. Metrics are for people; decisions use evidence windows.
 */

/** Values that a label may take: a closed list, or a set whose members are known from the configuration. */
export type LabelValues =
  readonly string[] | 'exit' | 'segment' | 'model' | 'namespace' | 'head_revision' | 'text';

export interface MetricFamily {
  /** Starts with `layercache_` unless the family is a public one of another project. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Base unit, as in the name: seconds, ratio, rows, bytes, total counts are of `events`. */
  readonly unit: string;
  readonly help: string;
  /** In the order of the reference. The default label `model` is on every server family and not listed. */
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds of a histogram's buckets, without +Inf. */
  readonly buckets?: readonly number[];
}

const TRACKS = ['stable', 'candidate'] as const;

/** Seconds from half a millisecond to 2.5 s. */
export const LATENCY_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
] as const;

const requests = {
  requests: {
    name: 'layercache_requests_total',
    type: 'counter',
    unit: 'requests',
    help: 'Requests answered, by protocol and code; refusals are codes.',
    labels: { protocol: ['v1', 'v2'], code: 'text' },
  },
  requestDuration: {
    name: 'layercache_request_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from received to last byte sent, by the deepest exit used.',
    labels: { exit: 'exit', track: TRACKS },
    buckets: LATENCY_BUCKETS,
  },
  requestsInFlight: {
    name: 'layercache_requests_in_flight',
    type: 'gauge',
    unit: 'requests',
    help: 'Requests received and not answered yet.',
    labels: {},
  },
} as const satisfies Record<string, MetricFamily>;

const exits = {
  rows: {
    name: 'layercache_rows_total',
    type: 'counter',
    unit: 'rows',
    help: 'Rows answered, by the exit that answered; exit share = all but backbone / all.',
    labels: { exit: 'exit', track: TRACKS },
  },
  rowsForced: {
    name: 'layercache_rows_forced_total',
    type: 'counter',
    unit: 'rows',
    help: 'Rows that had no choice but the backbone.',
    labels: { reason: ['opt_out', 'output_not_supplied', 'exits_off', 'numeric', 'engine_retry'] },
  },
  headEvaluations: {
    name: 'layercache_head_evaluations_total',
    type: 'counter',
    unit: 'rows',
    help: 'Rows that reached the head.',
    labels: { exit: 'exit', track: TRACKS },
  },
  exitDoubt: {
    name: 'layercache_exit_doubt_ratio',
    type: 'histogram',
    unit: 'ratio',
    help: '1 - calibrated score of audited rows; compare with how often their answers disagree.',
    labels: { exit: 'exit' },
    buckets: [1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
  },
  exitEnabled: {
    name: 'layercache_exit_enabled',
    type: 'gauge',
    unit: 'boolean',
    help: '1 when the exit may answer, after policy, mode and breaker.',
    labels: { exit: 'exit', track: TRACKS },
  },
  lambda: {
    name: 'layercache_lambda_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Lambda in force; absent while exits are off.',
    labels: { track: TRACKS },
  },
  exitsSwitchedOff: {
    name: 'layercache_exits_switched_off_total',
    type: 'counter',
    unit: 'events',
    help: 'Times that exits were switched off.',
    labels: { cause: ['numeric', 'breaker', 'stale_policy', 'known_answer', 'policy', 'engine'] },
  },
  budget: {
    name: 'layercache_budget_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Budget as enforced.',
    labels: {},
  },
} as const satisfies Record<string, MetricFamily>;

const audits = {
  audits: {
    name: 'layercache_audits_total',
    type: 'counter',
    unit: 'rows',
    help: 'Audited rows, by the exit that answered; answers of the backbone agree.',
    labels: { exit: 'exit', track: TRACKS, result: ['agree', 'disagree', 'error'] },
  },
  auditLoss: {
    name: 'layercache_audit_loss_rows_total',
    type: 'counter',
    unit: 'rows',
    help: 'What audited answers lose against the backbone, as accuracy.agreement counts it: each that disagrees 1, or where boxes can be partly right 1 - F1.',
    labels: { exit: 'exit', track: TRACKS },
  },
  auditRate: {
    name: 'layercache_audit_rate_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Probability that a row is audited.',
    labels: {},
  },
  auditsDropped: {
    name: 'layercache_audits_dropped_total',
    type: 'counter',
    unit: 'rows',
    help: 'Audits that were chosen and lost; above 1 % the window is void.',
    labels: { reason: ['backlog', 'deadline', 'shutdown', 'engine'] },
  },
  samples: {
    name: 'layercache_samples_total',
    type: 'counter',
    unit: 'rows',
    help: 'Rows offered to the training reservoir.',
    labels: { result: ['kept', 'skipped'] },
  },
  sampleReservoir: {
    name: 'layercache_sample_reservoir_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Rows in the training reservoir.',
    labels: {},
  },
  sampleReservoirCapacity: {
    name: 'layercache_sample_reservoir_capacity_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Rows that the training reservoir holds at most; 0 before the first row.',
    labels: {},
  },
  evidenceWindows: {
    name: 'layercache_evidence_windows_total',
    type: 'counter',
    unit: 'windows',
    help: 'Evidence windows closed.',
    labels: {},
  },
  evidenceRead: {
    name: 'layercache_evidence_last_read_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time at which evidence was last pulled; 0 while nobody has.',
    labels: {},
  },
  driftHint: {
    name: 'layercache_drift_hint_active',
    type: 'gauge',
    unit: 'boolean',
    help: '1 for 10 minutes after traffic of this pod looked unlike that which its heads met first; more rows are audited, nothing else changes.',
    labels: { kind: DRIFT_HINTS },
  },
  auditBacklog: {
    name: 'layercache_audit_backlog_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Audited rows whose answer of the backbone is still to come.',
    labels: {},
  },
  auditDelay: {
    name: 'layercache_audit_delay_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'From the answer of an audited row until the answer of the backbone was known; rows that left early alone.',
    labels: {},
    buckets: LATENCY_BUCKETS,
  },
} as const satisfies Record<string, MetricFamily>;

const queue = {
  queueDuration: {
    name: 'layercache_queue_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Wait of a row for its batch; the signal we recommend for autoscaling.',
    labels: {},
    buckets: LATENCY_BUCKETS,
  },
  queueRows: {
    name: 'layercache_queue_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Rows that wait.',
    labels: {},
  },
  queueCapacity: {
    name: 'layercache_queue_capacity_rows',
    type: 'gauge',
    unit: 'rows',
    help: 'Rows that may wait; more are refused with 429.',
    labels: {},
  },
  batchRows: {
    name: 'layercache_batch_rows',
    type: 'histogram',
    unit: 'rows',
    help: 'Rows of a batch when it arrived at the engine.',
    labels: {},
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
  },
  segmentDuration: {
    name: 'layercache_segment_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time of a segment in one batch with its heads and pooling, by the exit at its end; backbone: the last one, whole: all at once.',
    labels: { segment: 'segment' },
    buckets: LATENCY_BUCKETS,
  },
  computeSeconds: {
    name: 'layercache_compute_seconds_total',
    type: 'counter',
    unit: 'seconds',
    help: 'Busy seconds of the engine by kind.',
    labels: { kind: ['segment', 'companion', 'head', 'audit', 'compact', 'decode', 'encode'] },
  },
  computeAvoided: {
    name: 'layercache_compute_avoided_seconds_total',
    type: 'counter',
    unit: 'seconds',
    help: 'Segments not run because rows left, priced by the measured cost table; gross, show it net.',
    labels: { exit: 'exit' },
  },
  trackSeconds: {
    name: 'layercache_track_seconds_total',
    type: 'counter',
    unit: 'seconds',
    help: 'Engine time of the rows of a track, row by row at the prices of the measured cost table: what the backbone alone would take, what exits avoid of it, and what heads and audits take.',
    labels: { track: TRACKS, kind: ['backbone', 'avoided', 'head', 'audit'] },
  },
} as const satisfies Record<string, MetricFamily>;

const policy = {
  policyEpoch: {
    name: 'layercache_policy_epoch',
    type: 'gauge',
    unit: 'count',
    help: 'Epoch of the policy in force.',
    labels: {},
  },
  policyRevision: {
    name: 'layercache_policy_revision',
    type: 'gauge',
    unit: 'count',
    help: 'Revision of the policy in force; skew = max - min over pods.',
    labels: {},
  },
  policyApplied: {
    name: 'layercache_policy_applied_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time at which the policy in force was applied.',
    labels: {},
  },
  policyHeard: {
    name: 'layercache_policy_heard_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time at which the operator was last heard of: a call of its own, or a higher policy; 0 while it was not.',
    labels: {},
  },
  policyApplies: {
    name: 'layercache_policy_applies_total',
    type: 'counter',
    unit: 'events',
    help: 'Policies received, by path and result.',
    labels: {
      path: ['mount', 'push'],
      result: ['applied', 'already_applied', 'stale', 'rejected'],
    },
  },
  headInfo: {
    name: 'layercache_head_info',
    type: 'gauge',
    unit: 'info',
    help: '1 for the head revision of each track; the join key for revisions.',
    labels: { track: TRACKS, head_revision: 'head_revision' },
  },
  headSwaps: {
    name: 'layercache_head_swaps_total',
    type: 'counter',
    unit: 'events',
    help: 'Policies with other heads than those in force, by what became of them.',
    labels: { result: ['applied', 'rejected'] },
  },
  headSwapDuration: {
    name: 'layercache_head_swap_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from a policy with other heads to their first batch, or to the refusal; batches go on meanwhile.',
    labels: { result: ['applied', 'rejected'] },
    buckets: LATENCY_BUCKETS,
  },
} as const satisfies Record<string, MetricFamily>;

/** Families of the model server by topic, in the order of the reference. */
export const SERVER_METRIC_GROUPS = {
  Requests: requests,
  Exits: exits,
  'Audits and samples': audits,
  'Queue and compute': queue,
  'Policy and heads': policy,
  'Backbone and engine': BACKBONE_METRICS,
} as const satisfies Record<string, Record<string, MetricFamily>>;

/** Families of the model server by key, for a typed registration: `metrics.rows.inc({ exit, track }, n)`. */
export const SERVER_METRICS = {
  ...requests,
  ...exits,
  ...audits,
  ...queue,
  ...policy,
  ...BACKBONE_METRICS,
} as const;
