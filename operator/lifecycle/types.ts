import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import type { EvidenceGrid, EvidenceWindow } from '../../crds/wire/evidence.ts';
import type { ExitMode, Policy } from '../../crds/wire/policy.ts';
import type { CostTable } from '../../crds/wire/state.ts';
import type { Reason } from '../../crds/v1alpha1/reasons.ts';
import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';

/** A candidate exit of the loaded backbone, in backbone order. */
export interface ExitCandidate {
  readonly name: string;
  readonly tensor: string;
  readonly mode: ExitMode;
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
  /** Oldest seq still kept: a watermark below it - 1 is a gap. */
  readonly oldestSeq: number;
  readonly samples: { readonly long: number; readonly recent: number; readonly seen: number };
  readonly costs: CostTable | null;
}

export type TrainingReport =
  | { readonly kind: 'Idle' }
  | { readonly kind: 'Running'; readonly progress: number }
  | { readonly kind: 'Trained'; readonly attempt: number; readonly revision: HeadRevisionFacts }
  | {
      readonly kind: 'Failed';
      readonly attempt: number;
      readonly reason: 'NotBetter' | 'TooFewRows' | 'Failed';
      readonly message: string;
    };

/** One tick's view of the world. Nothing here is I/O; the shell gathered it. */
export interface LifecycleInput {
  readonly nowMs: number;
  readonly settings: ServiceSettings;
  readonly backbone: BackboneFacts | null;
  readonly pods: readonly PodReport[];
  readonly training: TrainingReport;
  /** Revisions that the ledger may name. */
  readonly revisions: readonly HeadRevisionFacts[];
  /** Local mode: the stream has at most this many further distinct rows (null: unbounded); ends Collecting early. */
  readonly collectRows: number;
  /** Local mode repeats the stream now: nothing is drawn for audit. */
  readonly auditsOff: boolean;
  readonly epoch: number;
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

/** What the shell does after a tick, besides storing the ledger and publishing the policy when it changed. */
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

export interface StoredLook {
  readonly look: number;
  readonly grid: EvidenceGrid;
  readonly dispersion: number;
  readonly lambdaIndex: number | null;
  readonly takenAtMs: number;
}
