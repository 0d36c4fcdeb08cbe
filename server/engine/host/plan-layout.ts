// From a serving plan to cuts and head slots: which exit of which track sits in which slot of which cut.
import type { ExitPlace } from '../../../crds/wire/exit-place.ts';
import { EngineError } from '../engine-error.ts';
import type { EnginePlan, PlannedTrack } from '../engine-client.ts';
import type { ModelDescription, PlannedCut } from '../segment-engine.ts';

export interface SlotUse {
  /** Index into EnginePlan.tracks, and into the heads of its bundle. */
  readonly track: number;
  readonly exit: number;
}

/** What of a plan hangs on one place: a cut of the backbone, or a companion. */
export interface PlaceLayout {
  /** By slot. */
  readonly uses: readonly SlotUse[];
  /** Indices into EnginePlan.samples that read it. */
  readonly samples: readonly number[];
}

/** What compares frames at a cut, by the features there. */
export interface FrameLayout extends PlaceLayout {
  readonly channels: number;
}

export interface CutLayout extends PlaceLayout {
  readonly planned: PlannedCut;
  /** Null: no frames are compared here. */
  readonly frames: FrameLayout | null;
}

/** Exits of the track that may answer: the first ones of its bundle. */
export function answeringCount(planned: PlannedTrack): number {
  const isPrefix = planned.activeExits.every(
    (exit, index) => planned.bundle.heads[index]?.exit === exit,
  );
  if (!isPrefix) {
    throw new EngineError(
      'HeadMismatch',
      `active exits ${planned.activeExits.join(', ')} are not the first ones of head revision ${planned.headRevision}; an exit is switched off together with all later ones`,
    );
  }
  return planned.lambdaIndex === null ? 0 : planned.activeExits.length;
}

/** What a way through the backbone serves: heads and samples, all heads, or the heads that may answer. */
export type RouteScope = 'Samples' | 'Heads' | 'Answers';

/** What the scope serves, by where it sits. @param placeOf of an exit and its name; null: what is laid out has no such place. */
export function layOutPlaces<P>(
  plan: EnginePlan,
  scope: RouteScope,
  placeOf: (exit: ExitPlace, name: string) => P | null,
): ReadonlyMap<P, PlaceLayout> {
  const places = new Map<P, { readonly uses: SlotUse[]; readonly samples: number[] }>();
  const at = (exit: ExitPlace, name: string) => {
    const place = placeOf(exit, name);
    if (place === null) return null;
    const found = places.get(place) ?? { uses: [], samples: [] };
    places.set(place, found);
    return found;
  };
  for (const [track, planned] of plan.tracks.entries()) {
    const count = scope === 'Answers' ? answeringCount(planned) : planned.bundle.heads.length;
    for (const [exit, head] of planned.bundle.heads.slice(0, count).entries()) {
      at(head, head.exit)?.uses.push({ track, exit });
    }
  }
  for (const [index, sample] of scope === 'Samples' ? plan.samples.entries() : []) {
    at(sample, sample.name)?.samples.push(index);
  }
  return places;
}

/**
 * Cuts of what the scope serves, in backbone order; companions have none. Where frames are compared, key frames are made whatever the
 * scope: they must not depend on what may answer.
 */
export function layOutPlan(
  plan: EnginePlan,
  model: ModelDescription,
  scope: RouteScope,
): readonly CutLayout[] {
  const places = new Map(layOutPlaces(plan, scope, ({ tensor }) => tensor ?? null));
  const comparing = tensorsOfFrames(plan);
  for (const tensor of comparing) {
    if (!places.has(tensor)) places.set(tensor, { uses: [], samples: [] });
  }
  return inBackboneOrder(places, model).map(([tensor, place]) => {
    const cut = model.cuts.find((found) => found.tensor === tensor);
    const [plain, compared] = split(plan, place);
    const isRead = plain.samples.length > 0 || comparing.has(tensor);
    return {
      planned: {
        tensor,
        heads: plain.uses.map((use) => headShape(plan, use)),
        samplePool: isRead ? (cut?.pool ?? 1) : null,
      },
      ...plain,
      frames: comparing.has(tensor) ? { ...compared, channels: cut?.channels ?? 0 } : null,
    };
  });
}

function tensorsOfFrames({ tracks, samples }: EnginePlan): ReadonlySet<string> {
  const exits = [...tracks.flatMap(({ bundle }) => bundle.heads), ...samples];
  return new Set(
    exits.flatMap(({ compares, tensor }) =>
      compares === undefined || typeof tensor !== 'string' ? [] : [tensor],
    ),
  );
}

/** What reads the row alone, and what compares it. */
function split(
  plan: EnginePlan,
  { uses, samples }: PlaceLayout,
): readonly [plain: PlaceLayout, compared: PlaceLayout] {
  const doesCompare = ({ track, exit }: SlotUse): boolean =>
    plan.tracks[track]?.bundle.heads[exit]?.compares !== undefined;
  const isCompared = (sample: number): boolean => plan.samples[sample]?.compares !== undefined;
  const of = (wanted: boolean): PlaceLayout => ({
    uses: uses.filter((use) => doesCompare(use) === wanted),
    samples: samples.filter((sample) => isCompared(sample) === wanted),
  });
  return [of(false), of(true)];
}

/** Unknown tensors come last, where the engine refuses them by name. */
function inBackboneOrder(
  places: ReadonlyMap<string, PlaceLayout>,
  model: ModelDescription,
): readonly (readonly [string, PlaceLayout])[] {
  const order = new Map(model.cuts.map(({ tensor }, index) => [tensor, index]));
  const of = (tensor: string): number => order.get(tensor) ?? model.cuts.length;
  return [...places].sort(([a], [b]) => of(a) - of(b));
}

function headShape(plan: EnginePlan, use: SlotUse): PlannedCut['heads'][number] {
  const head = plan.tracks[use.track]?.bundle.heads[use.exit];
  if (head === undefined) throw new EngineError('HeadMismatch', 'a head is missing in its bundle');
  return { pool: head.pool, hidden: head.hidden, featureCount: head.featureCount };
}
