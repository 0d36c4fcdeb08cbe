// What the faulty worker does when a row tells it to. The first number of the row says it, so that a test says in its input what goes wrong.
export const Fault = {
  /** The process ends, as by a crash in native code. */
  die: 1e6 + 1,
  /** The worker never answers. */
  hang: 1e6 + 2,
  /** From now on the backbone answers NaN. */
  spoil: 1e6 + 3,
  /** Bytes that are no frame. */
  garble: 1e6 + 4,
  /** 64 MiB more, for good. */
  grow: 1e6 + 5,
  /** From now on activations that nobody needs are kept. */
  keepActivations: 1e6 + 6,
  /** From now on plans that nobody needs are kept. */
  keepPlans: 1e6 + 7,
} as const;
