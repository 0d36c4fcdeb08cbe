/** The only reader of time in this program. Durations come from `monotonicMs`; `nowMs` is text and lifecycle time. */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
