import type { CostTable } from '../../crds/wire/state.ts';

/** A larger batch must be this much cheaper per row before anyone waits for it: CPU tables never are. */
const WORTH_WAITING = 0.7;

export interface BatchLimits {
  /** Batches that may run at once. */
  readonly slots: number;
  readonly maxBatchSize: number;
}

/** Rows for the next batch: of those that wait, as many as are a slot's share of all that wait or run. */
export function batchSize(queuedRows: number, runningRows: number, limits: BatchLimits): number {
  const share = Math.ceil((queuedRows + runningRows) / Math.max(1, limits.slots));
  return Math.min(limits.maxBatchSize, queuedRows, share);
}

/**
 * So many rows take turns on all cores rather than a worker each. In turn the mean of k rows is answered after (k + 1) / (2 speedup) of what
 * a row takes on one thread; side by side after once that, and twice where there are more rows than workers.
 */
export function mostInTurn(speedup: number | null): number {
  return speedup === null ? 0 : Math.round(2 * speedup);
}

/** Milliseconds of the plain backbone at a batch size, between the measured sizes by straight lines. */
export function plainMs(costs: CostTable, rows: number): number {
  const { batchSizes, plainMs: measured } = costs;
  const above = batchSizes.findIndex((size) => size >= rows);
  if (above === 0) return ((measured[0] ?? 0) * rows) / (batchSizes[0] ?? 1);
  const last = above === -1 ? batchSizes.length - 1 : above;
  const [x1, y1] = [batchSizes[last] ?? 1, measured[last] ?? 0];
  if (above === -1) return (y1 * rows) / x1;
  const [x0, y0] = [batchSizes[last - 1] ?? 0, measured[last - 1] ?? 0];
  return y0 + ((y1 - y0) * (rows - x0)) / (x1 - x0);
}

/**
 * How long a batch of `rows` may wait for more: only when the measured table says that a larger one is clearly cheaper
 * per row, and never longer than running it now would take.
 */
export function batchWaitMs(
  costs: CostTable,
  rows: number,
  limits: { readonly maxBatchSize: number; readonly maxQueueDelayMs: number },
): number {
  if (rows >= limits.maxBatchSize || costs.batchSizes.length === 0) return 0;
  const nowMs = plainMs(costs, rows);
  const cheapest = costs.batchSizes
    .filter((size) => size > rows && size <= limits.maxBatchSize)
    .reduce((best, size) => Math.min(best, plainMs(costs, size) / size), Infinity);
  if (cheapest > WORTH_WAITING * (nowMs / rows)) return 0;
  return Math.min(limits.maxQueueDelayMs, nowMs);
}
