// A serving plan as a worker holds it: sessions, heads ready to run, prices.
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import type { CostTable } from '../../../crds/wire/state.ts';
import { toHeadWeights, type HeadWeights } from '../../core/head.ts';
import { MEASURED_SIZES } from '../batch-parts.ts';
import type { EnginePlan, PlannedTrack, PlanReport } from '../engine-client.ts';
import { EngineError } from '../engine-error.ts';
import type {
  ModelDescription,
  PreparedHead,
  SegmentEngine,
  SegmentPlan,
} from '../segment-engine.ts';
import { checkKnownAnswers } from './known-answers.ts';
import {
  layOutCompanions,
  withCompanions,
  type CompanionLayout,
  type Companions,
} from './companion-layout.ts';
import { answeringCount, layOutPlan, type CutLayout, type RouteScope } from './plan-layout.ts';
import { createPrices, type Prices } from './prices.ts';

export interface LoadedTrack {
  readonly planned: PlannedTrack;
  /** Exits that may answer. */
  readonly answering: number;
  readonly heads: readonly PreparedHead[];
  /** The one that compares frames, ready to run; null: none does. */
  readonly comparing: HeadWeights | null;
}

/** A companion on the way, with its place in the costs of the plan. */
interface RouteCompanion extends CompanionLayout {
  readonly place: number;
}

/** One way through companions and the backbone. */
export interface Route {
  readonly companions: readonly RouteCompanion[];
  readonly plan: SegmentPlan;
  readonly cuts: readonly CutLayout[];
  /** [cut]: its place in the costs of the plan. */
  readonly places: readonly number[];
  /** [cut][slot] */
  readonly heads: readonly (readonly PreparedHead[])[];
  readonly prices: Prices;
}

export interface LoadedPlan {
  readonly tracks: readonly LoadedTrack[];
  readonly sampleCount: number;
  /** Everything audits and samples want. */
  readonly full: Route;
  /** All heads, for audits without samples. Null: there are no heads. */
  readonly auditing: Route | null;
  /** Only exits that may answer: rows without audit and sample. Null: such rows run the whole backbone at once. */
  readonly answering: Route | null;
  readonly report: Omit<PlanReport, 'planId'>;
}

/** Tables measured by this worker, by what was planned: a plan that only swaps heads is not measured again. */
export type MeasuredPlans = Map<string, CostTable>;

export function tableKey({ cuts }: SegmentPlan): string {
  return JSON.stringify(cuts);
}

interface LoadingWorker {
  readonly engine: SegmentEngine;
  readonly model: ModelDescription;
  readonly tables: MeasuredPlans;
  readonly companions: Companions;
  /** Called between steps, so that batches come through. */
  readonly yieldTurn: () => Promise<void>;
}

/** @param measured null: measure. The first worker of a host measures and checks known answers for all. */
export async function loadPlan(
  { engine, model, tables, companions, yieldTurn }: LoadingWorker,
  plan: EnginePlan,
  measured: PlanReport | null,
): Promise<LoadedPlan> {
  const prepared: PreparedHead[] = [];
  const prepare = async (head: BundleHead): Promise<PreparedHead> => {
    if (!runsInEngine(head)) return { head };
    await yieldTurn();
    const made = engine.prepareHead(head);
    prepared.push(made);
    return made;
  };
  const made: SegmentPlan[] = [];
  try {
    const tracks = await sequentially(plan.tracks, (planned) => loadTrack(model, planned, prepare));
    const fullCuts = layOutPlan(plan, model, 'Samples');
    const full = await engine.plan(fullCuts.map(({ planned }) => planned));
    made.push(full);
    const fullCompanions = layOutCompanions(plan, companions, 'Samples');
    const report = measured ?? {
      costs: withCompanions(await measureOnce(engine, full, tables), fullCompanions),
      knownAnswers: await sequentially(tracks, ({ planned, heads }) =>
        checkKnownAnswers(engine, planned, heads, yieldTurn),
      ),
    };
    const routeOf = async (scope: RouteScope): Promise<Route | null> => {
      const cuts = layOutPlan(plan, model, scope);
      const before = layOutCompanions(plan, companions, scope);
      if (cuts.length === 0 && before.length === 0) return null;
      const segments = await engine.plan(cuts.map(({ planned }) => planned));
      made.push(segments);
      return toRoute(segments, { cuts, companions: before }, tracks, report.costs);
    };
    return {
      tracks,
      sampleCount: plan.samples.length,
      full: toRoute(full, { cuts: fullCuts, companions: fullCompanions }, tracks, report.costs),
      auditing: await routeOf('Heads'),
      answering: await routeOf('Answers'),
      report,
    };
  } catch (error) {
    for (const head of prepared) engine.releaseHead(head);
    for (const segments of made) await engine.releasePlan(segments);
    throw error;
  }
}

/** A companion has a model of its own, and a dozen numbers of a comparison are not worth a call. */
function runsInEngine({ tensor, compares }: BundleHead): boolean {
  return tensor !== null && compares === undefined;
}

export async function releaseLoadedPlan(engine: SegmentEngine, loaded: LoadedPlan): Promise<void> {
  for (const prepared of loaded.tracks.flatMap(({ heads }) => heads)) {
    if (runsInEngine(prepared.head)) engine.releaseHead(prepared);
  }
  for (const route of [loaded.full, loaded.auditing, loaded.answering]) {
    if (route !== null) await engine.releasePlan(route.plan);
  }
}

async function measureOnce(
  engine: SegmentEngine,
  plan: SegmentPlan,
  tables: MeasuredPlans,
): Promise<CostTable> {
  const key = tableKey(plan);
  const table = tables.get(key) ?? (await engine.measure(plan, MEASURED_SIZES));
  tables.set(key, table);
  return table;
}

async function loadTrack(
  model: ModelDescription,
  planned: PlannedTrack,
  prepare: (head: BundleHead) => Promise<PreparedHead>,
): Promise<LoadedTrack> {
  const { bundle, headRevision } = planned;
  if (bundle.backboneDigest !== model.digest || bundle.classCount !== model.classCount) {
    throw new EngineError(
      'HeadMismatch',
      `head revision ${headRevision} was trained for backbone ${bundle.backboneDigest} with ${bundle.classCount} classes; ` +
        `this is ${model.digest} with ${model.classCount}: train heads for this backbone`,
    );
  }
  const comparing = bundle.heads.find(({ compares }) => compares !== undefined);
  return {
    planned,
    answering: answeringCount(planned),
    heads: await sequentially(bundle.heads, prepare),
    comparing: comparing === undefined ? null : toHeadWeights(comparing, bundle.classCount),
  };
}

function toRoute(
  plan: SegmentPlan,
  {
    cuts,
    companions,
  }: { readonly cuts: readonly CutLayout[]; readonly companions: readonly CompanionLayout[] },
  tracks: readonly LoadedTrack[],
  costs: CostTable,
): Route {
  return {
    plan,
    companions: companions.map((layout) => ({
      ...layout,
      place: costs.cuts.indexOf(layout.companion.model.digest),
    })),
    cuts,
    places: cuts.map(({ planned }) => costs.cuts.indexOf(planned.tensor)),
    heads: cuts.map(({ uses }) =>
      uses.flatMap(({ track, exit }) => tracks[track]?.heads[exit] ?? []),
    ),
    prices: createPrices(
      costs,
      cuts.map(({ planned }) => planned.tensor),
    ),
  };
}

async function sequentially<T, R>(
  values: readonly T[],
  run: (value: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (const value of values) results.push(await run(value));
  return results;
}
