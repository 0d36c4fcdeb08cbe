import type { TrainingCause } from './ledger.ts';
import type { LifecycleInput } from './types.ts';

/** Recorded rows that the next training could read: of pods that it may read up to a point only, those after it. */
export function collectedRows(
  { input }: { readonly input: LifecycleInput },
  cause: TrainingCause,
): number {
  return input.pods.reduce((sum, pod) => sum + rowsOfPod(pod, cause), 0);
}

/** Every pod keeps all the rows that its memory holds, or has seen none: waiting brings other rows, not more of them. */
export function areReservoirsFull(
  { input: { pods } }: { readonly input: LifecycleInput },
  cause: TrainingCause,
): boolean {
  const isFull = (pod: LifecycleInput['pods'][number]): boolean =>
    pod.samples.seen > pod.samples[cause.part] && rowsOfPod(pod, cause) === pod.samples[cause.part];
  return pods.some(isFull) && pods.every((pod) => isFull(pod) || pod.samples.seen === 0);
}

function rowsOfPod(
  { podUid, bootId, samples }: LifecycleInput['pods'][number],
  { part, after }: TrainingCause,
): number {
  const mark = after.find((known) => known.podUid === podUid && known.bootId === bootId);
  // A recorder that started again since has seen fewer rows than then, and keeps only later ones.
  if (mark === undefined || samples.seen < mark.seq) return samples[part];
  return Math.min(samples[part], samples.seen - mark.seq);
}
