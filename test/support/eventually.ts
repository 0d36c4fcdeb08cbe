import { setTimeout as wait } from 'node:timers/promises';

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
      if (performance.now() - startedMs > deadlineMs) throw error;
    }
    await wait(5);
  }
}
