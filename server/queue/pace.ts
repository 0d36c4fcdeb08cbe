/** How fast the engine answers, from what its last batches took: audits, heads and other load of the machine are in it. */
export interface Pace {
  ran(rows: number, elapsedMs: number): void;
  /** Milliseconds that a batch of so many rows takes; 0 before the first. */
  batchMs(rows: number): number;
  /** Milliseconds until one more row would be answered, behind those that wait and those that run. */
  waitMs(
    rows: { readonly queued: number; readonly running: number },
    limits: { readonly slots: number; readonly maxBatchSize: number },
  ): number;
}

/** Share of a new batch: about the last ten count. */
const NEW_SHARE = 0.2;
/** A machine that stalls for seconds is no pace: one batch counts for at most this many times what it was expected to take, and a
 *  lasting change is learnt within ten. */
const MOST_OF_EXPECTED = 4;

export function createPace(): Pace {
  let elapsed = 0;
  let answered = 0;
  const rowMs = (): number => (answered === 0 ? 0 : elapsed / answered);
  return {
    ran: (rows, elapsedMs) => {
      const isFirst = answered === 0;
      const share = isFirst ? 1 : NEW_SHARE;
      const most = isFirst ? elapsedMs : MOST_OF_EXPECTED * rows * rowMs();
      elapsed += share * (Math.min(elapsedMs, most) - elapsed);
      answered += share * (rows - answered);
    },
    batchMs: (rows) => rows * rowMs(),
    waitMs: ({ queued, running }, { slots, maxBatchSize }) => {
      const ahead = (queued + running) / Math.max(1, slots);
      const ownBatch = Math.min(maxBatchSize, queued + 1);
      return (ahead + ownBatch) * rowMs();
    },
  };
}
