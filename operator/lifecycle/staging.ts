// Staging: the candidate is loaded on every ready pod and gives its known answers there, before a row counts for its stage.
import { formatDuration } from '../../crds/v1alpha1/duration.ts';
import { abort, type Abort } from './candidates.ts';
import { change, enter, say, type Draft } from './draft.ts';
import { nextFirst, trialEndMs } from './first-pod.ts';
import type { CandidateRecord, FirstPod } from './ledger.ts';
import { holds, type Tick } from './tick.ts';

/** Twice within two minutes of a load: the heads, not the pods. */
export const MAX_CRASHES = 2;

/** Ready pods, and those of them that hold the candidate's verified heads. */
export function loadedPods(
  headRevision: string,
  tick: Tick,
): { readonly ready: number; readonly loaded: number } {
  const ready = tick.input.pods.filter((pod) => pod.ready);
  const loaded = ready.filter((pod) => holds(pod, headRevision, tick));
  return { ready: ready.length + tick.input.silentPods, loaded: loaded.length };
}

/**
 * Goes on to shadowing once every ready pod holds the candidate. It stays on one pod until that pod has held it for a minute;
 * then the others load it, with a deadline of their own. Without a ready pod it holds.
 */
export function staging(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  const { headRevision } = candidate;
  const counted = loadedPods(headRevision, tick);
  const { ready, loaded } = counted;
  if (ready === 0) return draft;
  if (loaded === ready) {
    const pods = ready === 1 ? 'the pod' : `all ${String(ready)} pods`;
    const everywhere = withFirst(draft, candidate, null);
    return say(enter(everywhere, tick.nowMs, 'Shadowing'), tick.nowMs, {
      reason: 'Shadowing',
      message: `The candidate is loaded on ${pods} and runs on audited rows only.`,
      headRevision,
    });
  }
  const first = nextFirst(candidate, tick);
  const endMs = first && trialEndMs(first);
  if (endMs !== null && tick.nowMs >= endMs) return letOthersLoad(draft, candidate, tick);
  const isOverdue = tick.nowMs - draft.ledger.stageSinceMs >= tick.input.settings.loadDeadlineMs;
  const isOnTrial = endMs !== null;
  if (!isOverdue || isOnTrial) return withFirst(draft, candidate, first);
  return abort(draft, candidate, tick, tooLate(counted, tick));
}

function withFirst(draft: Draft, candidate: CandidateRecord, first: FirstPod | null): Draft {
  return candidate.first === first ? draft : change(draft, { candidate: { ...candidate, first } });
}

function letOthersLoad(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  const released = withFirst(draft, candidate, null);
  return say(enter(released, tick.nowMs, 'Staging'), tick.nowMs, {
    reason: 'Staging',
    message: 'One pod has held the candidate for a minute: the others load it.',
    headRevision: candidate.headRevision,
  });
}

function tooLate({ ready, loaded }: { ready: number; loaded: number }, tick: Tick): Abort {
  const deadline = formatDuration(tick.input.settings.loadDeadlineMs);
  return {
    reason: 'LoadFailed',
    message: `Only ${String(loaded)} of ${String(ready)} ready pods loaded the candidate within ${deadline}. ${lastWords(tick)}`,
    details: { ready, loaded },
  };
}

/** What the first pod that has something to say gave as its reason. */
function lastWords({ input }: Tick): string {
  const said = input.pods.find(({ acknowledgement }) => acknowledgement?.message);
  return said?.acknowledgement?.message ?? '';
}
