import { z } from 'zod';

import { acknowledgementSchema, type Acknowledgement } from './acknowledgement.ts';
import type { PoolSize } from './head-bundle.ts';
import { canonicalJson, checkShape, readJson, type DocumentKind } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import type { Result } from './result.ts';
import * as shapes from './shapes.ts';

export interface TensorSpec {
  readonly name: string;
  /** Open Inference datatype: FP32, UINT8, ... */
  readonly datatype: string;
  /** -1 = free. */
  readonly shape: readonly number[];
}

/** A candidate cut: a tensor that alone is live at that point. Shares are of the plain backbone, up to the cut. */
export interface CutReport {
  readonly tensor: string;
  readonly macsShare: number;
  readonly msShare: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Finest pool that the recorder keeps (channels * pool^2 <= 2048). */
  readonly pool: PoolSize;
}

/** Measured milliseconds of a plan. Index b runs over batchSizes; segments = cuts + 1. */
export interface CostTable {
  readonly batchSizes: readonly number[];
  /** Tensors of the planned cuts in backbone order. */
  readonly cuts: readonly string[];
  readonly plainMs: readonly number[];
  /** [batch size][segment] without heads. */
  readonly segmentMs: readonly (readonly number[])[];
  /** [batch size][cut]: pooling, read-back, head and decision. 0 where no head is planned. */
  readonly headMs: readonly (readonly number[])[];
  /** [batch size][cut]: compaction from that many rows at this cut. */
  readonly compactMs: readonly (readonly number[])[];
  /**
   * How many of `cuts`, the first ones, are companions: named by their digests, each with its whole model as its segment. Their time
   * is no part of plain time. Absent: none.
   */
  readonly companions?: number;
  /**
   * Each segment starts at the model's input, so the time of one that ends at a cut is no part of plain time, and batches are padded to
   * the next of `batchSizes`: an engine on a card. Absent: a segment goes on where the one before it ended.
   */
  readonly fromInput?: true;
}

/** A companion model that runs before the backbone. */
export interface CompanionModel {
  /** Name of its exit. */
  readonly name: string;
  readonly digest: string;
  readonly format: string;
  readonly sizeBytes: number;
  readonly macs: number;
  /** Its measured time for one row as a share of the backbone's. */
  readonly msShare: number;
}

/** A companion model that does not run, and why; its exit is off and the backbone answers. */
export interface CompanionReport {
  /** Name of its exit. */
  readonly name: string;
  readonly code: 'CompanionLoadFailed';
  readonly message: string;
}

/** Why a pod lacks heads that lie in a store, in the words of condition Available of their revision. */
export interface MissingHeadsReport {
  readonly headRevision: string;
  readonly reason: 'BundleMissing' | 'DigestMismatch' | 'Malformed' | 'HeadTooLarge';
  readonly message: string;
}

/** Why a served backbone has no class output, so that nothing can leave early; the message ends with the next step. */
export interface OutputProblem {
  readonly code: 'OutputAmbiguous' | 'NoClassOutput';
  readonly message: string;
}

