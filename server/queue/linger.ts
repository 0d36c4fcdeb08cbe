import type { CostTable } from '../../crds/wire/state.ts';
import { batchSize, plainMs, type BatchLimits } from './buckets.ts';

/**
 * Callers that wait for their answers send again as soon as they have them, one after the other: the first of them would get a batch
 * of its own, and the rest the next. So rows that were just answered are expected back for a moment.
 */
export interface Linger {
  /** Rows whose answers have just left. */
  answered(rows: number): void;
  /** Rows that came, whoever sent them. */
  arrived(rows: number): void;
  /** How long the rows that are queued may wait for those that are expected; 0: not at all. */
  waitMs(
    rows: { readonly queued: number; readonly running: number },
    costs: CostTable,
    limits: LingerLimits,
  ): number;
}

export interface LingerLimits extends BatchLimits {
  readonly maxQueueDelayMs: number;
}

/** Answers that leave within this are one group. */
const GROUP_MS = 1;
/** Less is not worth a timer. */
const LEAST_MS = 0.5;

export function createLinger(monotonicMs: () => number): Linger {
  let expected = 0;
  let answeredMs = -Infinity;
  return {
    answered: (rows) => {
      const nowMs = monotonicMs();
      expected = rows + (nowMs - answeredMs < GROUP_MS ? expected : 0);
      answeredMs = nowMs;
    },
    arrived: (rows) => {
      expected = Math.max(0, expected - rows);
    },
    waitMs: ({ queued, running }, costs, limits) => {
      const rows = batchSize(queued + expected, running, limits);
      if (queued >= rows || costs.batchSizes.length === 0) return 0;
      // Waiting for as long as two batches would take more than one loses no more than it may win.
      const apartMs = plainMs(costs, queued) + plainMs(costs, rows - queued);
      const mayWaitMs = Math.min(limits.maxQueueDelayMs, apartMs - plainMs(costs, rows));
      const leftMs = answeredMs + mayWaitMs - monotonicMs();
      return mayWaitMs >= LEAST_MS && leftMs > 0 ? leftMs : 0;
    },
  };
}
