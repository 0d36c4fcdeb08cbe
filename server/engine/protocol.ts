// What the frames' headers hold. Requests of the main process, answers of the host.
import type { CostTable, ServerState } from '../../crds/wire/state.ts';
import type { EngineSetting } from '../config.ts';
import type { BackboneAnswer } from './backbone-answer.ts';
import type {
  BatchOutcome,
  CompanionSource,
  EnginePlan,
  EngineReport,
  LoadedCompanion,
  PlanReport,
} from './engine-client.ts';
import type { ModelSource } from './segment-engine.ts';

export interface OpenHeader {
  readonly source: ModelSource;
  readonly engine: EngineSetting;
  readonly threads: number;
  /** Of one pass through the backbone when nothing else is under way; 1: no worker for that. */
  readonly loneThreads: number;
}

export interface PrepareHeader {
  readonly plan: EnginePlan;
}

export interface CompanionHeader {
  readonly companion: CompanionSource;
}

export interface ReleaseHeader {
  readonly planId: number;
}

export interface PongHeader {
  readonly rssBytes: number;
  readonly activations: number;
  readonly plans: number;
}

/** Header of `answer`, by what was asked. */
export type AnswerHeader =
  | {
      readonly to: 'open';
      readonly report: EngineReport;
      readonly slots: number;
      /** Of one more lane, behind those of the slots, for what runs alone; null: there is none. */
      readonly loneSpeedup: number | null;
      readonly answer: BackboneAnswer;
    }
  | { readonly to: 'prepare'; readonly report: PlanReport }
  | { readonly to: 'companion'; readonly loaded: LoadedCompanion; readonly answer: BackboneAnswer }
  | { readonly to: 'release' }
  /** One answer per worker. */
  | { readonly to: 'check'; readonly answers: readonly BackboneAnswer[] }
  | { readonly to: 'run'; readonly outcome: BatchOutcome };

/** What a worker found at open; the first worker also measures. */
export interface WorkerReport {
  readonly model: EngineReport['model'];
  readonly device: string;
  readonly versions: ServerState['engine']['versions'];
  readonly headCost: ServerState['headCost'];
  readonly costs: CostTable;
  readonly answer: BackboneAnswer;
}
