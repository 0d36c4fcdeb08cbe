import type { Track } from '../../crds/wire/evidence.ts';
import type { RowAnswer } from '../engine/engine-client.ts';
import type { ServingError } from '../errors.ts';
import type { Serving } from '../serving.ts';

/** Why a row has no choice but the backbone. */
export type ForcedReason = 'opt_out' | 'output_not_supplied';

export interface AnsweredRow {
  readonly answer: RowAnswer;
  readonly serving: Serving;
  readonly track: Track;
  /** Exit name, or `backbone`. */
  readonly exit: string;
  readonly headRevision: string | null;
}

/** One request in the queue: rows are answered one by one and gathered here. */
export interface InferJob {
  readonly rows: number;
  readonly datatype: 'FP32' | 'UINT8';
  /** All rows, C order. */
  readonly input: Uint8Array;
  readonly rowBytes: number;
  readonly forced: ForcedReason | null;
  /** Monotonic. */
  readonly receivedMs: number;
  readonly deadlineMs: number;
  /** One draw per request: random, or the keyed hash of the sticky header. */
  readonly trackDraw: number;
  /** Its rows are frames of it, in order; null: of no source. */
  readonly source: string | null;
  /** One draw per row, made before its content was looked at. */
  readonly auditDraws: Uint32Array;
  /** Called once, with all rows or with the first error. */
  readonly settle: (outcome: JobOutcome) => void;
}

export type JobOutcome =
  | { readonly ok: true; readonly rows: readonly AnsweredRow[] }
  | { readonly ok: false; readonly error: ServingError };

/** The queue's own record of a job. */
export interface PendingJob {
  readonly job: InferJob;
  readonly answers: AnsweredRow[];
  answered: number;
  queued: number;
  settled: boolean;
  timer: NodeJS.Timeout | null;
}

export interface PendingRow {
  readonly pending: PendingJob;
  readonly index: number;
  /** Engine attempts that failed. */
  failures: number;
}

export function rowInput({ pending, index }: PendingRow): Uint8Array {
  const { input, rowBytes } = pending.job;
  return input.subarray(index * rowBytes, (index + 1) * rowBytes);
}
