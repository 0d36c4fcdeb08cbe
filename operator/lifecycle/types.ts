import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import type { ExitPlace } from '../../crds/wire/exit-place.ts';
import type { ExitMode, Policy } from '../../crds/wire/policy.ts';
import type { CostTable } from '../../crds/wire/state.ts';
import type { Reason } from '../../crds/v1alpha1/reasons.ts';
import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import type { LookResult } from '../stats/looks.ts';
import type { Ledger } from './ledger.ts';

/** A candidate exit: a companion, or a cut of the loaded backbone, in the order in which rows pass them. */
export interface ExitCandidate extends ExitPlace {
  readonly name: string;
  readonly tensor?: string;
  readonly modelDigest?: string;
  /** It compares frames of the source that this header of a request names. */
  readonly sourceHeader?: string;
  readonly mode: ExitMode;
  /** Of the backbone up to the cut; of a companion its own work in terms of the backbone's. Time alike. */
  readonly macsShare: number;
  readonly msShare: number;
}

export interface BackboneFacts {
  readonly digest: string;
  readonly classCount: number;
  readonly exits: readonly ExitCandidate[];
}

/** A head revision that exists in the store, as far as decisions need it. */
export interface HeadRevisionFacts {
  readonly headRevision: string;
  readonly exits: readonly string[];
  /** Known-answer classes that server/core gives for it: [exit][16]. */
  readonly knownAnswers: readonly (readonly number[])[];
  /** Path cost to each exit and to the backbone's end with all heads, as shares of plain time: length exits + 1. */
  readonly pathCost: readonly number[];
}

export interface PodReport {
  readonly podUid: string;
  readonly bootId: string;
  readonly ready: boolean;
  /** Null: no answer for 90 s. */
  readonly acknowledgement: Acknowledgement | null;
  /** Windows after the ledger's watermark for this pod, ascending seq. */
  readonly windows: readonly EvidenceWindow[];
  /** Windows that the parser dropped whole: their audits are lost, later windows count. */
  readonly droppedSeqs: readonly number[];
  /** Oldest seq still kept: a watermark below it - 1 is a gap. */
  readonly oldestSeq: number;
  readonly samples: { readonly long: number; readonly recent: number; readonly seen: number };
  /** Whether the policy in force as it told its samples let exits answer: it forgets them once exits go off (exits.md 3). */
  readonly exitsEnabled: boolean;
  readonly costs: CostTable | null;
}

export type TrainingReport =
  | { readonly kind: 'Idle' }
  | { readonly kind: 'Running'; readonly progress: number }
  | { readonly kind: 'Trained'; readonly attempt: number; readonly revision: HeadRevisionFacts }
  | {
      readonly kind: 'Failed';
      readonly attempt: number;
      readonly reason: 'NotBetter' | 'TooFewRows' | 'Failed' | 'DeadlineExceeded' | 'UploadFailed';
      readonly message: string;
    };

/** One tick's view of the world. Nothing here is I/O; the shell gathered it. */
export interface LifecycleInput {
  readonly nowMs: number;
  readonly settings: ServiceSettings;
  readonly backbone: BackboneFacts | null;
  readonly pods: readonly PodReport[];
  /** Ready pods without a report: nothing is known of them, so nothing is acknowledged by all. */
  readonly silentPods: number;
  readonly training: TrainingReport;
  /** Revisions that the ledger may name. */
  readonly revisions: readonly HeadRevisionFacts[];
  /** Recorded rows that end Collecting at once: 10,000, or what the stream of local mode affords. */
  readonly collectRows: number;
  /** False in local mode: while shadowing every row is an audit, however fast they come. */
  readonly thinAudits: boolean;
  /** Local mode repeats the stream now: nothing is drawn for audit. */
  readonly auditsOff: boolean;
  /** `heads.revision`; null: nothing is pinned. */
  readonly pin: PinnedHeads | null;
  /** What a person asks for by annotation; null: nothing, or what cannot be read. */
  readonly request: LifecycleRequest | null;
  /** The pair that the shell published last; null before the first. An acknowledgement counts for this pair only. */
  readonly published: { readonly epoch: number; readonly revision: number } | null;
}

/** Heads that a person chose: training pauses, and they take the way of a candidate without being compared. */
export interface PinnedHeads {
  /** Null: they are not there, or not for this backbone, so what serves stays. */
  readonly headRevision: string | null;
}

/** A request annotation (api.md 9). */
export interface LifecycleRequest {
  readonly value: string;
  readonly verb: 'abort' | 'promote' | 'rollback' | 'retry' | 'retrain';
  /** The bundle of the revision that it names; null: it names none that exists. */
  readonly headRevision: string | null;
}

/** A decision as people read it: event, log line, timeline entry, report. */
export interface Decision {
  readonly nowMs: number;
  readonly reason: Reason;
  readonly message: string;
  readonly headRevision: string | null;
  readonly details: Readonly<Record<string, number | string | boolean | null>>;
}

export type LifecycleStage =
  | 'Collecting'
  | 'Training'
  | 'Staging'
  | 'Shadowing'
  | 'Ramping'
  | 'Serving'
  | 'Recertifying'
  | 'Idle';

/** A training that the lifecycle wants. Repeated each tick until its report comes: start one per attempt. */
export interface TrainingRequest {
  readonly attempt: number;
  readonly trigger: 'Missing' | 'Alarm' | 'SavingLoss' | 'NewData';
  readonly part: 'long' | 'recent';
  /** Per pod: only samples after this sequence (after an alarm). */
  readonly after: readonly {
    readonly podUid: string;
    readonly bootId: string;
    readonly seq: number;
  }[];
}

/** Policy without the pair: the shell numbers it when its content changed. */
export type PolicyContent = Omit<Policy, 'epoch' | 'revision'>;

/**
 * What the shell does after a tick, in this order: store the ledger, then publish the policy if its content changed, then
 * start the training. A result is acted on only once the ledger that records it is stored.
 */
export interface LifecyclePlan {
  readonly ledger: Ledger;
  /** Null before any backbone is known: nothing to publish, whatever is in force stays. */
  readonly policy: PolicyContent | null;
  readonly training: TrainingRequest | null;
  readonly decisions: readonly Decision[];
  readonly nextDelayMs: number;
}

/** Where the stage stands, for terminals and status. */
export interface StageProgress {
  readonly stage: LifecycleStage;
  /** Rows that count for this stage so far: recorded samples, audited rows, or candidate requests of the step. */
  readonly rows: number;
  /** Rows at which the stage may go on; null when it waits for something else. */
  readonly wantedRows: number | null;
  /** Lambda in force, else the one of the candidate. */
  readonly lambdaIndex: number | null;
  /** One sentence: what is missing. */
  readonly message: string;
}

/** What more traffic would do for a certificate that is not there yet. */
export interface MoreTraffic {
  /** Further requests until the look that the evidence so far would pass, or until the next look when none would. */
  readonly requests: number;
  /** At the rate observed; null while none was. */
  readonly seconds: number | null;
  /** Whether the evidence so far, scaled up, would pass. */
  readonly isLikely: boolean;
  readonly message: string;
}

/** The result of a look, with all it was taken on. */
export interface StoredLook extends LookResult {
  readonly takenAtMs: number;
}
