// Between the host's main thread and its workers.
import type { EnginePlan, PlanReport } from '../engine-client.ts';
import type { RunHeader, WorkerReport } from '../protocol.ts';
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
  | { readonly to: 'release'; readonly job: number; readonly planId: number }
  | {
      readonly to: 'run';
      readonly job: number;
      /** Id of the request, for the frames that answer it. */
      readonly id: number;
      readonly header: RunHeader;
      readonly input: Uint8Array;
      readonly flags: Uint8Array;
    };

export type WorkerReply =
  | {
      readonly from: 'done';
      readonly job: number;
      readonly value: unknown;
      readonly activations: number;
    }
  | {
      readonly from: 'failed';
      readonly job: number;
      readonly code: string;
      readonly message: string;
      readonly activations: number;
    }
  /** A frame for the main process, ready to be written. */
  | { readonly from: 'frame'; readonly bytes: Uint8Array };

export type WorkerAnswer = WorkerReport | PlanReport | null;
