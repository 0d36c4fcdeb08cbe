// Between the host's main thread and its workers.
import type { CompanionSource, EnginePlan, PlanReport } from '../engine-client.ts';
import type { EngineErrorCode } from '../engine-error.ts';
import type { ModelSource } from '../segment-engine.ts';

export type WorkerRequest =
  | {
      readonly to: 'open';
      readonly job: number;
      readonly source: ModelSource;
      readonly measures: boolean;
    }
  | {
      readonly to: 'prepare';
      readonly job: number;
      readonly planId: number;
      readonly plan: EnginePlan;
      /** Null: this worker measures for all. */
      readonly measured: PlanReport | null;
    }
  | {
      readonly to: 'companion';
      readonly job: number;
      readonly companion: CompanionSource;
      readonly measures: boolean;
    }
  | { readonly to: 'release'; readonly job: number; readonly planId: number }
  | { readonly to: 'check'; readonly job: number }
  /** Do `passThreads` threads answer one row sooner than one does? */
  | {
      readonly to: 'compare';
      readonly job: number;
      readonly source: ModelSource;
      readonly passThreads: number;
    };

export type WorkerReply =
  | { readonly from: 'done'; readonly job: number; readonly value: unknown }
  | {
      readonly from: 'failed';
      readonly job: number;
      readonly code: EngineErrorCode;
      readonly message: string;
    };

/** What a worker is started with. */
export interface WorkerStart {
  /** Socket of the server's main process: batches come and go there directly. */
  readonly socketPath: string;
  /** Two Int32, kept by the worker: live activations, plans. */
  readonly counts: SharedArrayBuffer;
  /** Of one pass through the backbone. */
  readonly passThreads: number;
}
