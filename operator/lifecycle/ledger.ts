// Everything the lifecycle remembers: one plain JSON value, stored before anything is acted on (exits.md 6.3). Counts and
// watermarks live together, so a lost ledger starts both from zero and counts nothing twice (reliability.md O25, B13).
import { checkShape, readJson, type DocumentKind } from '../../crds/wire/json.ts';
import type { Result } from '../../crds/wire/result.ts';
import type { AgreementName } from '../../crds/wire/agreement.ts';
import type { LatencyDigest } from '../../crds/wire/evidence.ts';
import type { PolicyCertificate } from '../../crds/wire/policy.ts';
import type { Reason } from '../../crds/v1alpha1/reasons.ts';
import type { DetectorState } from '../../server/core/detector.ts';
import type { BlockedEvidence } from '../stats/dispersion.ts';
import type { PodBoot, Watermark } from '../stats/merge-evidence.ts';
import type { PodRows } from '../stats/pod-rows.ts';
import type { SavingLimits } from '../stats/paired.ts';
import { ledgerSchema } from './ledger-schema.ts';
import type { LifecycleStage, StoredLook, TrainingRequest } from './types.ts';

/** Evidence of one attempt to certify one head revision; its terms are fixed at the start and only ever get tighter. */
export interface Attempt {
  /** 1-based within the episode (exits.md 6.3). */
  readonly attempt: number;
  readonly budget: number;
  readonly confidence: number;
  /** What a unit of `dis` is, in blocks, pods and looks; absent: Strict. */
  readonly agreement?: AgreementName;
  /** n1, already multiplied for bursts seen by the attempt before. */
  readonly firstLookRows: number;
  readonly startedAtMs: number;
  readonly blocks: BlockedEvidence;
  /** The same rows by the pod that told them, as far as pods are told apart. */
  readonly pods: readonly PodRows[];
  readonly looks: readonly StoredLook[];
  /** Rows that were answered while the evidence came in: audits / rows is the audit rate then. */
  readonly answeredRows: number;
}

/** A detector belongs to one budget. */
export interface DetectorRecord extends DetectorState {
  readonly budget: number;
}

interface TrackRecord {
  readonly headRevision: string;
  readonly exits: readonly string[];
  /** Null together with the certificate: nothing may leave. */
  readonly lambdaIndex: number | null;
  readonly certificate: PolicyCertificate | null;
}

/** Heads that were promoted, whether or not they may answer now. */
export interface StableRecord extends TrackRecord {
  readonly evidence: Attempt;
  readonly detector: DetectorRecord | null;
  /** Why its exits are off; null: they may answer. Without a certificate it is never null. */
  readonly off: Reason | null;
  /** Predicted saving of the certificate that was voided; null when none was. */
  readonly savingBefore: number | null;
  /** A larger lambda failed its ramp: not tried again for these heads. */
  readonly raiseBlocked: boolean;
  /** Audited rows since a day began, for the least number a day (reliability.md B4). */
  readonly day: { readonly sinceMs: number; readonly audits: number };
}

/** Requests of one track. */
export interface TrackCounters {
  readonly requests: number;
  readonly errors: number;
  readonly latency: LatencyDigest;
}

/** Stable against candidate at one pair of lambdas; starts anew when either moves. */
export interface PairedRecord {
  readonly stableLambdaIndex: number;
  readonly candidateLambdaIndex: number;
  readonly joint: readonly (readonly number[])[];
  readonly onlyStableWrong: number;
  readonly onlyCandidateWrong: number;
  readonly saving: SavingLimits | null;
}

export type GuardedCheck = 'ErrorRate' | 'LatencyP50' | 'LatencyP99';

/** Requests of a step that were measured against a limit. */
export interface GuardRecord {
  readonly above: number;
  readonly requests: number;
  /** The limit of the last tick: microseconds, or a share of errors. */
  readonly limit: number;
  /** Sums of log factors per alternative. */
  readonly logs: readonly number[];
}

/** A step of the ramp: its figures start from zero. */
export interface RampRecord {
  readonly share: number;
  readonly sinceMs: number;
  readonly requests: number;
  readonly audits: number;
  /** Rows; where the agreement is F1 the sum of their losses. */
  readonly disagreements: number;
  readonly detector: DetectorRecord;
  readonly guards: Readonly<Partial<Record<GuardedCheck, GuardRecord>>>;
  /** Checks that failed at the last evaluation: failing again aborts. */
  readonly failing: readonly string[];
  /** The step deadline passed without a verdict, and people were told. */
  readonly isOverdue: boolean;
}

/** New: fresh heads. Raise: stable's heads at a larger lambda. Recertified: stable's heads after their certificate was voided. */
export type CandidateKind = 'New' | 'Raise' | 'Recertified';

export interface CandidateRecord extends TrackRecord {
  readonly kind: CandidateKind;
  /** Null: the same heads as stable, whose evidence it shares. */
  readonly evidence: Attempt | null;
  readonly paired: PairedRecord | null;
  readonly ramp: RampRecord | null;
  /** Requests of stable on the pods of the candidate, in two generations so that old load fades. */
  readonly baseline: { readonly older: TrackCounters; readonly newer: TrackCounters };
  /** Loads of the last two minutes, and boots that ended within them. */
  readonly loads: readonly (PodBoot & { readonly atMs: number })[];
  readonly crashes: number;
  /** The pod that has it before all others do; null: every pod may load it. */
  readonly first: FirstPod | null;
}

