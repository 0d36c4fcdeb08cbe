// From a serving plan to cuts and head slots: which exit of which track sits in which slot of which cut.
import { EngineError } from '../engine-error.ts';
import type { EnginePlan, PlannedTrack } from '../engine-client.ts';
import type { ModelDescription, PlannedCut } from '../segment-engine.ts';

export interface SlotUse {
  /** Index into EnginePlan.tracks, and into the heads of its bundle. */
  readonly track: number;
  readonly exit: number;
}

export interface CutLayout {
  readonly planned: PlannedCut;
  /** By slot. */
  readonly uses: readonly SlotUse[];
  /** Indices into EnginePlan.samples that read this cut. */
  readonly samples: readonly number[];
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

/** Cuts of what the scope serves, in backbone order; companions have none. */
export function layOutPlan(
  plan: EnginePlan,
  model: ModelDescription,
  scope: RouteScope,
): readonly CutLayout[] {
  const uses = new Map<string, SlotUse[]>();
  const samples = new Map<string, number[]>();
  for (const [track, planned] of plan.tracks.entries()) {
    const count = scope === 'Answers' ? answeringCount(planned) : planned.bundle.heads.length;
    for (const [exit, head] of planned.bundle.heads.slice(0, count).entries()) {
      if (head.tensor === null) continue;
      uses.set(head.tensor, [...(uses.get(head.tensor) ?? []), { track, exit }]);
    }
  }
  for (const [index, { tensor }] of scope === 'Samples' ? plan.samples.entries() : []) {
    if (tensor !== undefined) samples.set(tensor, [...(samples.get(tensor) ?? []), index]);
  }
  return inBackboneOrder([...new Set([...uses.keys(), ...samples.keys()])], model).map((tensor) => {
    const slots = uses.get(tensor) ?? [];
    return {
      planned: {
        tensor,
        heads: slots.map((use) => headShape(plan, use)),
        samplePool: samples.has(tensor)
          ? (model.cuts.find((cut) => cut.tensor === tensor)?.pool ?? 1)
          : null,
      },
      uses: slots,
      samples: samples.get(tensor) ?? [],
    };
  });
}

/** Unknown tensors come last, where the engine refuses them by name. */
function inBackboneOrder(tensors: readonly string[], model: ModelDescription): readonly string[] {
  const place = new Map(model.cuts.map(({ tensor }, index) => [tensor, index]));
  const of = (tensor: string): number => place.get(tensor) ?? model.cuts.length;
  return [...tensors].sort((a, b) => of(a) - of(b));
}

function headShape(plan: EnginePlan, use: SlotUse): PlannedCut['heads'][number] {
  const head = plan.tracks[use.track]?.bundle.heads[use.exit];
  if (head === undefined) throw new EngineError('HeadMismatch', 'a head is missing in its bundle');
  return { pool: head.pool, hidden: head.hidden, featureCount: head.featureCount };
}
