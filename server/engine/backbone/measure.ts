// Milliseconds of a plan: warm, each figure bounded in time. Whole, bare segments and segments with heads take turns, so
// that a slower moment of the machine meets all of them; the lower quartile is told, since disturbances only ever add.
import { performance } from 'node:perf_hooks';
import type { CostTable } from '../../../crds/wire/state.ts';
import { scoreRow } from '../../core/score.ts';
import { createBusyClock } from '../busy-clock.ts';
import type { PlannedCut, PreparedHead, SegmentEngine, SegmentPlan } from '../segment-engine.ts';
import { MEASURING_SCORE, measuringHead } from './measuring-head.ts';

const MOST_RUNS = 24;
const BUDGET_MS = 200;
/** Batch 1 decides most, so it may take longer. */
const SINGLE_ROW_BUDGET_MS = 1000;
const COPIES = 9;
/** Further runs of what has nothing to be told apart: the lower quartile stands when it is this close to the least. */
const SETTLED_RUNS = 8;
const SETTLED_RATIO = 1.02;

export interface MeasuredPlans {
  readonly plan: SegmentPlan;
  /** The same cuts without heads and pooling. */
  readonly bare: SegmentPlan;
  readonly whole: SegmentPlan;
}

export interface MeasuredModel {
  readonly inputSize: number;
  readonly classCount: number;
  /** Values of one row at each cut of the plan. */
  readonly cutSizes: readonly number[];
  /** Called before each timed step. */
  readonly pause: () => Promise<void>;
}

/** Milliseconds of one pass. */
interface Pass {
  readonly whole: number;
  readonly bare: readonly number[];
  readonly headed: readonly number[];
}

export async function measurePlan(
  engine: SegmentEngine,
  plans: MeasuredPlans,
  batchSizes: readonly number[],
  model: MeasuredModel,
): Promise<CostTable> {
  const heads = plans.plan.cuts.map((cut) =>
    cut.heads.map((shape) => measuringHead(engine, shape, model.classCount)),
  );
  const meter = new Meter(engine, plans, heads, model);
  const rowsOfTable: Pass[] = [];
  try {
    for (const rows of batchSizes) rowsOfTable.push(await meter.measure(rows));
  } finally {
    for (const head of heads.flat()) engine.releaseHead(head);
  }
  const worksAt = plans.plan.cuts.map(hasWork);
  return {
    batchSizes,
    cuts: plans.plan.cuts.map(({ tensor }) => tensor),
    plainMs: rowsOfTable.map(({ whole }) => whole),
    segmentMs: rowsOfTable.map(({ bare }) => bare),
    headMs: batchSizes.map((rows, index) =>
      worksAt.map((works, cut) =>
        works ? Math.min(extraMs(rowsOfTable[index], cut), rows * extraMs(rowsOfTable[0], cut)) : 0,
      ),
    ),
    compactMs: batchSizes.map((rows) => model.cutSizes.map((size) => copyMs(rows, size))),
  };
}

function hasWork({ heads, samplePool }: PlannedCut): boolean {
  return heads.length > 0 || samplePool !== null;
}

class Meter {
  private readonly engine: SegmentEngine;
  private readonly plans: MeasuredPlans;
  private readonly heads: readonly (readonly PreparedHead[])[];
  private readonly model: MeasuredModel;
  private readonly busyMs = createBusyClock();

  constructor(
    engine: SegmentEngine,
    plans: MeasuredPlans,
    heads: readonly (readonly PreparedHead[])[],
    model: MeasuredModel,
  ) {
    this.engine = engine;
    this.plans = plans;
    this.heads = heads;
    this.model = model;
  }

  async measure(rows: number): Promise<Pass> {
    const budgetMs = rows === 1 ? SINGLE_ROW_BUDGET_MS : BUDGET_MS;
    const passes = await warmRuns(() => this.pass(rows), budgetMs, this.isSettled);
    return {
      whole: quartile(passes.map(({ whole }) => whole)),
      bare: quartileOfEach(passes.map(({ bare }) => bare)),
      headed: quartileOfEach(passes.map(({ headed }) => headed)),
    };
  }

