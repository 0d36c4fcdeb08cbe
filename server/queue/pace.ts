/** How fast the engine answers, from what its last batches took: audits, heads and other load of the machine are in it. */
export interface Pace {
  ran(rows: number, elapsedMs: number): void;
  /** Milliseconds that a batch takes; 0 before the first. */
  readonly batchMs: number;
  /** Milliseconds until rows behind so many others are answered, with so many batches at once. */
  waitMs(rowsAhead: number, slots: number): number;
}

/** Share of a new batch: about the last twenty count. */
const NEW_SHARE = 0.1;

export function createPace(): Pace {
  let batchMs = 0;
  let batchRows = 0;
  return {
    ran: (rows, elapsedMs) => {
      const share = batchRows === 0 ? 1 : NEW_SHARE;
      batchMs += share * (elapsedMs - batchMs);
      batchRows += share * (rows - batchRows);
    },
    get batchMs() {
      return batchMs;
    },
    waitMs: (rowsAhead, slots) => {
      if (batchRows === 0) return 0;
      return batchMs + (rowsAhead * batchMs) / (batchRows * Math.max(1, slots));
    },
  };
}
