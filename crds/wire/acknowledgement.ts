export type ApplyResult = 'Applied' | 'AlreadyApplied' | 'Stale' | 'Rejected';

/** Classes that the server's real heads gave on a bundle's synthetic known-answer rows: one list per exit of the bundle. */
export interface KnownAnswer {
  readonly headRevision: string;
  readonly classes: readonly (readonly number[])[];
}

/** What a server says about the policy in force; status is computed from these only. */
export interface Acknowledgement {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  /** Pair of the policy in force after the call (0, 0 before the first). */
  readonly epoch: number;
  readonly revision: number;
  /** Verified, warmed and loaded bundles. */
  readonly headRevisions: readonly string[];
  readonly backboneDigest: string;
  readonly result: ApplyResult;
  /** Empty, or a stable UpperCamelCase code such as CandidateMissing, CertificateRejected. */
  readonly reason: string;
  /** One sentence, empty when there is nothing to say. */
  readonly message: string;
  readonly knownAnswers: readonly KnownAnswer[];
}
