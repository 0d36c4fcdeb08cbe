import type { BatchOutcome, RowAnswer } from './engine/engine-client.ts';
import type { BatchRow, RowRecord } from './queue/batch-log.ts';
import type { AnsweredRow } from './queue/job.ts';
import type { Serving } from './serving.ts';

export interface FinishedBatch {
  readonly serving: Serving;
  readonly outcome: BatchOutcome;
  readonly answers: readonly (RowAnswer | undefined)[];
  readonly rows: readonly BatchRow[];
}

/** What traffic does to the figures for people. Decisions never read them. */
export interface TrafficMetrics {
  inFlight(requests: number): void;
  requestAnswered(deepest: AnsweredRow, seconds: number): void;
  requestRefused(code: string): void;
  batchStarted(rows: readonly BatchRow[]): void;
  rowAnswered(record: RowRecord): void;
  batchFinished(batch: FinishedBatch): void;
  batchFailed(rows: readonly BatchRow[]): void;
  sampled(counts: { readonly kept: number; readonly skipped: number }): void;
}
