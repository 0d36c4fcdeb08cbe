import type { StatusFacts } from './facts.ts';
import { ANSWER_MAX_AGE_MS, readyPods } from './policy-applied.ts';

const RESYNC_MS = 600_000;
const UNWATCHED_MS = 30_000;
const FORBIDDEN_MS = 300_000;

/**
 * When to look again though nothing was reported: ConfigMaps of users and foreign objects are not watched, rights come
 * back without a word, and a pod falls silent without one.
 */
export function nextCheckMs(facts: StatusFacts): number {
  const { missingConfigMaps, conflicts, foreignInstallation, refusals } = facts;
  const isUnwatched =
    missingConfigMaps.length > 0 || conflicts.length > 0 || foreignInstallation !== null;
  const delays = [
    RESYNC_MS,
    ...(isUnwatched ? [UNWATCHED_MS] : []),
    ...(refusals.length > 0 ? [FORBIDDEN_MS] : []),
    ...silenceDelays(facts),
  ];
  return Math.min(...delays);
}

/** Until the answer of each ready pod is too old to count; those that are need no reminder. */
function silenceDelays(facts: StatusFacts): number[] {
  return readyPods(facts)
    .map(({ server, readySinceMs }) => Math.max(server?.answeredMs ?? 0, readySinceMs))
    .map((heardMs) => heardMs + ANSWER_MAX_AGE_MS + 1 - facts.nowMs)
    .filter((delayMs) => delayMs > 0);
}