/** Answer of GET /v1/state once the backbone is loaded. */
export interface ServerState {
  readonly schemaVersion: 1;
  readonly version: string;
  readonly podUid: string;
  readonly bootId: string;
  readonly model: string;
  readonly ready: boolean;
  readonly engine: {
    readonly kind: string;
    readonly device: string;
    readonly threads: number;
    readonly versions: Readonly<Record<string, string>>;
    readonly skipped: readonly { readonly engine: string; readonly reason: string }[];
  };
  readonly backbone: {
    readonly digest: string;
    readonly format: string;
    readonly sizeBytes: number;
    readonly macs: number;
    /** Absent: Classification. Operators of the version before do not know the field. */
    readonly task?: 'Detection';
    /** Classes of heads; 0 without an output that exits supply. */
    readonly classCount: number;
    /** The output that exits supply; null: `outputProblem` says why there is none. */
    readonly outputName: string | null;
    /** Null: no class scores, since there is no such output or it holds boxes. */
    readonly outputKind: 'Logits' | 'Probabilities' | 'LogProbabilities' | null;
    readonly outputProblem: OutputProblem | null;
    readonly inputs: readonly TensorSpec[];
    readonly outputs: readonly TensorSpec[];
    readonly labels: readonly string[];
  };
  readonly cuts: readonly CutReport[];
  /** Why a tensor a user might expect is no cut, or why there are none. */
  readonly rejectedCuts: readonly { readonly tensor: string; readonly reason: string }[];
  /** Head time at batch 1 inside a segment, fitted at load: fixedMs + msPerMillionMacs * millions of multiply-adds. */
  readonly headCost: { readonly fixedMs: number; readonly msPerMillionMacs: number };
  readonly costs: CostTable | null;
  readonly policySchemaVersions: readonly number[];
  readonly policy: {
    readonly epoch: number;
    readonly revision: number;
    readonly exitsEnabled: boolean;
  } | null;
  readonly acknowledgement: Acknowledgement;
  readonly heads: readonly {
    readonly headRevision: string;
    readonly sizeBytes: number;
    readonly inUse: boolean;
  }[];
  /** Heads that the policy names at a store and that could not be brought so far; absent: none. */
  readonly missingHeads?: readonly MissingHeadsReport[];
  /** Exits that are off locally, with the cause: numeric, breaker, stale_policy, known_answer, engine. */
  readonly switchedOff: readonly { readonly exit: string; readonly cause: string }[];
  readonly companions: readonly CompanionReport[];
  /** Companions that run; absent: none. */
  readonly companionModels?: readonly CompanionModel[];
  readonly samples: { readonly long: number; readonly recent: number; readonly seen: number };
  /** Input rows held for a student; absent: none ever are. */
  readonly inputs?: {
    readonly rows: number;
    readonly maxRows: number;
    readonly retentionSeconds: number;
  };
  readonly queue: {
    readonly rows: number;
    readonly capacity: number;
    /** Batch size in which most rows arrive, 1 before any. */
    readonly modalBatchRows: number;
  };
  readonly memory: {
    readonly rssBytes: number;
    readonly engineRssBytes: number;
    readonly activations: number;
  };
}

const name = z.string().min(1).max(256);

const tensorSpec = z.strictObject({
  name,
  datatype: z.string().regex(/^[A-Z0-9]{1,16}$/, 'expected an Open Inference datatype'),
  shape: z.array(z.number().int().min(-1)).max(16),
});

const cut = z.strictObject({
  tensor: shapes.tensorName,
  macsShare: shapes.ratio,
  msShare: shapes.amount,
  channels: shapes.ordinal,
  height: shapes.ordinal,
  width: shapes.ordinal,
  pool: z.literal([1, 2, 4]),
});

const milliseconds = z.array(shapes.amount).max(1024);

const costs = z
  .strictObject({
    batchSizes: z.array(shapes.ordinal).min(1).max(64),
    cuts: z.array(shapes.tensorName).max(64),
    plainMs: milliseconds,
    segmentMs: z.array(milliseconds).max(64),
    headMs: z.array(milliseconds).max(64),
    compactMs: z.array(milliseconds).max(64),
    companions: z.exactOptional(shapes.counter),
    fromInput: z.exactOptional(z.literal(true)),
  })
  .refine(
    (c) =>
      [c.plainMs, c.segmentMs, c.headMs, c.compactMs].every(
        (rows) => rows.length === c.batchSizes.length,
      ),
    'every table needs one entry per batch size',
  )
  .refine((c) => c.segmentMs.every((row) => row.length === c.cuts.length + 1), {
    path: ['segmentMs'],
    message: 'needs one more segment than cuts',
  })
  .refine(
    (c) => [...c.headMs, ...c.compactMs].every((row) => row.length === c.cuts.length),
    'headMs and compactMs need one number per cut',
  )
  .refine((c) => (c.companions ?? 0) <= c.cuts.length, {
    path: ['companions'],
    message: 'must not be above the number of cuts',
  });

const engine = z.strictObject({
  kind: name,
  device: z.string().max(256),
  threads: shapes.counter,
  versions: z.record(name, z.string().max(256)),
  skipped: z.array(z.strictObject({ engine: name, reason: shapes.sentence })).max(32),
});

