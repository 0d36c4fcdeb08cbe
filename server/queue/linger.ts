import type { CostTable } from '../../crds/wire/state.ts';
import { plainMs } from './buckets.ts';

/**
 * Callers that wait for their answers send again as soon as they have them, one after the other: the first of them would get a batch
 * of its own, and the rest the next. So rows that were just answered are expected back for a moment.
 */
export interface Linger {
  /** Rows whose answers have just left. */
  answered(rows: number): void;
  /** Rows that a batch took. */
  taken(rows: number): void;
  /** How long the rows that are queued may wait for the others; 0: not at all. */
  waitMs(queuedRows: number, costs: CostTable, limits: LingerLimits): number;
}

export interface LingerLimits {
  readonly maxBatchSize: number;
  readonly maxQueueDelayMs: number;
}

/** A caller on the machine needs a tenth of it; timers are no finer. */
const LINGER_MS = 1;

export function createLinger(monotonicMs: () => number): Linger {
  let expected = 0;
  let answeredMs = -Infinity;
  return {
    answered: (rows) => {
      const nowMs = monotonicMs();
      expected = rows + (nowMs - answeredMs < LINGER_MS ? expected : 0);
      answeredMs = nowMs;
    },
    taken: (rows) => {
      expected = Math.max(0, expected - rows);
    },
    waitMs: (queuedRows, costs, { maxBatchSize, maxQueueDelayMs }) => {
      const rows = Math.min(expected, maxBatchSize);
      const leftMs = answeredMs + LINGER_MS - monotonicMs();
      if (leftMs <= 0 || queuedRows >= rows || maxQueueDelayMs < LINGER_MS) return 0;
      if (costs.batchSizes.length === 0) return 0;
      const apartMs = plainMs(costs, queuedRows) + plainMs(costs, rows - queuedRows);
      return apartMs - plainMs(costs, rows) > LINGER_MS ? leftMs : 0;
    },
  };
}
