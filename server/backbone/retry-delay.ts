/** Before the next attempt to load a model. Trouble on the way passes by itself; a file that is wrong is fetched anew less often. */
export interface RetryDelays {
  readonly firstMs: number;
  readonly mostOnTheWayMs: number;
  readonly mostMs: number;
}

/**
 * Doubles up to the most. Between half of that and all of it, so that many pods do not ask together.
 * @param failures before the one that is to be tried again
 * @param random [0, 1)
 */
export function retryDelayMs(
  { failures, isOnTheWay }: { readonly failures: number; readonly isOnTheWay: boolean },
  { firstMs, mostOnTheWayMs, mostMs }: RetryDelays,
  random: () => number,
): number {
  const most = isOnTheWay ? mostOnTheWayMs : mostMs;
  const full = Math.min(most, firstMs * 2 ** Math.min(failures, 20));
  return full * (0.5 + random() / 2);
}
