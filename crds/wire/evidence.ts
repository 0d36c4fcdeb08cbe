import type { Acknowledgement } from './acknowledgement.ts';

/** Counters of audited rows on the lambda grid (exits.md 5): for column j, `dis[j]` disagreements, `leave[e][j]` rows leaving at exit e. */
export interface EvidenceGrid {
  readonly n: number;
  /** length 120 */
  readonly dis: readonly number[];
  /** [exits][120] */
  readonly leave: readonly (readonly number[])[];
}

export type Track = 'stable' | 'candidate';

/** Audits of one exit and predicted class at the lambda in force; classId -1 gathers all classes beyond the 64 commonest. */
export interface EvidenceStratum {
  readonly exit: string;
  readonly classId: number;
  readonly audits: number;
  readonly disagreements: number;
}

/** Stable against candidate on the same audited rows (exits.md 9.1); in the candidate's windows only. */
export interface PairedEvidence {
  readonly stableHeadRevision: string;
  readonly stableExits: readonly string[];
  readonly stableLambdaIndex: number;
  readonly candidateLambdaIndex: number;
  /** [stable exits + 1][candidate exits + 1], last = backbone: audited rows by exits at the two lambdas. */
  readonly joint: readonly (readonly number[])[];
  readonly onlyStableWrong: number;
  readonly onlyCandidateWrong: number;
}

/** Log-bucketed latency: bucket b counts durations in [1.02^b, 1.02^(b+1)) microseconds. Sparse, ascending buckets. */
export type LatencyDigest = readonly (readonly [bucket: number, count: number])[];

/** All rows this server answered on the window's track while the window was open. */
export interface ServedCounters {
  /** length exits + 1, last = backbone. Opted-out rows are in optedOut only. */
  readonly rows: readonly number[];
  readonly optedOut: number;
  readonly forced: number;
  readonly errors: number;
  readonly numericFallbacks: number;
  /** length exits + 1 */
  readonly latency: readonly LatencyDigest[];
  /** [exits][16] histogram of logit q, bins of width 1 over [-8, 8), clamped. */
  readonly scoreBins: readonly (readonly number[])[];
}

/** Busy seconds of the engine by kind, and what the same batches would have cost plain (exits.md 10). Whole server, in the first window of a tick only. */
export interface ComputeSeconds {
  readonly segment: number;
  readonly head: number;
  readonly companion: number;
  readonly compact: number;
  readonly audit: number;
  readonly plain: number;
}

/** One immutable window of one server and one head revision, keyed (podUid, bootId, seq). */
export interface EvidenceWindow {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  readonly seq: number;
  readonly backboneDigest: string;
  /** Null: no head revision loaded; counters only, exits empty. */
  readonly headRevision: string | null;
  readonly track: Track | null;
  /** Pair of the policy in force for the whole window. */
  readonly epoch: number;
  readonly policyRevision: number;
  readonly lambdaIndex: number | null;
  /** Share of traffic of this track while the window was open: 0 = shadow. */
  readonly share: number;
  readonly exitsEnabled: boolean;
  /** Exits of the revision in order; columns of the grid. */
  readonly exits: readonly string[];
  readonly durationSeconds: number;
  readonly grid: EvidenceGrid;
  readonly strata: readonly EvidenceStratum[];
  readonly paired: PairedEvidence | null;
  readonly served: ServedCounters;
  readonly compute: ComputeSeconds | null;
  readonly auditsChosen: number;
  readonly auditsLost: number;
  readonly auditRate: number;
  /** Exits switched off locally (breaker, numeric) during the window. */
  readonly switchedOff: readonly string[];
}

/** Answer of GET /v1/evidence?after=SEQ. */
export interface EvidenceAnswer {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  readonly oldestSeq: number;
  readonly newestSeq: number;
  readonly stateDigest: string;
  readonly acknowledgement: Acknowledgement;
  readonly windows: readonly EvidenceWindow[];
}
