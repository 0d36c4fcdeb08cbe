// What the backbone costs, where the time goes, and what a head costs on this machine.
import type { CostTable, ServerState } from '../../../crds/wire/state.ts';
import type { HeadShape, ModelDescription, PlannedCut, SegmentEngine } from '../segment-engine.ts';
import { MEASURED_SIZES } from '../batch-parts.ts';

type HeadCost = ServerState['headCost'];

export interface MeasuredBackbone {
  readonly model: ModelDescription;
  readonly costs: CostTable;
  readonly headCost: HeadCost;
}

const EMPTY_TABLE: CostTable = {
  batchSizes: [],
  cuts: [],
  plainMs: [],
  segmentMs: [],
  headMs: [],
  compactMs: [],
};

/** @param measures false: another worker measures; the model is described only. */
export async function measureBackbone(
  engine: SegmentEngine,
  model: ModelDescription,
  measures: boolean,
): Promise<MeasuredBackbone> {
  if (!measures) {
    return { model, costs: EMPTY_TABLE, headCost: { fixedMs: 0, msPerMillionMacs: 0 } };
  }
  const whole = await engine.plan([]);
  const costs = await engine.measure(whole, MEASURED_SIZES);
  await engine.releasePlan(whole);
  const shares = await shareOfCuts(engine, model);
  return {
    model: {
      ...model,
      cuts: model.cuts.map((cut, index) => ({ ...cut, msShare: shares[index] ?? 0 })),
    },
    costs,
    headCost: await headCost(engine, model),
  };
}

/** Share of the time up to each cut, at batch 1, cut at all of them: of their sum, or where each starts at the input, of the whole. */
async function shareOfCuts(
  engine: SegmentEngine,
  model: ModelDescription,
): Promise<readonly number[]> {
  if (model.cuts.length === 0) return [];
  const table = await measureOnce(
    engine,
    model.cuts.map(({ tensor }) => ({ tensor, heads: [], samplePool: null })),
  );
  const ms = table.segmentMs[0] ?? [];
  if (table.fromInput === true)
    return model.cuts.map((_, cut) => (ms[cut] ?? 0) / (ms.at(-1) ?? 1));
  const total = ms.reduce((sum, value) => sum + value, 0);
  return model.cuts.map(
    (_, index) => ms.slice(0, index + 1).reduce((sum, value) => sum + value, 0) / total,
  );
}

/**
 * Two heads of different size at one cut give the two numbers of a line. The first cut, because its segment is short: a head is
 * told from the difference of two runs, whose noise grows with the segment (a busy machine tripled it behind 1 ms, measured).
 */
async function headCost(engine: SegmentEngine, model: ModelDescription): Promise<HeadCost> {
  const [cut] = model.cuts;
  if (cut === undefined) return { fixedMs: 0, msPerMillionMacs: 0 };
  const featureCount = cut.pool * cut.pool * cut.channels;
  const small: HeadShape = { pool: cut.pool, hidden: 0, featureCount };
  const large: HeadShape = { pool: cut.pool, hidden: 1024, featureCount };
  const smallMs = await headMs(engine, cut.tensor, small);
  const largeMs = await headMs(engine, cut.tensor, large);
  const smallMacs = (featureCount * model.classCount) / 1e6;
  const largeMacs = ((featureCount + model.classCount) * 1024) / 1e6;
  const msPerMillionMacs = Math.max(0, (largeMs - smallMs) / (largeMacs - smallMacs));
  return { fixedMs: Math.max(0, smallMs - msPerMillionMacs * smallMacs), msPerMillionMacs };
}

async function headMs(engine: SegmentEngine, tensor: string, head: HeadShape): Promise<number> {
  const table = await measureOnce(engine, [{ tensor, heads: [head], samplePool: null }]);
  return table.headMs[0]?.[0] ?? 0;
}

async function measureOnce(engine: SegmentEngine, cuts: readonly PlannedCut[]): Promise<CostTable> {
  const plan = await engine.plan(cuts, [1]);
  try {
    return await engine.measure(plan, [1]);
  } finally {
    await engine.releasePlan(plan);
  }
}