const backbone = z
  .strictObject({
    digest: shapes.digest,
    format: name,
    sizeBytes: shapes.counter,
    macs: shapes.counter,
    task: z.exactOptional(z.literal('Detection')),
    classCount: shapes.counter,
    outputName: name.nullable(),
    outputKind: z.enum(['Logits', 'Probabilities', 'LogProbabilities']).nullable(),
    outputProblem: z
      .strictObject({
        code: z.enum(['OutputAmbiguous', 'NoClassOutput']),
        message: shapes.sentence,
      })
      .nullable(),
    inputs: z.array(tensorSpec).max(64),
    outputs: z.array(tensorSpec).max(64),
    labels: z.array(z.string().max(256)).max(WIRE_LIMITS.classes),
  })
  .refine(
    (b) =>
      [b.classCount === 0, b.outputProblem !== null].every(
        (isMissing) => isMissing === (b.outputName === null),
      ) && (b.outputKind === null) === (b.outputName === null || b.task === 'Detection'),
    'a backbone has a class output with its kind and classes, or the problem that it has none',
  );

const heads = z.array(
  z.strictObject({
    headRevision: shapes.digest,
    sizeBytes: shapes.counter,
    inUse: z.boolean(),
  }),
);

const missingHeads = z
  .array(
    z.strictObject({
      headRevision: shapes.digest,
      reason: z.enum(['BundleMissing', 'DigestMismatch', 'Malformed', 'HeadTooLarge']),
      message: shapes.sentence,
    }),
  )
  .max(16);

export const companionReports = z
  .array(
    z.strictObject({
      name: shapes.exitName,
      code: z.literal('CompanionLoadFailed'),
      message: shapes.sentence,
    }),
  )
  .max(WIRE_LIMITS.exits);

const companionModels = z
  .array(
    z.strictObject({
      name: shapes.exitName,
      digest: shapes.digest,
      format: name,
      sizeBytes: shapes.counter,
      macs: shapes.counter,
      msShare: shapes.amount,
    }),
  )
  .max(WIRE_LIMITS.exits);

const stateSchema: z.ZodType<ServerState> = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  version: shapes.token,
  podUid: shapes.token,
  bootId: shapes.token,
  model: name,
  ready: z.boolean(),
  engine,
  backbone,
  cuts: z.array(cut).max(4096),
  rejectedCuts: z
    .array(z.strictObject({ tensor: shapes.tensorName, reason: shapes.sentence }))
    .max(4096),
  headCost: z.strictObject({ fixedMs: shapes.amount, msPerMillionMacs: shapes.amount }),
  costs: costs.nullable(),
  policySchemaVersions: z.array(shapes.ordinal).max(16),
  policy: z
    .strictObject({
      epoch: shapes.counter,
      revision: shapes.counter,
      exitsEnabled: z.boolean(),
    })
    .nullable(),
  acknowledgement: acknowledgementSchema,
  heads: heads.max(64),
  missingHeads: z.exactOptional(missingHeads),
  switchedOff: z
    .array(z.strictObject({ exit: shapes.exitName, cause: z.string().max(64) }))
    .max(64),
  companions: companionReports,
  companionModels: z.exactOptional(companionModels),
  samples: z.strictObject({
    long: shapes.counter,
    recent: shapes.counter,
    seen: shapes.counter,
  }),
  inputs: z.exactOptional(
    z.strictObject({
      rows: shapes.counter,
      maxRows: shapes.counter,
      retentionSeconds: shapes.amount,
    }),
  ),
  queue: z.strictObject({
    rows: shapes.counter,
    capacity: shapes.counter,
    modalBatchRows: shapes.ordinal,
  }),
  memory: z.strictObject({
    rssBytes: shapes.counter,
    engineRssBytes: shapes.counter,
    activations: shapes.counter,
  }),
});

const kind: DocumentKind = {
  name: 'server state',
  maxBytes: WIRE_LIMITS.stateBytes,
  nextStep: 'the pod counts as silent until it answers well-formed',
};

/** Text -> state of a server, strict. */
export function parseServerState(text: string): Result<ServerState> {
  const json = readJson(text, kind);
  return json.ok ? readServerState(json.value) : json;
}

/** The same for a value that is JSON already. */
export function readServerState(value: unknown): Result<ServerState> {
  return checkShape(value, stateSchema, kind);
}

/** The one text of a state: sorted keys, no white space; its sha256 is the `stateDigest` of an evidence answer. */
export function serializeServerState(state: ServerState): string {
  return canonicalJson(state);
}
