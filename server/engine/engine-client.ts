import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { KnownAnswer } from '../../crds/wire/acknowledgement.ts';
import type { Track } from '../../crds/wire/evidence.ts';
import type { Compared } from '../../crds/wire/previous-frame.ts';
import type { CostTable, ServerState } from '../../crds/wire/state.ts';
import type { KeyFrame, RecalledFrame } from '../core/detection/frame-memory.ts';
import type { EngineFailure } from './engine-error.ts';
import type { HostEnd } from './host-end.ts';
import type { ModelDescription, ModelSource } from './segment-engine.ts';

/** One head set in force on a track. The host runs all heads of `bundle`; only a prefix `activeExits` may answer. */
export interface PlannedTrack {
  readonly track: Track;
  readonly headRevision: string;
  readonly bundle: HeadBundle;
  /** Exits of the bundle that may answer, in order; empty: shadow only. */
  readonly activeExits: readonly string[];
  /** Null: nothing may leave on this track. */
  readonly lambdaIndex: number | null;
}

/** Exactly one of `tensor` (a cut of the backbone), `modelDigest` (a companion). */
export interface SampledExit {
  readonly name: string;
  readonly tensor?: string;
  readonly modelDigest?: string;
  /** Rows bring back how they compare with an earlier frame of their source. */
  readonly compares?: Compared;
}

/** A companion model on this machine's disk. */
export interface CompanionSource {
  /** Of its exit, for messages. */
  readonly name: string;
  readonly source: ModelSource;
}

/** What the engine host found in a companion. */
export interface LoadedCompanion {
  readonly digest: string;
  readonly format: string;
  readonly sizeBytes: number;
  readonly macs: number;
  readonly msShare: number;
}

/** What the engine host needs of a `Serving` snapshot. Immutable; a batch names exactly one. */
export interface EnginePlan {
  readonly tracks: readonly PlannedTrack[];
  /** Exits whose pooled features, or log-probabilities of a companion, sampled rows bring back. */
  readonly samples: readonly SampledExit[];
}

export interface PlanReport {
  readonly planId: number;
  readonly costs: CostTable;
  /** Known answers of each bundle, run through the engine's real heads. */
  readonly knownAnswers: readonly KnownAnswer[];
}

/** Bits of a row's flags. A key frame runs to the end, and what later frames of its source are compared with comes back. */
export const RowFlag = {
  Audit: 1,
  Sample: 2,
  Candidate: 4,
  BackboneOnly: 8,
  KeyFrame: 16,
} as const;

/** A row with the key frame of its source. */
export interface RecalledRow {
  readonly row: number;
  readonly key: RecalledFrame;
}

/** A row that later frames of its source may be compared with. */
export interface KeptRow {
  readonly row: number;
  readonly frame: KeyFrame;
}

export interface BatchRequest {
  readonly planId: number;
  readonly rows: number;
  readonly datatype: 'FP32' | 'UINT8';
  /** Rows of the first input in C order, in pieces that follow each other. */
  readonly input: readonly Uint8Array[];
  /** One byte per row: RowFlag bits. */
  readonly flags: Uint8Array;
  /** Nothing else runs: it may have the lane that takes all cores. @defaultValue false */
  readonly isAlone?: boolean;
  /** Rows that an earlier frame may answer. @defaultValue none */
  readonly recalled?: readonly RecalledRow[];
}

/** One answered row. `exit` indexes the bundle of the row's track; -1 = backbone. */
export interface RowAnswer {
  readonly row: number;
  readonly exit: number;
  /** Score q of the head that answered; NaN for the backbone. */
  readonly score: number;
  /** Class that the answer names. */
  readonly classId: number;
  /** Backbone: all outputs in order. Exit: the class output alone, calibrated, in the kind of the backbone's output. */
  readonly outputs: readonly Float32Array[];
}

/** What the heads of a bundle say of a row, per exit. */
export interface ScoredRow {
  /** q */
  readonly scores: Float64Array;
  readonly classes: Int32Array;
  /** Of an answer of that class against the backbone's: 0 to 10 tenths. */
  readonly lossTenths: Uint8Array;
}

/** What an audited row says about each loaded head set. */
export interface AuditedRow {
  readonly row: number;
  readonly backboneClass: number;
  /** Probability that the backbone gives its class; NaN without a class output. */
  readonly backboneConfidence: number;
  /** In the order of EnginePlan.tracks. */
  readonly tracks: readonly ScoredRow[];
}

