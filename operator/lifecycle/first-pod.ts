// One pod first: heads that end a process end one, and the others go on (api.md 8).
import type { CandidateRecord, FirstPod } from './ledger.ts';
import { holds, type Tick } from './tick.ts';

const TRIAL_MS = 60_000;

/** The pod that gets a candidate before the others; null: there are no others. */
export function chooseFirst({ input }: Tick): FirstPod | null {
  const ready = input.pods.filter((pod) => pod.ready).map(({ podUid }) => podUid);
  const [first] = [...ready].sort();
  const hasOthers = ready.length + input.silentPods > 1;
  return first !== undefined && hasOthers ? { podUid: first, loadedAtMs: null } : null;
}

/** The same pod while it is ready, and since when it holds the candidate without a break; another one when it went. */
export function nextFirst({ first, headRevision }: CandidateRecord, tick: Tick): FirstPod | null {
  if (first === null) return null;
  const pod = tick.input.pods.find(({ podUid, ready }) => ready && podUid === first.podUid);
  if (pod === undefined) return chooseFirst(tick);
  const isHeld = holds(pod, headRevision, tick);
  if (isHeld === (first.loadedAtMs !== null)) return first;
  return { ...first, loadedAtMs: isHeld ? tick.nowMs : null };
}

/** When the other pods may load it; null: its first pod does not hold it yet. */
export function trialEndMs({ loadedAtMs }: FirstPod): number | null {
  return loadedAtMs === null ? null : loadedAtMs + TRIAL_MS;
}
