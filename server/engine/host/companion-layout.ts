// From a serving plan to companions: which of them run before the backbone, in which order, for which exits.
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import type { CostTable } from '../../../crds/wire/state.ts';
import type { EnginePlan } from '../engine-client.ts';
import { EngineError } from '../engine-error.ts';
import type { OpenCompanion } from './open-companion.ts';
import { answeringCount, type RouteScope, type SlotUse } from './plan-layout.ts';

/** Companions of a worker by digest. */
export type Companions = ReadonlyMap<string, OpenCompanion>;

export interface CompanionLayout {
  readonly companion: OpenCompanion;
  readonly uses: readonly SlotUse[];
  /** Indices into EnginePlan.samples that read it. */
  readonly samples: readonly number[];
}

/** Companions of what the scope serves, the cheapest first. Throws EngineError CompanionMismatch, HeadMismatch. */
export function layOutCompanions(
  plan: EnginePlan,
  companions: Companions,
  scope: RouteScope,
): readonly CompanionLayout[] {
  const uses = new Map<OpenCompanion, SlotUse[]>();
  const samples = new Map<OpenCompanion, number[]>();
  for (const [track, planned] of plan.tracks.entries()) {
    refuseOtherOrder(planned.bundle.heads, companions);
    const count = scope === 'Answers' ? answeringCount(planned) : planned.bundle.heads.length;
    for (const [exit, head] of planned.bundle.heads.slice(0, count).entries()) {
      if (head.modelDigest === null) continue;
      add(uses, find(head.exit, head.modelDigest, companions), { track, exit });
    }
  }
  for (const [index, { name, modelDigest }] of scope === 'Samples' ? plan.samples.entries() : []) {
    if (modelDigest !== undefined) add(samples, find(name, modelDigest, companions), index);
  }
  return [...new Set([...uses.keys(), ...samples.keys()])].sort(cheapestFirst).map((companion) => ({
    companion,
    uses: uses.get(companion) ?? [],
    samples: samples.get(companion) ?? [],
  }));
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  lists.set(key, [...(lists.get(key) ?? []), value]);
}

function find(exit: string, digest: string, companions: Companions): OpenCompanion {
  const found = companions.get(digest);
  if (found !== undefined) return found;
  throw new EngineError(
    'CompanionMismatch',
    `exit ${exit} is the companion ${digest}, which is not loaded; see companions in /v1/state`,
  );
}

/** Ties by digest: every pod and the trainer must find the same order. */
function cheapestFirst({ model: a }: OpenCompanion, { model: b }: OpenCompanion): number {
  return a.macs - b.macs || (a.digest < b.digest ? -1 : 1);
}

/** Rows pass exits in the order of their bundle, and companions run before the backbone. */
function refuseOtherOrder(heads: readonly BundleHead[], companions: Companions): void {
  const digests = heads.flatMap(({ modelDigest }) => modelDigest ?? []);
  const ordered = digests.flatMap((digest) => companions.get(digest) ?? []).sort(cheapestFirst);
  const isFirst = heads.slice(0, digests.length).every(({ modelDigest }) => modelDigest !== null);
  const isOrdered = ordered.every(({ model }, index) => model.digest === digests[index]);
  if (isFirst && (isOrdered || ordered.length < digests.length)) return;
  throw new EngineError(
    'HeadMismatch',
    `exits ${heads.map(({ exit }) => exit).join(', ')} are not in the order in which they run: companions come first, the cheapest before the others; train again`,
  );
}

/** The table of the backbone's cuts with a segment before them for each companion. */
export function withCompanions(
  table: CostTable,
  layout: readonly Pick<CompanionLayout, 'companion'>[],
): CostTable {
  if (layout.length === 0) return table;
  const costs = layout.map(({ companion }) => companion.costs);
  const before = (
    rows: readonly (readonly number[])[],
    kind: 'runMs' | 'compactMs' | null,
  ): readonly (readonly number[])[] =>
    rows.map((row, size) => [
      ...costs.map((ofCompanion) => (kind === null ? 0 : (ofCompanion[size]?.[kind] ?? NaN))),
      ...row,
    ]);
  return {
    ...table,
    cuts: [...layout.map(({ companion }) => companion.model.digest), ...table.cuts],
    segmentMs: before(table.segmentMs, 'runMs'),
    headMs: before(table.headMs, null),
    compactMs: before(table.compactMs, 'compactMs'),
    companions: layout.length,
  };
}
