import type { PodState } from '../../crds/wire/loading-state.ts';
import { comparePair } from '../../crds/wire/policy.ts';
import { isHeard, type PodView } from './fleet-pod.ts';
import type { PodMemory } from './poll-pod.ts';

/**
 * `Figures`: more of what it told before, windows or samples, as every pod does in each round, or its first words after a start of
 * this process or before anything is published. `Pod`: it restarted, fell silent for as long as its last word
 * counts, spoke again, or acknowledged something else. One missed poll is no change.
 */
export type FleetChange = 'Figures' | 'Pod';

/** What ails it, as a code; null: nothing. While its last word counts, a pod that does not answer is as it was: of thousands some always miss a poll. */
export function troubleOf(memory: PodMemory, monotonicMs: number): string | null {
  const { problem } = memory;
  if (problem === null) return null;
  return problem.code === 'NoAnswer' && isHeard(memory, monotonicMs) ? null : problem.code;
}

/** Time alone is no change. */
export function findChange(before: PodMemory, after: PodMemory): FleetChange | null {
  if (isOtherPod(before, after)) return 'Pod';
  const isMore = before.lastSeq !== after.lastSeq || isOtherState(before.state, after.state);
  return isMore ? 'Figures' : null;
}

function isOtherPod(before: PodMemory, after: PodMemory): boolean {
  return (
    before.bootId !== after.bootId ||
    before.state?.loaded !== after.state?.loaded ||
    isOtherAcknowledgement(before, after)
  );
}

function isOtherState(before: PodState | null, after: PodState | null): boolean {
  if (before === after) return false;
  return after?.loaded !== false || JSON.stringify(before) !== JSON.stringify(after);
}

function isOtherAcknowledgement(
  { acknowledgement: a }: PodView,
  { acknowledgement: b }: PodView,
): boolean {
  if (a === null || b === null) return a !== b;
  return (
    comparePair(a, b) !== 0 ||
    a.result !== b.result ||
    a.reason !== b.reason ||
    a.headRevisions.join() !== b.headRevisions.join() ||
    JSON.stringify(a.knownAnswers) !== JSON.stringify(b.knownAnswers)
  );
}
