import { z } from 'zod';

/**
 * report.json, version 2 (documented in charts/layercache/docs/report.md). Strict: a field more or less is another version.
 * Ratios are 0..1, latencies milliseconds. Null stands where a run was too short, or was interrupted, to say anything.
 */
const ratio = z.number().max(1);
const count = z.int().min(0);
const share = z.number().min(0).max(1);
/** Rows; where the agreement is F1 the sum of their losses, to tenths. */
const lost = z.number().min(0);

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
  auditedDisagreement: z.strictObject({ n: count, k: lost, upper: share }),
  /** n: distinct rows of the scope; k: those answered unlike the backbone, which ran on every early one after the run. */
  trueDisagreement: z.strictObject({ n: count, k: lost }).nullable(),
  netMacsSavedRatio: ratio.nullable(),
  netTimeSavedRatio: ratio.nullable(),
  latencyMs: z.strictObject({ backbone: latency.nullable(), layercache: latency.nullable() }),
  meanLatencySavedRatio: ratio.nullable(),
  accuracy: z.strictObject({ n: count, served: share, backbone: share.nullable() }).nullable(),
});

const exit = z.strictObject({
  name: z.string(),
  tensor: z.string().nullable(),
  /** It answers with that of an earlier frame of the source that this header names. */
  sourceHeader: z.exactOptional(z.string()),
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

/** A decision that voided a certificate, and what came of it. Requests count what was sent until then, training rows included. */
const alarm = event.extend({
  atRequest: count,
  /** Every server acknowledged the policy with exits off; null: the run ended first. */
  offSeconds: z.number().min(0).nullable(),
  offRequest: count.nullable(),
  /** Exits were let on again; null: not in this run. */
  backSeconds: z.number().min(0).nullable(),
  backRequest: count.nullable(),
  /** By whom: the same heads, certified on younger rows, or new ones. */
  backBy: z.enum(['Recertified', 'Retrained']).nullable(),
  /** The drill that this alarm answered: the first alarm after its rows began. */
  drift: z
    .strictObject({
      fromSeconds: z.number().min(0),
      fromRequest: count,
      /** Audited rows from then until exits were off. */
      audits: count,
      /** Distorted rows answered before exits were off; k: answered unlike the backbone, null without the comparison. */
      served: z.strictObject({ n: count, k: lost.nullable() }),
    })
    .nullable(),
});

/** What a flag injected on purpose, and what followed. */
const drill = z.strictObject({
  kind: z.enum(['Drift', 'Kill', 'PoisonHead', 'Slow']),
  /** The flag as typed. */
  flag: z.string(),
  /** Null: the run ended before. */
  atSeconds: z.number().min(0).nullable(),
  atRequest: count.nullable(),
  message: z.string(),
  failedRequests: count,
  /** Requests that a killed process had taken and not answered, and those of them that failed with it; null: none was killed. */
  held: z.strictObject({ requests: count, failed: count }).nullable(),
  /** Until answers came again as before; null where nothing stood still, or nothing came. */
  recoveredSeconds: z.number().min(0).nullable(),
  /** Rows of a drift that were answered until exits went off, else to the end; null: none is drifted. */
  drifted: z
    .strictObject({
      n: count,
      /** By an exit. */
      early: count,
      /** Answered unlike the backbone; null without the comparison. */
      k: lost.nullable(),
      outcome: z.enum(['Alarm', 'LambdaTightened', 'NoAlarm']),
    })
    .nullable(),
});

/** What a person should know about the run as a whole: one of the known limits. */
const statement = z.strictObject({
  reason: z.string(),
  message: z.string(),
  nextStep: z.string(),
});

export const reportSchema = z.strictObject({
  schemaVersion: z.literal(2),
  service: z.string(),
  /** What the budget bounds, only where it is not disagreement: the mean F1 loss of boxes. */
  agreement: z.exactOptional(z.literal('F1')),
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
      disagreements: lost,
      epsilon: share,
      delta: share,
      look: z.int().min(1).max(3),
    })
    .nullable(),
  serving: scope,
  run: scope,
  /** Of the whole run at the client, under the load of the traffic; no exit while users send their own requests. */
  latencyByExit: z.record(z.string(), latency),
  /** The course of the run in at most 240 points, oldest first. */
  history: z.array(
    z.strictObject({
      atSeconds: z.number().min(0),
      /** Rows since the point before, in the order of `exits`, the backbone last. */
      rows: z.array(count),
      /** Audited rows so far while a certified lambda was in force, those of them that disagree, and the upper limit. */
      audits: count,
      disagreements: lost,
      upper: share,
    }),
  ),
  alarms: z.array(alarm),
  rollouts: z.array(event),
  drills: z.array(drill),
  statements: z.array(statement),
  traffic: z.strictObject({
    source: z.string(),
    headSource: z.string().nullable(),
    droppedDuplicates: count,
    /** Files that hold no readable picture, and rows that `--drift classes` held back to the end. */
    skippedRows: count,
    repeated: z.boolean(),
    /** Only where an exit compares frames: clips whose rows came in order, named by its header. */
    clips: z.exactOptional(count),
  }),
  errors: z.strictObject({ count, byCode: z.record(z.string(), count) }),
  complete: z.boolean(),
  command: z.string(),
});

export type Report = z.infer<typeof reportSchema>;
export type ReportAlarm = z.infer<typeof alarm>;
export type ReportDrill = z.infer<typeof drill>;
export type ReportDrifted = NonNullable<ReportDrill['drifted']>;
export type ReportScope = z.infer<typeof scope>;
export type ReportLatency = z.infer<typeof latency>;
