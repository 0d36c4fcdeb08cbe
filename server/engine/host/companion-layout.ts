// From a serving plan to companions: which of them run before the backbone, in which order, for which exits.
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import type { CostTable } from '../../../crds/wire/state.ts';
import { cheapestFirst } from '../companion-order.ts';
import type { EnginePlan } from '../engine-client.ts';
import { EngineError } from '../engine-error.ts';
import type { OpenCompanion } from './open-companion.ts';
import { layOutPlaces, type PlaceLayout, type RouteScope } from './plan-layout.ts';

/** Companions of a worker by digest. */
export type Companions = ReadonlyMap<string, OpenCompanion>;

export interface CompanionLayout extends PlaceLayout {
  readonly companion: OpenCompanion;
}

/** Companions of what the scope serves, the cheapest first. Throws EngineError CompanionMismatch, HeadMismatch. */
export function layOutCompanions(
  plan: EnginePlan,
  companions: Companions,
  scope: RouteScope,
): readonly CompanionLayout[] {
  for (const { bundle } of plan.tracks) refuseOtherOrder(bundle.heads, companions);
  const places = layOutPlaces(plan, scope, ({ modelDigest }, name) =>
    typeof modelDigest === 'string' ? find(name, modelDigest, companions) : null,
  );
  return [...places]
    .map(([companion, place]) => ({ companion, ...place }))
    .sort((a, b) => cheapestFirst(a.companion.model, b.companion.model));
}

function find(exit: string, digest: string, companions: Companions): OpenCompanion {
  const found = companions.get(digest);
  if (found !== undefined) return found;
  throw new EngineError(
    'CompanionMismatch',
    `exit ${exit} is the companion ${digest}, which is not loaded; see companions in /v1/state`,
  );
}

/** Rows pass exits in the order of their bundle, and companions run before the backbone. */
function refuseOtherOrder(heads: readonly BundleHead[], companions: Companions): void {
  const digests = heads.flatMap(({ modelDigest }) => modelDigest ?? []);
  const ordered = digests
    .flatMap((digest) => companions.get(digest)?.model ?? [])
    .sort(cheapestFirst);
  const isFirst = heads.slice(0, digests.length).every(({ modelDigest }) => modelDigest !== null);
  const isOrdered = ordered.every(({ digest }, index) => digest === digests[index]);
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
