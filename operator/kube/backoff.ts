/** Longest wait before attempt `failures` + 1: doubles from `firstMs` up to `lastMs`. */
function ceilingMs(failures: number, firstMs: number, lastMs: number): number {
  return Math.min(lastMs, firstMs * 2 ** Math.min(failures - 1, 30));
}

export interface BackoffOptions {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly random: () => number;
}

/** Anywhere between nothing and the ceiling, so that clients of a server that comes back do not arrive together. */
export function fullJitterMs(failures: number, options: BackoffOptions): number {
  return options.random() * ceilingMs(failures, options.firstMs, options.lastMs);
}

/** Between half the ceiling and the ceiling: spreads, and is never at once. */
export function halfJitterMs(failures: number, options: BackoffOptions): number {
  return (1 - options.random() / 2) * ceilingMs(failures, options.firstMs, options.lastMs);
}
