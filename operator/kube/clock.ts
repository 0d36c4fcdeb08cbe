import { systemClock, type Clock } from '../clock.ts';

/** Time with alarms. Everything in this folder waits through it, so tests move time by hand. */
export interface KubeClock extends Clock {
  /** Calls `fire` once after that many milliseconds of monotonic time, or never once cancelled. Never in the same turn. */
  schedule(delayMs: number, fire: () => void): CancelAlarm;
}

/** Idempotent; does nothing after the alarm went off. */
export type CancelAlarm = () => void;

/** Longest delay that Node's timers take; longer ones fire at once there. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemKubeClock: KubeClock = {
  ...systemClock,
  schedule: (delayMs, fire) => {
    const timer = setTimeout(fire, Math.min(Math.max(0, delayMs), LONGEST_DELAY_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Resolves after the delay, or at once when the signal is or gets aborted: callers look at the signal, nobody catches. */
export function sleep(clock: KubeClock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = clock.schedule(delayMs, wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}
