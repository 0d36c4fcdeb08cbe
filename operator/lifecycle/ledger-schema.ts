// The strict shape of a stored ledger: whatever does not fit is refused whole, and the service starts from nothing.
import { z } from 'zod';
import { AGREEMENT_NAMES } from '../../crds/wire/agreement.ts';
import { LAMBDA_COUNT } from '../../crds/wire/lambda-grid.ts';
import { isReason, type Reason } from '../../crds/v1alpha1/reasons.ts';
import * as shapes from '../../crds/wire/shapes.ts';
import type { Ledger } from './ledger.ts';

const { amount, counter, digest, finite, ordinal, ratio, sentence, token } = shapes;
const time = finite;
const pair = z.strictObject({ epoch: counter, revision: counter });
const reasonName: z.ZodType<Reason> = sentence.refine(isReason, 'expected a known reason');
const column = z.array(counter).length(LAMBDA_COUNT);
const grid = z.strictObject({ n: counter, dis: column, leave: z.array(column).max(16) });
/** Rows with their column; steps may go down. */
const rowColumn = z.strictObject({ n: counter, dis: column });
const steps = z.array(z.tuple([shapes.lambdaIndex, z.number().int()])).max(LAMBDA_COUNT);

const boot = { podUid: token, bootId: token };

const agreement = z.exactOptional(z.enum(AGREEMENT_NAMES));

const certificate = z.strictObject({
  audits: ordinal,
  disagreements: counter,
  dispersion: z.number().min(1),
  attempt: ordinal,
  look: ordinal,
  backboneDigest: digest,
  // Ledgers of before policy version 3 do not say them.
  headRevision: z.exactOptional(digest),
  lambdaIndex: z.exactOptional(shapes.lambdaIndex),
  agreement,
});

const flagged = z.strictObject({
  count: ordinal,
  pods: z
    .array(
      z.strictObject({
        podUid: token,
        audits: counter,
        disagreements: counter,
        otherAudits: counter,
        otherDisagreements: counter,
      }),
    )
    .max(8),
  without: rowColumn.nullable(),
});

const attempt = z.strictObject({
  attempt: ordinal,
  budget: ratio,
  confidence: ratio,
  agreement,
  firstLookRows: ordinal,
  startedAtMs: time,
  blocks: z.strictObject({
    closed: grid,
    squares: z.array(amount).length(LAMBDA_COUNT),
    blocks: counter,
    open: grid,
  }),
  // Ledgers of before did not tell pods apart. Their rows are part of the rest, and no pod stands out by them.
  pods: z
    .array(z.strictObject({ podUid: token, n: counter, steps }))
    .max(64)
    .default([]),
  looks: z
    .array(
      z.strictObject({
        look: z.number().int().min(1).max(3),
        grid,
        dispersion: z.number().min(1),
        flagged: flagged.nullable().default(null),
        lambdaIndex: shapes.lambdaIndex.nullable(),
        takenAtMs: time,
      }),
    )
    .max(3),
  answeredRows: amount,
});

const detector = z.strictObject({ budget: ratio, s: z.array(amount).max(6) });

const track = {
  headRevision: digest,
  exits: shapes.exitNames,
  lambdaIndex: shapes.lambdaIndex.nullable(),
  certificate: certificate.nullable(),
};

const stable = z.strictObject({
  ...track,
  evidence: attempt,
  detector: detector.nullable(),
  off: reasonName.nullable(),
  savingBefore: finite.nullable(),
  raiseBlocked: z.boolean(),
  day: z.strictObject({ sinceMs: time, audits: counter }),
});

const latency = z.array(z.tuple([counter, counter]));
const counters = z.strictObject({ requests: counter, errors: counter, latency });

const guard = z.strictObject({
  above: counter,
  requests: counter,
  limit: finite,
  logs: z.array(finite).max(5),
});

const ramp = z.strictObject({
  share: ratio,
  sinceMs: time,
  requests: counter,
  audits: counter,
  disagreements: amount,
  detector,
  guards: z.strictObject({
    ErrorRate: z.exactOptional(guard),
    LatencyP50: z.exactOptional(guard),
    LatencyP99: z.exactOptional(guard),
  }),
  failing: z.array(sentence).max(8),
  isOverdue: z.boolean(),
});

