import type { Track } from '../../crds/wire/evidence.ts';
import type { BatchOutcome, RowAnswer } from '../engine/engine-client.ts';
import type { Serving } from '../serving.ts';
import type { AnsweredRow, ForcedReason, InferJob } from './job.ts';

/** Why a row ran to the backbone without a choice (metrics: rows_forced_total). */
export type RowForced = ForcedReason | 'exits_off' | 'engine_retry';

/** A row as its batch sees it. */
export interface BatchRow {
  readonly track: Track;
  readonly audited: boolean;
  /** Its features and the backbone's answer are kept for training. */
  readonly sampled: boolean;
  readonly forced: RowForced | null;
  readonly waitedMs: number;
}

export interface RowRecord extends AnsweredRow {
  readonly row: BatchRow;
  readonly latencyMs: number;
}

/** Who keeps the books of a batch: evidence, samples, metrics, local safety. One per batch, for its one snapshot. */
export interface BatchLog {
  answered(record: RowRecord): void;
  /** All audits of the batch are known. `answers` by row of the batch, also of rows whose client has left. */
  finished(outcome: BatchOutcome, answers: readonly (RowAnswer | undefined)[]): void;
  /** The engine failed: chosen audits of the batch are lost. */
  failed(): void;
  /** Nothing more of this batch will come. */
  close(): void;
}

/** A row as it came. */
export interface RowInput {
  readonly bytes: Uint8Array;
  readonly datatype: InferJob['datatype'];
}

export interface BatchObserver {
  /** @param inputOf null for a row that is none of the batch */
  open(
    serving: Serving,
    rows: readonly BatchRow[],
    inputOf: (row: number) => RowInput | null,
  ): BatchLog;
  /** A request ended in an error after it was queued; `rows` of it were not answered. */
  rowsFailed(serving: Serving | null, trackDraw: number, rows: number): void;
}
