import { exitPlace, placeFields } from '../crds/wire/exit-place.ts';
import type { HeadBundle } from '../crds/wire/head-bundle.ts';
import type { Policy, PolicyTrack } from '../crds/wire/policy.ts';
import type { Track } from '../crds/wire/evidence.ts';
import type { EnginePlan, PlannedTrack, SampledExit } from './engine/engine-client.ts';
import type { Safety, SafetyView } from './safety.ts';
import type { Serving } from './serving.ts';

export const BACKBONE_PLAN: EnginePlan = { tracks: [], samples: [] };

const TRACKS: readonly Track[] = ['stable', 'candidate'];

/** What the engine must hold for a policy, after local cuts. Bundles that are missing leave their track out. */
export function planPolicy(
  policy: Policy,
  bundles: ReadonlyMap<string, HeadBundle>,
  safety: Pick<Safety, 'beforeCut'>,
): EnginePlan {
  const tracks = TRACKS.flatMap((track): PlannedTrack[] => {
    const named = policy[track];
    const bundle = named === null ? undefined : bundles.get(named.headRevision);
    if (named === null || bundle === undefined) return [];
    const { headRevision, lambdaIndex } = named;
    const mayAnswer = policy.exitsEnabled && lambdaIndex !== null ? named.activeExits : [];
    const activeExits = safety.beforeCut(headRevision, mayAnswer);
    return [{ track, headRevision, bundle, activeExits, lambdaIndex }];
  });
  return { tracks, samples: sampledExits(policy) };
}

function sampledExits(policy: Policy): SampledExit[] {
  return policy.exits
    .filter((exit) => exit.mode !== 'Disabled' && exitPlace(exit) !== '')
    .map((exit) => ({
      name: exit.name,
      ...placeFields(exit),
      ...(exit.sourceHeader === undefined ? {} : { compares: 'PreviousFrame' }),
    }));
}

/** Share of traffic for the candidate now: none without its heads, with exits off, or under a stale policy. */
export function candidateShareOf(
  policy: Policy | null,
  plan: EnginePlan,
  isStale: boolean,
): number {
  if (policy === null || isStale || !policy.exitsEnabled) return 0;
  const isLoaded = plan.tracks.some(({ track }) => track === 'candidate');
  return isLoaded ? (policy.candidate?.share ?? 0) : 0;
}

/** Whether the snapshot lets more, or less, leave early than local safety now says; both at once counts as less. */
export function compareSafety(
  inForce: Serving,
  policy: Policy,
  { held, isStale }: SafetyView,
): 'Less' | 'More' | 'Same' {
  const share = candidateShareOf(policy, inForce.plan, isStale);
  const isNewlyHeld = [...held].some((track) => !inForce.held.has(track));
  if (share < inForce.candidateShare || isNewlyHeld) return 'Less';
  const isFreed = [...inForce.held].some((track) => !held.has(track));
  return share > inForce.candidateShare || isFreed ? 'More' : 'Same';
}

/** Two plans that the engine cannot tell apart: bundles are equal when their digests are. */
export function isSamePlan(a: EnginePlan, b: EnginePlan): boolean {
  const key = ({ tracks, samples }: EnginePlan) =>
    JSON.stringify([
      tracks.map(({ track, headRevision, activeExits, lambdaIndex }) => [
        track,
        headRevision,
        activeExits,
        lambdaIndex,
      ]),
      samples,
    ]);
  return key(a) === key(b);
}

/** Tracks on which the snapshot in force still lets an exit answer that the wanted plan does not. */
export function tracksToHold(inForce: Serving, wanted: EnginePlan): Track[] {
  return inForce.plan.tracks.flatMap(({ track, activeExits }) => {
    const next = wanted.tracks.find((planned) => planned.track === track);
    return (next?.activeExits.length ?? 0) < activeExits.length ? [track] : [];
  });
}

/** Whether a policy names heads that the snapshot in force does not hold. */
export function opensHeads(inForce: Serving | null, next: Policy): boolean {
  const loaded = new Set(inForce?.plan.tracks.map(({ headRevision }) => headRevision));
  const named = [next.stable, next.candidate].flatMap((track) => track ?? []);
  return named.some(({ headRevision }) => !loaded.has(headRevision));
}

/**
 * Whether a policy has heads to open and takes nothing away: only such a one may be made to wait. Without exits, with fewer that
 * answer on a track, or with the same heads at a smaller lambda it may not.
 */
export function bringsHeadsAlone(inForce: Serving, next: Policy): boolean {
  if (!next.exitsEnabled || !opensHeads(inForce, next)) return false;
  return !inForce.plan.tracks.some((planned) => isNarrowed(planned, next[planned.track]));
}

function isNarrowed(
  { headRevision, activeExits, lambdaIndex }: PlannedTrack,
  next: PolicyTrack | null,
): boolean {
  const nextIndex = next?.lambdaIndex ?? null;
  if (lambdaIndex === null || activeExits.length === 0) return false;
  if (next === null || nextIndex === null) return true;
  const isSmaller = next.headRevision === headRevision && nextIndex < lambdaIndex;
  return isSmaller || next.activeExits.length < activeExits.length;
}
