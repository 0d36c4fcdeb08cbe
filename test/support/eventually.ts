import { setTimeout as wait } from 'node:timers/promises';

/** A check of a cluster costs the processors that what it waits for needs: asked for long, it is asked less often. */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 250;

/**
 * Waits for the world instead of for time: runs `check` until it no longer throws, then returns its value.
 * Past the deadline the last failure is thrown, so the message says what was still wrong.
 */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 5_000): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    try {
      return await check();
    } catch (error) {
      const waitedMs = performance.now() - startedMs;
      if (waitedMs > deadlineMs) throw error;
      await wait(Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, waitedMs / 20)));
    }
  }
}
