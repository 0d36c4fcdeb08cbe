import { z } from 'zod';

/**
 * What the page of local mode and of `layercache dashboard` shows: `GET /api/state`, and without `history` each event of
 * `GET /api/events`. Strict: a field more or less is another version. Ratios are 0..1, latencies milliseconds, times seconds
 * since the start of the run, of a service in a cluster since it was made. Null stands where nothing is known yet.
 */
const count = z.int().min(0);
const share = z.number().min(0).max(1);
const ratio = z.number().max(1).nullable();
const seconds = z.number().min(0);
const ms = z.number().min(0);

const quantiles = z.strictObject({ n: count, mean: ms, p50: ms, p95: ms, p99: ms }).nullable();

/** `low` and `high` bound the share at the confidence of the service, both sides together. */
const agreement = z.strictObject({ ratio: share, low: share, high: share }).nullable();

const run = z.strictObject({
  id: z.string(),
  version: z.string(),
  service: z.string(),
  engine: z.string(),
  backbone: z.string(),
  traffic: z.string(),
  /** Null: of a service in a cluster nothing is drawn by chance that a seed could repeat. */
  seed: count.nullable(),
  budgetRatio: share,
  /** What the budget bounds, only where it is not disagreement: the mean F1 loss of boxes. */
  agreement: z.exactOptional(z.literal('F1')),
  confidence: share,
  predictUrl: z.string().nullable(),
  metricsUrl: z.string().nullable(),
});

const stage = z.strictObject({
  name: z.string(),
  status: z.enum(['Waiting', 'Running', 'Done']),
  rows: count,
  /** Null: it waits for something else than rows. */
  wantedRows: count.nullable(),
  /** Null: it ended before anybody looked. */
  seconds: seconds.nullable(),
  leftSeconds: seconds.nullable(),
  message: z.string(),
});

/** Null while no pod of a cluster tells what it counts. */
const totals = z.strictObject({
  requests: count.nullable(),
  rowsPerSecond: z.number().min(0).nullable(),
  /** Rows that an exit answered. */
  early: count.nullable(),
  optedOut: count.nullable(),
  errors: count.nullable(),
  errorsByCode: z.record(z.string(), count),
});

/** Rows; where the agreement is F1 the sum of their losses. */
const lost = z.number().min(0);

/** Audited rows while a certified lambda was in force. */
const disagreement = z.strictObject({ n: count, k: lost, upper: share });

const certificate = z
  .strictObject({
    headRevision: z.string(),
    lambda: z.number(),
    n: count,
    disagreements: lost,
    look: z.int().min(1),
  })
  .nullable();

/** Evidence of the heads that are tested or in force, over the grid of lambdas: three columns of equal length. */
const curve = z
  .strictObject({
    headRevision: z.string(),
    n: count,
    lambda: z.array(z.number()),
    disagreement: z.array(share),
    /** Rows that would leave at an exit. */
    leaving: z.array(share),
  })
  .nullable();

const exit = z.strictObject({
  name: z.string(),
  /** `companion` of one; null: the backbone's own end. */
  tensor: z.string().nullable(),
  /** It answers with that of an earlier frame of the source that this header names. */
  sourceHeader: z.exactOptional(z.string()),
  /** Whether rows may leave here now. */
  isOn: z.boolean(),
  /** Heads that are tested or in force have one here; the others are candidates still. */
  hasHead: z.boolean(),
  /** Null, as the rate: no pod of a cluster tells. */
  rows: count.nullable(),
  rowsPerSecond: z.number().min(0).nullable(),
  share,
  audits: count,
  disagreements: lost,
  /** What they keep: the share that agrees, or their mean F1. */
  agreement,
  latency: quantiles,
  savedMs: z.number().nullable(),
  savedRatio: ratio,
  /** Rows by logit of the score, bins of width 1 from -8 to 8: since the heads came, and in the last minute. */
  doubt: z
    .strictObject({ all: z.array(count).length(16), recent: z.array(count).length(16) })
    .nullable(),
});

const server = z.strictObject({
  name: z.string(),
  isReady: z.boolean(),
  /** Figures are null while a pod does not tell them. */
  queuedRows: count.nullable(),
  queueCapacity: count.nullable(),
  batchRows: count.nullable(),
  mainBytes: count.nullable(),
  engineBytes: count.nullable(),
  activations: count.nullable(),
  switchedOff: z.array(z.string()),
});

