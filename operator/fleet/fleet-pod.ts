import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import type { PodState } from '../../crds/wire/loading-state.ts';
import type { PodReport } from '../lifecycle/types.ts';
import { openWindow, type HeldWindow } from './held-window.ts';

/** A running pod of a service, as the API server knows it. */
export interface FleetPod {
  readonly uid: string;
  readonly name: string;
  readonly ip: string;
  /** Of the Secret that it mounts: during a rotation old and new pods have different keys. */
  readonly adminGeneration: number;
  /** Whose key answers there. @defaultValue server */
  readonly role?: 'server' | 'trainer';
}

/** Why a pod was not understood last time: a stable code and a sentence. */
export interface PodProblem {
  readonly code: string;
  readonly message: string;
}

/** What a pod has said, and when. Nothing of it is older than its boot. */
export interface PodView {
  readonly pod: FleetPod;
  readonly bootId: string | null;
  /** Null before the first answer. */
  readonly state: PodState | null;
  readonly acknowledgement: Acknowledgement | null;
  /** Monotonic time of the last answer that was understood; null before any. */
  readonly heardMs: number | null;
  /** Of the last call; null when it was understood. */
  readonly problem: PodProblem | null;
  /** Windows that nobody consumed yet, ascending. */
  readonly windows: readonly HeldWindow[];
  readonly droppedSeqs: readonly number[];
  readonly oldestSeq: number;
}

/** Head revisions that a pod has, as it said itself. */
export function heldRevisions({ acknowledgement, state }: PodView): string[] {
  const listed = state?.loaded === true ? state.state.heads : [];
  return [
    ...(acknowledgement?.headRevisions ?? []),
    ...listed.map(({ headRevision }) => headRevision),
  ];
}

/** An acknowledgement counts this long. */
const ACKNOWLEDGEMENT_MS = 90_000;

/** The acknowledgement while it counts. */
export function currentAcknowledgement(
  { acknowledgement, heardMs }: Pick<PodView, 'acknowledgement' | 'heardMs'>,
  monotonicMs: number,
): Acknowledgement | null {
  return isHeard({ heardMs }, monotonicMs) ? acknowledgement : null;
}

/** Whether the last word of a pod still counts. */
export function isHeard({ heardMs }: Pick<PodView, 'heardMs'>, monotonicMs: number): boolean {
  return heardMs !== null && monotonicMs - heardMs < ACKNOWLEDGEMENT_MS;
}

/**
 * A pod as decisions see it; null before it has its backbone. `isReady` is the pod's condition in the API server; `withWindows`
 * false leaves its windows for a later count.
 */
export function toPodReport(
  view: PodView,
  {
    isReady,
    monotonicMs,
    withWindows,
  }: {
    readonly isReady: boolean;
    readonly monotonicMs: number;
    readonly withWindows: boolean;
  },
): PodReport | null {
  const { state, oldestSeq, pod } = view;
  if (state?.loaded !== true || view.bootId === null) return null;
  const { samples, costs, ready, policy } = state.state;
  return {
    podUid: pod.uid,
    bootId: view.bootId,
    ready: isReady && ready,
    acknowledgement: currentAcknowledgement(view, monotonicMs),
    windows: withWindows ? view.windows.map(openWindow) : [],
    droppedSeqs: withWindows ? view.droppedSeqs : [],
    oldestSeq,
    samples,
    exitsEnabled: policy?.exitsEnabled === true,
    costs,
  };
}
