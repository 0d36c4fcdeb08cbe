// Staging: the candidate is loaded on every ready pod and gives its known answers there, before a row counts for its stage.
import { abort } from './candidates.ts';
import { enter, say, type Draft } from './draft.ts';
import type { CandidateRecord } from './ledger.ts';
import { assessLoad } from './pods.ts';
import { factsOf, type Tick } from './tick.ts';

const LOAD_DEADLINE_MS = 900_000;
/** Twice within two minutes of a load: the heads, not the pods. */
export const MAX_CRASHES = 2;

/** Ready pods, and those of them that hold the candidate's verified heads. */
export function loadedPods(
  headRevision: string,
  tick: Tick,
): { readonly ready: number; readonly loaded: number } {
  const facts = factsOf(tick, headRevision);
  const ready = tick.input.pods.filter((pod) => pod.ready);
  const loaded = ready.filter(
    ({ acknowledgement }) =>
      facts !== null && assessLoad(acknowledgement, facts, tick.backbone.digest) === 'Loaded',
  );
  return { ready: ready.length + tick.input.silentPods, loaded: loaded.length };
}

/** Goes on to shadowing once every ready pod holds the candidate; without a ready pod it holds. */
export function staging(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  const { headRevision } = candidate;
  const { ready, loaded } = loadedPods(headRevision, tick);
  if (ready === 0) return draft;
  if (loaded === ready) {
    const pods = ready === 1 ? 'the pod' : `all ${String(ready)} pods`;
    return say(enter(draft, tick.nowMs, 'Shadowing'), tick.nowMs, {
      reason: 'Shadowing',
      message: `The candidate is loaded on ${pods} and runs on audited rows only.`,
      headRevision,
    });
  }
  if (tick.nowMs - draft.ledger.stageSinceMs < LOAD_DEADLINE_MS) return draft;
  return abort(draft, candidate, tick, {
    reason: 'LoadFailed',
    message: `Only ${String(loaded)} of ${String(ready)} ready pods loaded the candidate within 15 minutes. ${lastWords(tick)}`,
    details: { ready, loaded },
  });
}

/** What the first pod that has something to say gave as its reason. */
function lastWords({ input }: Tick): string {
  const said = input.pods.find(({ acknowledgement }) => acknowledgement?.message);
  return said?.acknowledgement?.message ?? '';
}
