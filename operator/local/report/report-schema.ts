import { z } from 'zod';

/**
 * report.json, version 1 (documented in charts/layercache/docs/report.md). Strict: a field more or less is another version.
 * Ratios are 0..1, latencies milliseconds. Null stands where a run was too short, or was interrupted, to say anything.
 */
const ratio = z.number().max(1);
const count = z.int().min(0);
const share = z.number().min(0).max(1);

const latency = z.strictObject({
  mean: z.number().min(0),
  p50: z.number().min(0),
  p99: z.number().min(0),
});

const scope = z.strictObject({
  /** Rows answered in this scope, in `serving` distinct ones; opted-out rows are not among them. */
  requests: count,
  optedOutShare: share,
  /** Share of the rows by who answered; `backbone` is one of the names. */
  exitShare: z.record(z.string(), share),
  auditedDisagreement: z.strictObject({ n: count, k: count, upper: share }),
  /** n: distinct rows of the scope; k: those answered unlike the backbone, which ran on every early one after the run. */
  trueDisagreement: z.strictObject({ n: count, k: count }).nullable(),
  netMacsSavedRatio: ratio.nullable(),
  netTimeSavedRatio: ratio.nullable(),
  latencyMs: z.strictObject({ backbone: latency.nullable(), layercache: latency.nullable() }),
  meanLatencySavedRatio: ratio.nullable(),
  accuracy: z.strictObject({ n: count, served: share, backbone: share.nullable() }).nullable(),
});

const exit = z.strictObject({
  name: z.string(),
  tensor: z.string().nullable(),
  macsShare: share,
  msShare: z.number().min(0),
  head: z
    .strictObject({
      pool: z.int(),
      hidden: z.int(),
      macs: count,
      auroc: z.number().nullable(),
      agreement: z.number().nullable(),
      coverage: z.number().nullable(),
    })
    .nullable(),
});

const event = z.strictObject({
  atSeconds: z.number().min(0),
  reason: z.string(),
  message: z.string(),
  headRevision: z.string().nullable(),
});

export const reportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  service: z.string(),
  engine: z.strictObject({
    kind: z.string(),
    device: z.string(),
    threads: z.int().min(1),
    versions: z.record(z.string(), z.string()),
  }),
  backbone: z.strictObject({ digest: z.string(), macs: count, latencyMs: latency.nullable() }),
  exits: z.array(exit),
  phases: z.array(
    z.strictObject({
      stage: z.string(),
      startSeconds: z.number().min(0),
      seconds: z.number().min(0),
      requests: count,
    }),
  ),
  certificate: z
    .strictObject({
      headRevision: z.string(),
      lambda: z.number(),
      n: count,
      disagreements: count,
      epsilon: share,
      delta: share,
      look: z.int().min(1).max(3),
    })
    .nullable(),
  serving: scope,
  run: scope,
  alarms: z.array(event),
  rollouts: z.array(event),
  traffic: z.strictObject({
    source: z.string(),
    headSource: z.string().nullable(),
    droppedDuplicates: count,
    repeated: z.boolean(),
  }),
  errors: z.strictObject({ count, byCode: z.record(z.string(), count) }),
  complete: z.boolean(),
  command: z.string(),
});

export type Report = z.infer<typeof reportSchema>;
export type ReportScope = z.infer<typeof scope>;
export type ReportLatency = z.infer<typeof latency>;
