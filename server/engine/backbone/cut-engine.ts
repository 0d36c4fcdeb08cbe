// A SegmentEngine of any runtime that can open a model, run segments of it and run heads.
import type { BundleHead, PoolSize } from '../../../crds/wire/head-bundle.ts';
import type { CostTable } from '../../../crds/wire/state.ts';
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import { InvariantError } from '../../core/invariant.ts';
import { EngineError } from '../engine-error.ts';
import type {
  Activation,
  HeadShape,
  ModelDescription,
  ModelSource,
  PlannedCut,
  PreparedHead,
  SegmentEngine,
  SegmentPlan,
  SegmentResult,
} from '../segment-engine.ts';
import { ActivationLedger, type Held } from './activation.ts';
import { checkPlannedCut } from './check-cut.ts';
import { measurePlan } from './measure.ts';
import type { EngineRuntime, OpenedBackbone, RuntimeHead } from './runtime.ts';
import { SegmentCache, type Segment } from './segment-cache.ts';
import { normaliseBytes } from '../../core/normalise-bytes.ts';

export interface EngineOptions {
  /** Called between steps of `plan` and `measure`, so that batches of other plans come through. */
  readonly pause: () => Promise<void>;
}

export const NO_PAUSE: EngineOptions = { pause: () => Promise.resolve() };

interface CutPlan<T> extends SegmentPlan {
  readonly segments: readonly Segment<T>[];
}

interface Opened<T> {
  readonly backbone: OpenedBackbone;
  readonly segments: SegmentCache<T>;
}

interface Want {
  readonly heads: readonly (PreparedHead | null)[];
  readonly pooled: boolean;
}

export class CutEngine<T> implements SegmentEngine {
  private readonly runtime: EngineRuntime<T>;
  private readonly options: EngineOptions;
  private readonly activations = new ActivationLedger<T>();
  private readonly heads = new WeakMap<PreparedHead, RuntimeHead>();
  private readonly plans = new Map<number, CutPlan<T>>();
  private opened: Opened<T> | null = null;
  private nextPlanId = 1;

  constructor(runtime: EngineRuntime<T>, options: EngineOptions) {
    this.runtime = runtime;
    this.options = options;
  }

  async open(source: ModelSource): Promise<ModelDescription> {
    const backbone = await this.runtime.open(source);
    this.opened = { backbone, segments: new SegmentCache(this.runtime, backbone) };
    return backbone.description;
  }

  async plan(
    cuts: readonly PlannedCut[],
    warmRows: readonly number[] = this.runtime.warmRows,
  ): Promise<SegmentPlan> {
    const { backbone, segments: cache } = this.model();
    const found = cuts.map((cut) => checkPlannedCut(backbone, cut));
    const places = found.map((cut) => backbone.search.cuts.indexOf(cut));
    if (places.some((place, index) => place <= (places[index - 1] ?? -1))) {
      throw new InvariantError('planned cuts are not in backbone order');
    }
    const segments: Segment<T>[] = [];
    try {
      for (let index = 0; index <= cuts.length; index += 1) {
        const from = this.runtime.resumes ? (found[index - 1] ?? null) : null;
        segments.push(await this.acquire(from, cuts[index] ?? null));
      }
      const plan = { id: this.nextPlanId, cuts, segments };
      this.nextPlanId += 1;
      this.plans.set(plan.id, plan);
      if (segments.some(({ uses }) => uses === 1)) await this.warm(plan, warmRows);
      return plan;
    } catch (error) {
      for (const segment of segments) cache.release(segment);
      throw error;
    }
  }

  private async acquire(from: FoundCut | null, to: PlannedCut | null): Promise<Segment<T>> {
    const { segments } = this.model();
    // Only building takes time, and each pause may wait for a batch.
    if (!segments.has(from, to)) await this.options.pause();
    return segments.acquire(from, to);
  }

  releasePlan(plan: SegmentPlan): Promise<void> {
    return promised(() => {
      const { segments } = this.own(plan);
      this.plans.delete(plan.id);
      for (const segment of segments) this.model().segments.release(segment);
    });
  }

  prepareHead(head: BundleHead): PreparedHead {
    const prepared = { head };
    this.heads.set(prepared, this.runtime.head(head, this.description().classCount));
    return prepared;
  }

  releaseHead(head: PreparedHead): void {
    this.ownHead(head).release();
    this.heads.delete(head);
  }

  runHead(head: PreparedHead, features: Float32Array, rows: number): Promise<Float32Array> {
    return promised(() => this.ownHead(head).run(features, rows));
  }

  upload(input: Float32Array | Uint8Array, rows: number): Activation {
    const { input: spec, notes } = this.model().backbone;
    const size = rows * product(spec.rowDims);
    if (input.length !== size) {
      throw new EngineError(
        'InputMismatch',
        `${rows} rows of ${spec.name} are ${size} values, got ${input.length}`,
      );
    }
    const values =
      input instanceof Float32Array ? input : normaliseBytes(input, spec.rowDims, notes.input);
    const value = this.runtime.upload(values, rows);
    return this.activations.make({ value, rows, name: spec.name });
  }

  run(
    plan: SegmentPlan,
    index: number,
    activation: Activation,
    want: Want,
  ): Promise<SegmentResult> {
    return promised(() => this.runSegment(plan, index, activation, want));
  }

