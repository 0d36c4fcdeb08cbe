import type { Clock } from '../../operator/clock.ts';

/** A clock that stands until a test moves it. */
export interface FakeClock extends Clock {
  advance(ms: number): void;
}

/** Starts at any time; the monotonic clock starts at 0. */
export function fakeClock(startMs = 1_800_000_000_000): FakeClock {
  let passedMs = 0;
  return {
    nowMs: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    advance: (ms) => {
      passedMs += ms;
    },
  };
}
