/** What a server does with an exit: Active may answer, Shadow runs on audits only, Disabled is not run. */
export type ExitMode = 'Active' | 'Shadow' | 'Disabled';

/** An exit the server samples and shadows; exactly one of `tensor` (cut of the backbone), `modelDigest` (companion). */
export interface PolicyExit {
  readonly name: string;
  readonly tensor?: string;
  readonly modelDigest?: string;
  readonly mode: ExitMode;
}

/** The counts that certify `lambdaIndex`; a server recomputes the test from them and refuses what they do not support. */
export interface PolicyCertificate {
  readonly audits: number;
  readonly disagreements: number;
  /** D of exits.md 6.4, 1 when rows are independent. */
  readonly dispersion: number;
  /** 1-based attempt of the episode and 1-based look (1..3): together they fix the level of the test. */
  readonly attempt: number;
  readonly look: number;
  readonly backboneDigest: string;
}

export interface PolicyTrack {
  /** `sha256:<64 hex>` of the head bundle file. */
  readonly headRevision: string;
  /** Index into the lambda grid; null before there is a certificate (shadowing). */
  readonly lambdaIndex: number | null;
  readonly certificate: PolicyCertificate | null;
  /** Names of exits in order; a prefix-cut of the bundle's exits. Empty: none may answer. */
  readonly activeExits: readonly string[];
  readonly bundleUri?: string;
}

export type CandidateStage = 'Staging' | 'Shadowing' | 'Ramping';

export interface PolicyCandidate extends PolicyTrack {
  /** Share of traffic, 0..1. Above 0 only with a certificate. */
  readonly share: number;
  readonly stage: CandidateStage;
  readonly stickyHeader?: string;
  readonly stickyKey?: string;
}

/** Settings that change without a restart. */
export interface PolicyLimits {
  readonly maxBatchSize: number;
  readonly maxQueueDelayMs: number;
  readonly maxQueueLength: number;
  readonly maxRequestBytes: number;
  readonly maxConcurrentRequests: number;
  readonly requestTimeoutMs: number;
}

/** The whole instruction of a server; replaces the one in force iff (epoch, revision) is higher. Ratios are 0..1. */
export interface Policy {
  readonly schemaVersion: 1;
  readonly epoch: number;
  readonly revision: number;
  readonly model: string;
  readonly backboneDigest: string;
  readonly exitsEnabled: boolean;
  readonly budget: number;
  readonly confidence: number;
  readonly exits: readonly PolicyExit[];
  readonly stable: PolicyTrack | null;
  readonly candidate: PolicyCandidate | null;
  /** Probability that a row is audited, 0..1. */
  readonly auditRate: number;
  readonly maxAgeSeconds: number;
  readonly limits: PolicyLimits;
}