export interface SampledRow {
  readonly row: number;
  readonly backboneClass: number;
  /** [classCount] natural log */
  readonly logProbabilities: Float32Array;
  /** Per sampled exit: [featureCount] */
  readonly features: readonly Float32Array[];
}

/** Elapsed time of one segment of a batch, with the heads and the pooling at its end. */
export interface SegmentTime {
  /** The cut at which it ends: a place in the plan's `costs.cuts`, their number for the output, -1 when the backbone ran whole. */
  readonly cut: number;
  readonly ms: number;
}

export interface BatchOutcome {
  readonly audits: readonly AuditedRow[];
  readonly samples: readonly SampledRow[];
  /** Busy seconds of this batch by kind; plain = cost table at the arrival size. */
  readonly seconds: {
    readonly segment: number;
    readonly head: number;
    readonly companion: number;
    readonly compact: number;
    readonly audit: number;
    readonly plain: number;
  };
  /** In the order in which they ran. */
  readonly segments: readonly SegmentTime[];
  /** Of the rows that were to be key frames, those that are. @defaultValue none */
  readonly keyFrames?: readonly KeptRow[];
  /** Rows whose backbone output was not finite; they are answered, never audited or sampled. */
  readonly nonFiniteRows: readonly number[];
  /** Per track: exits whose head gave a non-finite feature, logit or score, with the count. */
  readonly nonFiniteHeads: readonly {
    readonly track: Track;
    readonly exit: string;
    readonly rows: number;
  }[];
}

export type EngineStatus = 'Starting' | 'Up' | 'Down' | 'Closed';

/** Called on each change; `end` says why the host is gone, and is null unless it went by itself or was ended for a fault. */
export type StatusListener = (status: EngineStatus, end: HostEnd | null) => void;

/** @param name of the companion's exit */
export type CompanionLostListener = (name: string, why: EngineFailure) => void;

export interface EngineMemory {
  readonly rssBytes: number;
  /** 0 when idle. */
  readonly activations: number;
  /** Over all workers. */
  readonly plans: number;
}

/** The model server's side of the engine host: spawns it, restarts it with backoff, speaks frames on a Unix socket. */
export interface EngineClient {
  /** Resolves when the backbone is loaded and warm; rejects with EngineError when it cannot be (bad model, wrong digest). */
  start(): Promise<EngineReport>;
  /** Loads heads, builds and warms segments; the plan in force goes on serving meanwhile. */
  prepare(plan: EnginePlan): Promise<PlanReport>;
  /**
   * Loads a companion of the backbone beside it, and again after each restart of the host. Plans may name it from then on. Rejects with
   * EngineError when it cannot run before this backbone; whatever it does, the backbone goes on serving.
   */
  openCompanion(companion: CompanionSource): Promise<LoadedCompanion>;
  /** Told, by its name and why, of one that ran and does not any more: it did not load again after a restart of the host. */
  onCompanionLost(listener: CompanionLostListener): void;
  /** No batch names this plan any more. */
  release(planId: number): Promise<void>;
  /** Runs one batch to its end. `onRows` is called as rows leave, before the rest has run. Rejects with EngineError when the host dies. */
  run(batch: BatchRequest, onRows: (rows: readonly RowAnswer[]) => void): Promise<BatchOutcome>;
  /**
   * Asks every worker for the backbone's known answer. False: one differs from what the first host of this process gave; the host is
   * ended for it, and the next one is asked before it serves. Rejects with EngineError when the host cannot say.
   */
  checkBackbone(): Promise<boolean>;
  /** Batches the host takes at once (one per worker); 0 while it is about to be ended for its size. */
  readonly slots: number;
  /** How many times sooner a row is answered on the lane that takes all cores; null: there is no such lane. */
  readonly loneSpeedup: number | null;
  readonly status: EngineStatus;
  /** After a restart all plans must be prepared again. */
  onStatus(listener: StatusListener): void;
  memory(): EngineMemory;
  close(): Promise<void>;
}

export interface EngineReport {
  readonly model: ModelDescription;
  readonly engine: ServerState['engine'];
  readonly headCost: ServerState['headCost'];
  /** Backbone alone at the measured batch sizes. */
  readonly costs: CostTable;
}
