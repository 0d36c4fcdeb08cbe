// Between the host's main thread and its workers.
import type { EnginePlan, PlanReport } from '../engine-client.ts';
import type { EngineErrorCode } from '../engine-error.ts';
import type { RunHeader } from '../protocol.ts';
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

interface Settled {
  readonly job: number;
  readonly activations: number;
  /** Frames for the main process that end a batch: they travel with the news that the worker is free. */
  readonly frames: Uint8Array | null;
}

export type WorkerReply =
  | (Settled & { readonly from: 'done'; readonly value: unknown })
  | (Settled & {
      readonly from: 'failed';
      readonly code: EngineErrorCode;
      readonly message: string;
    })
  /** A frame for the main process, ready to be written. */
  | { readonly from: 'frame'; readonly bytes: Uint8Array };