const decision = z.strictObject({
  atSeconds: seconds,
  reason: z.string(),
  tone: z.enum(['Neutral', 'Good', 'Warning', 'Alarm']),
  /** What the reason stands for, from the catalogue. */
  meaning: z.string(),
  message: z.string(),
  headRevision: z.string().nullable(),
});

const span = z.strictObject({
  /** Load, Collect, Train, Certify, Ramp, Serve, Compare. */
  stage: z.string(),
  /** Share of the traffic that a candidate had, in a ramp. */
  share: share.nullable(),
  startSeconds: seconds,
  /** Null: it goes on. */
  endSeconds: seconds.nullable(),
});

/** One second of the run. */
export const pagePointSchema = z.strictObject({
  atSeconds: seconds,
  rowsPerSecond: z.number().min(0),
  errorsPerSecond: z.number().min(0),
  /** Rows of this second by who answered, in the order of `exits`. */
  exitRows: z.array(count),
  /** Of requests of the last five seconds. */
  p50: ms.nullable(),
  p95: ms.nullable(),
  p99: ms.nullable(),
  audits: count,
  disagreement: share.nullable(),
  upper: share.nullable(),
  queuedRows: count,
});

/** What only a service in a cluster has. */
const cluster = z
  .strictObject({
    namespace: z.string(),
    context: z.string(),
    server: z.string(),
    /** Of second 0, in milliseconds since 1970: the page shows times of day. */
    startMs: count,
    policy: z
      .strictObject({ epoch: count, revision: count, acknowledged: count, readyPods: count })
      .nullable(),
    conditions: z.array(
      z.strictObject({
        type: z.string(),
        status: z.enum(['True', 'False', 'Unknown']),
        reason: z.string(),
        message: z.string(),
        sinceSeconds: seconds,
      }),
    ),
    /** Since when nothing new was read, and why; null: the figures are of now. */
    stale: z.strictObject({ sinceSeconds: seconds, why: z.string() }).nullable(),
  })
  .nullable();

/** Why a part of the page has nothing to show, as a sentence in its place; null: it has, or will have. */
const unshown = z.strictObject({
  traffic: z.string().nullable(),
  slices: z.string().nullable(),
  doubt: z.string().nullable(),
  evidence: z.string().nullable(),
  decisions: z.string().nullable(),
});

const fields = {
  schemaVersion: z.literal(2),
  run,
  /** Null: a run of local mode. */
  cluster,
  unshown,
  status: z.enum([
    'Loading',
    'Running',
    'Comparing',
    'Ended',
    'Interrupted',
    'Failed',
    /** The service of a cluster is there no more. */
    'Deleted',
  ]),
  /** Where the run stands, as one sentence; of a failed run what went wrong. */
  message: z.string(),
  atSeconds: seconds,
  stages: z.array(stage),
  exitsAre: z.strictObject({ on: z.boolean(), why: z.string() }),
  totals,
  disagreement,
  certificate,
  curve,
  latency: z.strictObject({
    /** Slices at concurrency 1 on the same rows, alternating. */
    plain: quantiles,
    layercache: quantiles,
    /** Median under the traffic's own load while the backbone answered everything. */
    backboneP50: ms.nullable(),
  }),
  saved: z.strictObject({ timeRatio: ratio, latencyRatio: ratio }),
  exits: z.array(exit),
  servers: z.array(server),
  timeline: z.array(span),
  /** The newest last; older ones than the last 200 are in the report only. */
  decisions: z.array(decision),
  /** Known limits that this run meets, for as long as they hold. */
  statements: z.array(
    z.strictObject({ reason: z.string(), message: z.string(), nextStep: z.string() }),
  ),
  /** One sentence per drill: what was injected, and what came of it so far. */
  drills: z.array(z.string()),
  warnings: z.array(z.strictObject({ atSeconds: seconds, message: z.string() })),
  reportPath: z.string().nullable(),
};

/** An event: the picture of now with its newest point. */
export const pageEventSchema = z.strictObject({ ...fields, point: pagePointSchema.nullable() });

/** The whole: the picture of now, and the last 30 minutes. */
export const pageStateSchema = z.strictObject({ ...fields, history: z.array(pagePointSchema) });

export type PagePoint = z.infer<typeof pagePointSchema>;
export type PageEvent = z.infer<typeof pageEventSchema>;
export type PageState = z.infer<typeof pageStateSchema>;
/** The picture of now alone. */
export type Picture = Omit<PageEvent, 'point'>;
export type PageExit = Picture['exits'][number];
export type PageCluster = NonNullable<Picture['cluster']>;
export type PageDecision = Picture['decisions'][number];
export type PageQuantiles = NonNullable<Picture['latency']['plain']>;
