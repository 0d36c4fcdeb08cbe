import { ledgerDeadlines } from './deadlines.ts';
import type { Ledger } from './ledger.ts';
import type { Tick } from './tick.ts';

const TICK_MS = 30_000;
const ROLLOUT_TICK_MS = 10_000;
const LEAST_MS = 1_000;

/**
 * When to look again, in milliseconds: at the next hold, deadline or end of a cooldown, at the latest with the next pull of
 * evidence (30 s; 10 s in a rollout). Never below 1 s, so that a deadline which stays in the past makes no hot loop.
 */
export function nextDelayMs(ledger: Ledger, tick: Pick<Tick, 'input' | 'nowMs'>): number {
  const pullMs = ledger.candidate === null ? TICK_MS : ROLLOUT_TICK_MS;
  const waits = ledgerDeadlines(ledger, tick)
    .map((atMs) => atMs - tick.nowMs)
    .filter((waitMs) => waitMs > 0);
  return Math.max(LEAST_MS, Math.min(pullMs, ...waits));
}
