// Time-uniform guards of a ramp step (exits.md 9.2): betting against "no worse than the limit", so looking at every tick is free.
import { invariant } from '../../server/core/invariant.ts';

/** Verdict of a check. Inconclusive: no, stale, too few or void figures; never a pass, never a fail. */
export type Verdict = 'Pass' | 'Fail' | 'Inconclusive';

const TAIL_MULTIPLES = [2, 3, 5, 10, 20];
const LARGEST_RATIO = 0.9;
const MEDIAN_RATIOS = [0.55, 0.6, 0.7, 0.8, 0.9];
const FAIL_WEALTH = 1_000;
const PASS_WEALTH = 20;

/** Allowed share of requests above a limit, with the alternatives that are bet on. */
export interface GuardedShare {
  readonly allowed: number;
  readonly alternatives: readonly number[];
}

/** Guard of the median: half the requests may be above. */
export const MEDIAN_SHARE: GuardedShare = { allowed: 0.5, alternatives: MEDIAN_RATIOS };
/** Guard of the 99th percentile: one in a hundred may be above. */
export const TAIL_SHARE: GuardedShare = tailShare(0.01);

/** Guard of a small allowed share: alternatives 2, 3, 5, 10, 20 times it, at most 0.9, always five. Domain 0 < allowed < 0.9. */
export function tailShare(allowed: number): GuardedShare {
  invariant(allowed > 0 && allowed < LARGEST_RATIO, `allowed share ${allowed}`);
  const alternatives = TAIL_MULTIPLES.map((multiple) =>
    Math.min(multiple * allowed, LARGEST_RATIO),
  );
  return { allowed, alternatives };
}

/**
 * ln of the factor per alternative for one tick: x of n requests were above the limit of that tick. Factors of ticks multiply,
 * so their logs add; limits may differ from tick to tick as long as each was fixed before.
 */
export function logFactors(above: number, requests: number, guard: GuardedShare): number[] {
  invariant(above >= 0 && above <= requests, `${above} of ${requests} requests above the limit`);
  const { allowed, alternatives } = guard;
  return alternatives.map(
    (q) => above * Math.log(q / allowed) + (requests - above) * Math.log((1 - q) / (1 - allowed)),
  );
}

/** Mean over the alternatives of exp(sum of logs), at most 1e300. No alternatives yet: 1. */
export function wealthOf(logs: readonly number[]): number {
  if (logs.length === 0) return 1;
  const total = logs.reduce((sum, log) => sum + Math.exp(Math.min(log, 690)), 0);
  return total / logs.length;
}

/** Whether one tick alone speaks against the limit, by the odds that keep a step from passing. */
export function isBeyond(above: number, requests: number, guard: GuardedShare): boolean {
  return wealthOf(logFactors(above, requests, guard)) >= PASS_WEALTH;
}

/** Fail at wealth >= 1,000; Pass with enough requests and wealth < 20; else Inconclusive, so is NaN. */
export function assessWealth(wealth: number, requests: number, minRequests: number): Verdict {
  if (wealth >= FAIL_WEALTH) return 'Fail';
  return requests >= minRequests && wealth < PASS_WEALTH ? 'Pass' : 'Inconclusive';
}