  private runSegment(
    plan: SegmentPlan,
    index: number,
    activation: Activation,
    want: Want,
  ): SegmentResult {
    const segment = this.segmentAt(plan, index);
    const cut = plan.cuts[index];
    if (segment.output === null || cut === undefined) {
      throw new InvariantError('the last segment is run by output()');
    }
    const { rows, value: input } = this.takeFor(plan, index, activation);
    const { value, pooled } = segment.built.run(input, poolsWanted(cut, want));
    this.runtime.free(input);
    const result = this.activations.make({ value, rows, name: segment.output });
    return {
      activation: result,
      pooled: want.pooled && cut.samplePool !== null ? (pooled.get(cut.samplePool) ?? null) : null,
      logits: cut.heads.map((shape, slot) => {
        const head = want.heads[slot] ?? null;
        return head === null ? null : this.runSlot(head, shape, pooled.get(shape.pool), rows);
      }),
    };
  }

  compact(activation: Activation, keepRows: readonly number[]): Activation {
    const { value, rows, name } = this.activations.take(activation);
    const compacted = this.runtime.compact(value, rows, keepRows);
    return this.activations.make({ value: compacted, rows: keepRows.length, name });
  }

  discard(activation: Activation): void {
    this.runtime.free(this.activations.take(activation).value);
  }

  output(plan: SegmentPlan, activation: Activation): Promise<readonly Float32Array[]> {
    return promised(() => {
      const segment = this.segmentAt(plan, plan.cuts.length);
      const { value } = this.takeFor(plan, plan.cuts.length, activation);
      const outputs = segment.built.finish(value);
      this.runtime.free(value);
      return outputs;
    });
  }

  async measure(plan: SegmentPlan, batchSizes: readonly number[]): Promise<CostTable> {
    const warmRows = this.runtime.warmRows.filter((rows) => batchSizes.includes(rows));
    const whole = await this.plan([], warmRows);
    const bare = await this.plan(
      plan.cuts.map(({ tensor }) => ({ tensor, heads: [], samplePool: null })),
      warmRows,
    );
    try {
      const { input, search, description } = this.model().backbone;
      const inputSize = product(input.rowDims);
      const sizeAt = new Map(search.cuts.map((cut) => [cut.tensor, product(cut.rowDims)]));
      const { resumes } = this.runtime;
      const table = await measurePlan(this, { plan, bare, whole }, batchSizes, {
        ...{ inputSize, classCount: description.classCount, pause: this.options.pause },
        cutSizes: plan.cuts.map(({ tensor }) => (resumes ? (sizeAt.get(tensor) ?? 0) : inputSize)),
      });
      return resumes ? table : { ...table, fromInput: true };
    } finally {
      await this.releasePlan(bare);
      await this.releasePlan(whole);
    }
  }

  stats(): { readonly activations: number; readonly plans: number } {
    return { activations: this.activations.live, plans: this.plans.size };
  }

  async close(): Promise<void> {
    for (const plan of [...this.plans.values()]) await this.releasePlan(plan);
    this.opened = null;
    this.runtime.close();
  }

  private model(): Opened<T> {
    if (this.opened === null) throw new InvariantError('no model is open');
    return this.opened;
  }

  private description(): ModelDescription {
    return this.model().backbone.description;
  }

  private own(plan: SegmentPlan): CutPlan<T> {
    const found = this.plans.get(plan.id);
    if (found !== plan)
      throw new InvariantError(`plan ${plan.id} is not one of this engine, or was released`);
    return found;
  }

  private segmentAt(plan: SegmentPlan, index: number): Segment<T> {
    const segment = this.own(plan).segments[index];
    if (segment === undefined) throw new InvariantError(`plan ${plan.id} has no segment ${index}`);
    return segment;
  }

  private takeFor({ cuts }: SegmentPlan, index: number, activation: Activation): Held<T> {
    const held = this.activations.take(activation);
    const start = cuts[index - 1]?.tensor ?? this.model().backbone.input.name;
    if (held.name !== start) {
      this.runtime.free(held.value);
      throw new InvariantError(
        `an activation at ${held.name} was passed to the segment from ${start}`,
      );
    }
    return held;
  }

  private ownHead(head: PreparedHead): RuntimeHead {
    const own = this.heads.get(head);
    if (own === undefined) {
      throw new InvariantError('a head of another engine was passed, or one that was released');
    }
    return own;
  }

  private runSlot(
    prepared: PreparedHead,
    shape: HeadShape,
    features: Float32Array | undefined,
    rows: number,
  ): Float32Array {
    const { exit, pool, hidden, featureCount } = prepared.head;
    const fits =
      shape.pool === pool && shape.hidden === hidden && shape.featureCount === featureCount;
    if (features === undefined || !fits) {
      throw new InvariantError(`the head of exit ${exit} does not fit its slot`);
    }
    return this.ownHead(prepared).run(features, rows);
  }

  private async warm(plan: CutPlan<T>, warmRows: readonly number[]): Promise<void> {
    const size = product(this.model().backbone.input.rowDims);
    for (const rows of warmRows) {
      await this.options.pause();
      let activation = this.upload(new Float32Array(rows * size), rows);
      for (const index of plan.cuts.keys()) {
        activation = (await this.run(plan, index, activation, { heads: [], pooled: false }))
          .activation;
      }
      await this.output(plan, activation);
    }
  }
}

function poolsWanted(cut: PlannedCut, want: Want): readonly PoolSize[] {
  const pools = new Set<PoolSize>();
  for (const [slot, { pool }] of cut.heads.entries()) {
    if (typeof want.heads[slot] === 'object' && want.heads[slot] !== null) pools.add(pool);
  }
  if (want.pooled && cut.samplePool !== null) pools.add(cut.samplePool);
  return [...pools];
}

/** Runs at once; what it throws rejects. */
function promised<T>(compute: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(compute());
  });
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, dim) => all * dim, 1);
}
