import type { KubeClock } from './clock.ts';

export type WatchdogEnding = 'Idle' | 'Periodic';

/**
 * Bookmarks of quiet, healthy watches came every 60 s (1.36): less would abort them. Those of a kind without events since its API server
 * started came up to 121 s apart, which costs such kinds a short list now and then: 54 of 11 kinds in a soak of two hours.
 */
const IDLE_MS = 75_000;

/** Ends a watch that is silent too long, or when a list is due. */
export interface Watchdog {
  readonly signal: AbortSignal;
  readonly ending: WatchdogEnding | null;
  /** Something came: bytes of a healthy watch. */
  seen(): void;
  release(): void;
}

export function createWatchdog(clock: KubeClock, outer: AbortSignal, relistInMs: number): Watchdog {
  const controller = new AbortController();
  let ending: WatchdogEnding | null = null;
  let seenMs = clock.monotonicMs();
  const end = (as: WatchdogEnding): void => {
    ending = as;
    controller.abort();
  };
  const onOuter = (): void => {
    controller.abort();
  };
  // One alarm that looks at the last event, since re-arming per event costs more than the event.
  // The rest is rounded up and computed one way: two sums that differ below the clock's precision would arm it for ever.
  const restMs = (): number => Math.ceil(seenMs + IDLE_MS - clock.monotonicMs());
  const arm = (): (() => void) =>
    clock.schedule(restMs(), () => {
      if (restMs() <= 0) end('Idle');
      else cancelIdle = arm();
    });
  let cancelIdle = arm();
  const cancelRelist = clock.schedule(relistInMs, () => {
    end('Periodic');
  });
  if (outer.aborted) onOuter();
  outer.addEventListener('abort', onOuter, { once: true });
  return {
    signal: controller.signal,
    get ending() {
      return ending;
    },
    seen: () => {
      seenMs = clock.monotonicMs();
    },
    release: () => {
      cancelIdle();
      cancelRelist();
      outer.removeEventListener('abort', onOuter);
    },
  };
}