  /** What is done at a cut is the difference of two segments, so its runs go on: each makes it surer. */
  private readonly isSettled = (passes: readonly Pass[]): boolean => {
    if (passes.length < SETTLED_RUNS || this.plans.plan.cuts.some(hasWork)) return false;
    const totals = passes.map(({ whole, bare }) => bare.reduce((sum, ms) => sum + ms, whole));
    return quartile(totals) <= SETTLED_RATIO * Math.min(...totals);
  };

  private async pass(rows: number): Promise<Pass> {
    const input = new Float32Array(rows * this.model.inputSize);
    const { whole, bare, plan } = this.plans;
    const wholeMs = await this.timed(async () => {
      await this.engine.output(whole, this.engine.upload(input, rows));
    });
    if (plan.cuts.length === 0) return { whole: wholeMs, bare: [wholeMs], headed: [] };
    const bareMs = await this.walk(bare, input, rows, () => ({ heads: [], pooled: false }));
    const headedMs = await this.walk(plan, input, rows, (cut) => ({
      heads: this.heads[cut] ?? [],
      pooled: typeof plan.cuts[cut]?.samplePool === 'number',
    }));
    return { whole: wholeMs, bare: bareMs, headed: headedMs.slice(0, -1) };
  }

  /** Milliseconds of each segment of a plan. */
  private async walk(
    plan: SegmentPlan,
    input: Float32Array,
    rows: number,
    want: (cut: number) => { readonly heads: readonly PreparedHead[]; readonly pooled: boolean },
  ): Promise<readonly number[]> {
    const ms: number[] = [];
    let activation = this.engine.upload(input, rows);
    for (const cut of plan.cuts.keys()) {
      ms.push(
        await this.timed(async () => {
          const result = await this.engine.run(plan, cut, activation, want(cut));
          for (const logits of result.logits) {
            if (logits !== null) scoreRows(logits, this.model.classCount);
          }
          activation = result.activation;
        }),
      );
    }
    ms.push(
      await this.timed(async () => {
        await this.engine.output(plan, activation);
      }),
    );
    return ms;
  }

  private async timed(run: () => Promise<void>): Promise<number> {
    await this.model.pause();
    const start = this.busyMs();
    await run();
    return this.busyMs() - start;
  }
}

/** A batch of b rows never costs more than b times one row: what is above is noise of a busy machine. */
function extraMs(pass: Pass | undefined, cut: number): number {
  return Math.max(0, (pass?.headed[cut] ?? 0) - (pass?.bare[cut] ?? 0));
}

/** As often as the budget allows, or until the runs say enough. The first run is the warm-up and does not count. */
export async function warmRuns<T>(
  run: () => Promise<T>,
  budgetMs: number,
  isEnough: (runs: readonly T[]) => boolean = () => false,
): Promise<readonly T[]> {
  await run();
  const startMs = performance.now();
  const runs: T[] = [];
  do runs.push(await run());
  while (runs.length < MOST_RUNS && performance.now() - startMs < budgetMs && !isEnough(runs));
  return runs;
}

/** The price of what gives logits [rows, classes] includes their scores. */
export function scoreRows(logits: Float32Array, classCount: number): void {
  for (let offset = 0; offset < logits.length; offset += classCount) {
    scoreRow(logits, offset, classCount, MEASURING_SCORE);
  }
}

/** Moving every other row down, in place. */
export function copyMs(rows: number, size: number): number {
  const values = new Float32Array(rows * size);
  const runs = Array.from({ length: COPIES }, () => {
    const start = performance.now();
    for (let row = 0; 2 * row < rows; row += 1) {
      values.copyWithin(row * size, 2 * row * size, (2 * row + 1) * size);
    }
    return performance.now() - start;
  });
  return quartile(runs);
}

function quartileOfEach(passes: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = passes;
  return first.map((_, index) => quartile(passes.map((pass) => pass[index] ?? NaN)));
}

export function quartile(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 4)] ?? NaN;
}