/** A candidate stays on one pod until that pod has held it for a minute (api.md 8). */
export interface FirstPod {
  readonly podUid: string;
  /** When its acknowledgement first said so; null: not yet. */
  readonly loadedAtMs: number | null;
}

/** Heads that were replaced last, with all that lets them serve again at once. */
export interface PreviousRecord {
  readonly stable: StableRecord;
  readonly retiredAtMs: number;
}

/** What became of the last request of a person; an equal one is not answered twice. */
export interface RequestRecord {
  readonly value: string;
  readonly result: 'Done' | 'NoOp' | 'Refused';
  readonly message: string;
  readonly atMs: number;
}

/** Audits of the revision that is watched, in entries of at least ten chosen audits. */
export interface LostEntry {
  readonly windows: number;
  readonly chosen: number;
  readonly lost: number;
  readonly expected: number;
  readonly received: number;
}

export interface SavingEntry {
  readonly rows: number;
  readonly busy: number;
  readonly plain: number;
}

/** Why the next training is wanted, with what it may read. */
export type TrainingCause = Omit<TrainingRequest, 'attempt'>;

export interface Ledger {
  readonly schemaVersion: 1;
  readonly stage: LifecycleStage;
  readonly stageSinceMs: number;
  /** Digest and exits that everything below belongs to; null before the first backbone. */
  readonly backboneKey: string | null;
  readonly watermarks: readonly Watermark[];
  readonly stable: StableRecord | null;
  readonly candidate: CandidateRecord | null;
  readonly previous: PreviousRecord | null;
  readonly request: RequestRecord | null;
  /** From one served certificate to the next: attempts begun, and the factor on look sizes that bursts demand. */
  readonly episode: { readonly attempts: number; readonly lookScale: number };
  readonly training: {
    readonly request: TrainingRequest | null;
    /** A cause that waits for the cooldown or for rows; null: heads are trained only when missing. */
    readonly waiting: TrainingCause | null;
    readonly count: number;
    readonly endedAtMs: number | null;
  };
  readonly failed: readonly {
    readonly headRevision: string;
    readonly reason: Reason;
    readonly atMs: number;
  }[];
  readonly alarms: readonly { readonly headRevision: string; readonly atMs: number }[];
  /** Windows of policies up to this pair are older than the last switch-off and never evidence for a new certificate. */
  readonly fence: { readonly epoch: number; readonly revision: number };
  readonly traffic: { readonly rowsPerSecond: number | null; readonly auditRate: number };
  readonly hint: { readonly strikes: number; readonly untilMs: number };
  readonly lost: { readonly entries: readonly LostEntry[]; readonly open: LostEntry };
  readonly saving: {
    /** Spans of >= 1,000 rows, newest last, at most 20. */
    readonly ticks: readonly SavingEntry[];
    readonly open: SavingEntry;
    /** Net saving over the first 5,000 rows after promotion; null until then. */
    readonly reference: number | null;
    readonly span: SavingEntry;
    readonly lowSpans: number;
  };
  /** Pods whose heads do not give the known answers. */
  readonly mismatched: readonly string[];
  readonly exitsEnabled: boolean;
}

const NO_SAVING: SavingEntry = { rows: 0, busy: 0, plain: 0 };
const NO_AUDITS: LostEntry = { windows: 0, chosen: 0, lost: 0, expected: 0, received: 0 };

export const NO_LOST: Ledger['lost'] = { entries: [], open: NO_AUDITS };

export const NO_SAVINGS: Ledger['saving'] = {
  ticks: [],
  open: NO_SAVING,
  reference: null,
  span: NO_SAVING,
  lowSpans: 0,
};

export const NO_REQUESTS: TrackCounters = { requests: 0, errors: 0, latency: [] };

/** The ledger of a service that nothing is known about: nothing counted, no heads, exits off. */
export function emptyLedger(): Ledger {
  return {
    schemaVersion: 1,
    stage: 'Idle',
    stageSinceMs: 0,
    backboneKey: null,
    watermarks: [],
    stable: null,
    candidate: null,
    previous: null,
    request: null,
    episode: { attempts: 0, lookScale: 1 },
    training: { request: null, waiting: null, count: 0, endedAtMs: null },
    failed: [],
    alarms: [],
    fence: { epoch: 0, revision: 0 },
    traffic: { rowsPerSecond: null, auditRate: 1 },
    hint: { strikes: 0, untilMs: 0 },
    lost: NO_LOST,
    saving: NO_SAVINGS,
    mismatched: [],
    exitsEnabled: false,
  };
}

/** The `after` of the next pull, per pod and boot; a boot that is not listed is pulled from 0. */
export function watermarks(ledger: Ledger): readonly Watermark[] {
  return ledger.watermarks;
}

/** Half of what a ConfigMap takes; a service of 1,000 pods with 16 exits stays below, whatever it is at (tested). */
export const LEDGER_MAX_BYTES = 524_288;

const kind: DocumentKind = {
  name: 'ledger',
  maxBytes: LEDGER_MAX_BYTES,
  nextStep: 'start from an empty one: counts and watermarks begin from zero together',
};

/** The text of a ledger. */
export function serializeLedger(ledger: Ledger): string {
  return JSON.stringify(ledger);
}

/** Text -> ledger. Strict: unknown fields, wrong shapes, or more than LEDGER_MAX_BYTES refuse it whole. */
export function parseLedger(text: string): Result<Ledger> {
  const json = readJson(text, kind);
  return json.ok ? checkShape(json.value, ledgerSchema, kind) : json;
}