const paired = z.strictObject({
  stableLambdaIndex: shapes.lambdaIndex,
  candidateLambdaIndex: shapes.lambdaIndex,
  joint: z.array(z.array(counter).max(17)).max(17),
  onlyStableWrong: counter,
  onlyCandidateWrong: counter,
  saving: z
    .strictObject({ look: counter, rows: counter, mean: finite, lower: finite, upper: finite })
    .nullable(),
});

const candidate = z.strictObject({
  ...track,
  kind: z.enum(['New', 'Raise', 'Recertified']),
  evidence: attempt.nullable(),
  paired: paired.nullable(),
  ramp: ramp.nullable(),
  baseline: z.strictObject({ older: counters, newer: counters }),
  loads: z.array(z.strictObject({ ...boot, atMs: time })),
  crashes: counter,
  // Ledgers of before had none: every pod might load a candidate at once.
  first: z.strictObject({ podUid: token, loadedAtMs: time.nullable() }).nullable().default(null),
});

const wholeStable = stable.refine(isWhole, 'lambdaIndex and certificate come together');

// Ledgers of before had neither of the two.
const previous = z
  .strictObject({ stable: wholeStable, retiredAtMs: time })
  .nullable()
  .default(null);

const request = z
  .strictObject({
    value: sentence,
    result: z.enum(['Done', 'NoOp', 'Refused']),
    message: sentence,
    atMs: time,
  })
  .nullable()
  .default(null);

const trigger = z.enum(['Missing', 'Alarm', 'SavingLoss', 'NewData']);
const cause = {
  trigger,
  part: z.enum(['long', 'recent']),
  after: z.array(z.strictObject({ ...boot, seq: counter })),
};

const lostEntry = z.strictObject({
  windows: counter,
  chosen: amount,
  lost: amount,
  expected: amount,
  received: amount,
});

const savingEntry = z.strictObject({ rows: counter, busy: amount, plain: amount });

/** A track without a certificate has no lambda, and the other way round; nothing may answer on half of it. */
function isWhole(record: {
  readonly lambdaIndex: number | null;
  readonly certificate: unknown;
  readonly exits: readonly string[];
}): boolean {
  return (record.lambdaIndex === null) === (record.certificate === null);
}

export const ledgerSchema: z.ZodType<Ledger> = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  stage: z.enum([
    'Collecting',
    'Training',
    'Staging',
    'Shadowing',
    'Ramping',
    'Serving',
    'Recertifying',
    'Idle',
  ]),
  stageSinceMs: time,
  backboneKey: z.string().max(8192).nullable(),
  watermarks: z.array(z.strictObject({ ...boot, seq: counter, seenMs: time })),
  stable: wholeStable.nullable(),
  candidate: candidate
    .refine(isWhole, 'lambdaIndex and certificate come together')
    .refine((c) => c.ramp === null || c.certificate !== null, 'a step needs a certificate')
    .nullable(),
  previous,
  request,
  episode: z.strictObject({ attempts: counter, lookScale: z.number().min(1).max(20) }),
  training: z.strictObject({
    request: z.strictObject({ attempt: ordinal, ...cause }).nullable(),
    waiting: z.strictObject(cause).nullable(),
    count: counter,
    endedAtMs: time.nullable(),
  }),
  failed: z.array(z.strictObject({ headRevision: digest, reason: reasonName, atMs: time })).max(10),
  alarms: z.array(z.strictObject({ headRevision: digest, atMs: time })).max(10),
  fence: pair,
  traffic: z.strictObject({ rowsPerSecond: amount.nullable(), auditRate: ratio }),
  hint: z.strictObject({ strikes: counter, untilMs: time }),
  lost: z.strictObject({ entries: z.array(lostEntry).max(10), open: lostEntry }),
  saving: z.strictObject({
    ticks: z.array(savingEntry).max(20),
    open: savingEntry,
    reference: finite.nullable(),
    span: savingEntry,
    lowSpans: counter,
  }),
  mismatched: z.array(token),
  exitsEnabled: z.boolean(),
});
