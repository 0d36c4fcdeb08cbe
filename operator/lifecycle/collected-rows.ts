import type { Ledger, TrainingCause } from './ledger.ts';
import type { LifecycleInput } from './types.ts';

type Pod = LifecycleInput['pods'][number];

/** Recorded rows that the next training could read: of pods that it may read up to a point only, those after it. */
export interface CollectedRows {
  readonly rows: number;
  /** Every pod keeps all the rows that its memory holds, or has seen none: waiting brings other rows, not more of them. */
  readonly areAll: boolean;
}

/**
 * Without rows that will be gone before a trainer reads them: of pods with another backbone, and, once exits go off, of pods
 * that told theirs while exits were on.
 */
export function countCollected(
  ledger: Pick<Ledger, 'stable'>,
  { pods, backbone }: LifecycleInput,
  cause: TrainingCause,
): CollectedRows {
  const areExitsOn = ledger.stable?.off === null;
  const lasting = pods.filter(
    ({ exitsEnabled, acknowledgement }) =>
      (areExitsOn || !exitsEnabled) &&
      (acknowledgement === null || acknowledgement.backboneDigest === backbone?.digest),
  );
  const counts = lasting.map((pod) => ({ ...pod.samples, rows: rowsOfPod(pod, cause) }));
  const recording = counts.filter(({ seen }) => seen > 0);
  return {
    rows: counts.reduce((sum, { rows }) => sum + rows, 0),
    areAll:
      recording.length > 0 &&
      recording.every((held) => held.seen > held[cause.part] && held.rows === held[cause.part]),
  };
}

function rowsOfPod({ podUid, bootId, samples }: Pod, { part, after }: TrainingCause): number {
  const mark = after.find((known) => known.podUid === podUid && known.bootId === bootId);
  // A recorder that started again since has seen fewer rows than then, and keeps only later ones.
  if (mark === undefined || samples.seen < mark.seq) return samples[part];
  return Math.min(samples[part], samples.seen - mark.seq);
}
