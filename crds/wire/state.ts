import type { Acknowledgement } from './acknowledgement.ts';
import type { PoolSize } from './head-bundle.ts';

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
}

/** Answer of GET /v1/state. */
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
    readonly classCount: number;
    readonly outputName: string;
    readonly outputKind: 'Logits' | 'Probabilities' | 'LogProbabilities';
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
  /** Exits that are off locally, with the cause: numeric, breaker, stale_policy, known_answer, engine. */
  readonly switchedOff: readonly { readonly exit: string; readonly cause: string }[];
  readonly samples: { readonly long: number; readonly recent: number; readonly seen: number };
  readonly queue: { readonly rows: number; readonly capacity: number };
  readonly memory: {
    readonly rssBytes: number;
    readonly engineRssBytes: number;
    readonly activations: number;
  };
}
