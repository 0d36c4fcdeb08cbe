/** Before the next attempt to load a model. */
export interface RetryDelays {
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * Doubles up to the most. Between half of that and all of it, so that many pods do not ask together.
 * @param failures before the one that is to be tried again
 * @param random [0, 1)
 */
export function retryDelayMs(
  failures: number,
  { firstMs, mostMs }: RetryDelays,
  random: () => number,
): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(failures, 20));
  return full * (0.5 + random() / 2);
}
