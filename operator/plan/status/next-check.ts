import type { StatusFacts } from './facts.ts';
import { readyPods } from './policy-applied.ts';

const RESYNC_MS = 600_000;
const UNWATCHED_MS = 30_000;
/** As long as a word of a pod counts (api.md 8). */
const SILENCE_MS = 90_000;
const FORBIDDEN_MS = 300_000;

/**
 * When to look again though nothing was reported: ConfigMaps of users and foreign objects are not watched, rights come
 * back without a word, and a pod falls silent without one.
 */
export function nextCheckMs(facts: StatusFacts): number {
  const { missingConfigMaps, conflicts, refusals } = facts;
  const isUnwatched = missingConfigMaps.length > 0 || conflicts.length > 0;
  const delays = [
    RESYNC_MS,
    ...(isUnwatched ? [UNWATCHED_MS] : []),
    ...(refusals.length > 0 ? [FORBIDDEN_MS] : []),
    ...(readyPods(facts).length > 0 ? [SILENCE_MS] : []),
  ];
  return Math.min(...delays);
}
