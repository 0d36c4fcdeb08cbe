import type { PendingJob, PendingRow } from './job.ts';

/**
 * FIFO of rows with a count that is right at once: a job that has ended (deadline, hang-up, error) gives its places back
 * in O(1), its rows are skipped when they come up.
 */
export interface RowQueue {
  readonly length: number;
  /** Rows that failed once and must run alone, before anything else. */
  readonly retries: number;
  push(job: PendingJob): void;
  retry(row: PendingRow): void;
  /** The rows of an ended job no longer count. */
  forget(job: PendingJob): void;
  takeRetry(): PendingRow | null;
  /**
   * Up to `max` rows of one datatype, oldest first. Rows whose deadline is not after the likely end of the batch are passed over: nobody
   * would get their answer, and their places are free when their deadline ends them. When that leaves none, likely is not enough.
   */
  take(max: number, at: { readonly nowMs: number; readonly endMs: number }): PendingRow[];
  oldestReceivedMs(): number | null;
}

const COMPACT_AT = 1024;

export function createRowQueue(): RowQueue {
  let rows: (PendingRow | undefined)[] = [];
  let head = 0;
  /** Places before it hold nothing: a row that was taken must not be kept with its body, its request and its connection. */
  let cleared = 0;
  let length = 0;
  const retries: PendingRow[] = [];

  function dropEnded(endMs = -Infinity): PendingRow | undefined {
    for (;;) {
      const row = rows[head];
      if (row === undefined) return row;
      const { settled, job } = row.pending;
      if (!settled && job.deadlineMs > endMs) return row;
      head += 1;
    }
  }

  function forgetPassed(): void {
    rows.fill(undefined, cleared, head);
    cleared = head;
    const isEmpty = head === rows.length;
    if (!isEmpty && (head < COMPACT_AT || head * 2 < rows.length)) return;
    rows = isEmpty ? [] : rows.slice(head);
    head = 0;
    cleared = 0;
  }

  function leave(row: PendingRow): PendingRow {
    row.pending.queued -= 1;
    length -= 1;
    return row;
  }

  function takeUntil(max: number, endMs: number): PendingRow[] {
    const taken: PendingRow[] = [];
    const next = (): PendingRow | undefined => dropEnded(endMs);
    for (let row = next(); row !== undefined && taken.length < max; row = next()) {
      if (row.pending.job.datatype !== (taken[0] ?? row).pending.job.datatype) break;
      head += 1;
      taken.push(leave(row));
    }
    return taken;
  }

  function dropEndedRetries(): void {
    while (retries[0]?.pending.settled === true) retries.shift();
  }

  return {
    get length() {
      return length;
    },
    get retries() {
      dropEndedRetries();
      return retries.length;
    },
    push: (pending) => {
      for (let index = 0; index < pending.job.rows; index++) {
        rows.push({ pending, index, failures: 0 });
      }
      pending.queued += pending.job.rows;
      length += pending.job.rows;
    },
    retry: (row) => {
      retries.push(row);
      row.pending.queued += 1;
      length += 1;
    },
    forget: (pending) => {
      length -= pending.queued;
      pending.queued = 0;
    },
    takeRetry: () => {
      dropEndedRetries();
      const row = retries.shift();
      return row === undefined ? null : leave(row);
    },
    take: (max, { nowMs, endMs }) => {
      const from = head;
      let taken = takeUntil(max, endMs);
      if (taken.length === 0) {
        head = from;
        taken = takeUntil(max, nowMs);
      }
      forgetPassed();
      return taken;
    },
    oldestReceivedMs: () => {
      const oldest = dropEnded();
      forgetPassed();
      return oldest?.pending.job.receivedMs ?? null;
    },
  };
}
