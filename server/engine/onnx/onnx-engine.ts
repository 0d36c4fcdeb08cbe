// SegmentEngine on onnxruntime-node: segments are cut out of the one ONNX graph, one session each.
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import type { CostTable } from '../../../crds/wire/state.ts';
import { InvariantError } from '../../core/invariant.ts';
import { pooledName } from '../../core/onnx/head-graph.ts';
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
import { ActivationLedger, free, type Held } from './activation.ts';
import { checkPlannedCut } from './check-cut.ts';
import { measurePlan } from './measure.ts';
import { openModel } from './open-model.ts';
import type { OpenedModel } from './opened-model.ts';
import { OnnxHead } from './prepared-head.ts';
import { SegmentCache, type Segment } from './segments.ts';
import { floatsOf, floatTensorOf, type RuntimeTensor } from './session.ts';
import { normaliseBytes } from './upload.ts';

/** Rows of the warm-up runs. */
const WARM_ROWS = [1, 2, 8] as const;

interface OnnxPlan extends SegmentPlan {
  readonly segments: readonly Segment[];
}

export interface OnnxEngineOptions {
  /** Called between steps of `plan` and `measure`, so that batches of other plans come through. */
  readonly pause: () => Promise<void>;
}

export function createOnnxEngine(
  options: OnnxEngineOptions = { pause: () => Promise.resolve() },
): SegmentEngine {
  return new OnnxEngine(options);
}

class OnnxEngine implements SegmentEngine {
  private readonly options: OnnxEngineOptions;
  private readonly activations = new ActivationLedger();
  private readonly plans = new Map<number, OnnxPlan>();
  private opened: OpenedModel | null = null;
  private segments: SegmentCache | null = null;
  private nextPlanId = 1;

  constructor(options: OnnxEngineOptions) {
    this.options = options;
  }

  async open(source: ModelSource): Promise<ModelDescription> {
    this.opened = await openModel(source);
    this.segments = new SegmentCache(this.opened);
    return this.opened.description;
  }

  async plan(cuts: readonly PlannedCut[]): Promise<SegmentPlan> {
    const opened = this.model();
    const cache = this.segmentCache();
    const found = cuts.map((cut) => checkPlannedCut(opened, cut));
    const places = found.map((cut) => opened.search.cuts.indexOf(cut));
    if (places.some((place, index) => place <= (places[index - 1] ?? -1))) {
      throw new InvariantError('planned cuts are not in backbone order');
    }
    const segments: Segment[] = [];
    try {
      for (let index = 0; index <= cuts.length; index += 1) {
        await this.options.pause();
        segments.push(cache.acquire(found[index - 1] ?? null, cuts[index] ?? null));
      }
      const plan = { id: this.nextPlanId, cuts, segments };
      this.nextPlanId += 1;
      this.plans.set(plan.id, plan);
      if (segments.some(({ uses }) => uses === 1)) await this.warm(plan);
      return plan;
    } catch (error) {
      for (const segment of segments) cache.release(segment);
      throw error;
    }
  }

  releasePlan(plan: SegmentPlan): Promise<void> {
    return promised(() => {
      const { segments } = this.own(plan);
      this.plans.delete(plan.id);
      for (const segment of segments) this.segmentCache().release(segment);
    });
  }

  prepareHead(head: BundleHead): PreparedHead {
    return new OnnxHead(head, this.model().description.classCount);
  }

  releaseHead(head: PreparedHead): void {
    ownHead(head).release();
  }

  runHead(head: PreparedHead, features: Float32Array, rows: number): Promise<Float32Array> {
    const { featureCount } = head.head;
    return promised(() => {
      const logits = ownHead(head).run(floatTensorOf(features, [rows, featureCount]));
      return logits ?? new Float32Array(0);
    });
  }

  upload(input: Float32Array | Uint8Array, rows: number): Activation {
    const { input: spec, notes } = this.model();
    const size = rows * product(spec.rowDims);
    if (input.length !== size) {
      throw new EngineError(
        'InputMismatch',
        `${rows} rows of ${spec.name} are ${size} values, got ${input.length}`,
      );
    }
    const values =
      input instanceof Float32Array ? input : normaliseBytes(input, spec.rowDims, notes.input);
    const tensor = floatTensorOf(values, [rows, ...spec.rowDims]);
    return this.activations.make({ tensor, name: spec.name, memory: null });
  }

  run(
    plan: SegmentPlan,
    index: number,
    activation: Activation,
    want: { readonly heads: readonly (PreparedHead | null)[]; readonly pooled: boolean },
  ): Promise<SegmentResult> {
    return promised(() => this.runSegment(plan, index, activation, want));
  }

  private runSegment(
    plan: SegmentPlan,
    index: number,
    activation: Activation,
    want: { readonly heads: readonly (PreparedHead | null)[]; readonly pooled: boolean },
  ): SegmentResult {
    const segment = this.segmentAt(plan, index);
    if (segment.output === null) throw new InvariantError('the last segment is run by output()');
    const input = this.takeFor(segment, activation);
    const found = segment.session.run({ [segment.input]: input.tensor });
    free(input);
    const output = found[segment.output];
    if (output === undefined) throw new InvariantError(`${segment.output} did not come out`);
    const { heads, samplePool } = plan.cuts[index] ?? { heads: [], samplePool: null };
    return {
      activation: this.activations.make({
        tensor: output,
        name: segment.output,
        memory: floatsOf(output),
      }),
      pooled: want.pooled && samplePool !== null ? floatsOf(found[pooledName(samplePool)]) : null,
      logits: heads.map((shape, slot) => {
        const head = want.heads[slot] ?? null;
        return head === null ? null : runSlot(head, shape, found[pooledName(shape.pool)]);
      }),
    };
  }

  compact(activation: Activation, keepRows: readonly number[]): Activation {
    const { tensor, name, memory } = this.activations.take(activation);
    const values = floatsOf(tensor);
    if (values === null) throw new InvariantError('only float32 activations are compacted');
    const size = values.length / (tensor.dims[0] ?? 1);
    // In place: rows ascend, so a row never lands on one that is still to be read.
    for (const [target, row] of keepRows.entries()) {
      if (target !== row) values.copyWithin(target * size, row * size, (row + 1) * size);
    }
    const kept = values.subarray(0, keepRows.length * size);
    const compacted = floatTensorOf(kept, [keepRows.length, ...tensor.dims.slice(1)]);
    return this.activations.make({ tensor: compacted, name, memory });
  }

  discard(activation: Activation): void {
    free(this.activations.take(activation));
  }

  output(plan: SegmentPlan, activation: Activation): Promise<readonly Float32Array[]> {
    return promised(() => {
      const segment = this.segmentAt(plan, plan.cuts.length);
      const input = this.takeFor(segment, activation);
      const found = segment.session.run({ [segment.input]: input.tensor });
      free(input);
      return this.model().description.outputs.map(({ name }) => toFloats(found[name]));
    });
  }

  async measure(plan: SegmentPlan, batchSizes: readonly number[]): Promise<CostTable> {
    const whole = await this.plan([]);
    const bare = await this.plan(
      plan.cuts.map(({ tensor }) => ({ tensor, heads: [], samplePool: null })),
    );
    try {
      const { input, search, description } = this.model();
      const sizeAt = new Map(search.cuts.map((cut) => [cut.tensor, product(cut.rowDims)]));
      return await measurePlan(this, { plan, bare, whole }, batchSizes, {
        inputSize: product(input.rowDims),
        classCount: description.classCount,
        cutSizes: plan.cuts.map(({ tensor }) => sizeAt.get(tensor) ?? 0),
        pause: this.options.pause,
      });
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
    this.segments = null;
  }

  private model(): OpenedModel {
    if (this.opened === null) throw new InvariantError('no model is open');
    return this.opened;
  }

  private segmentCache(): SegmentCache {
    if (this.segments === null) throw new InvariantError('no model is open');
    return this.segments;
  }

  private own(plan: SegmentPlan): OnnxPlan {
    const found = this.plans.get(plan.id);
    if (found !== plan)
      throw new InvariantError(`plan ${plan.id} is not one of this engine, or was released`);
    return found;
  }

  private segmentAt(plan: SegmentPlan, index: number): Segment {
    const segment = this.own(plan).segments[index];
    if (segment === undefined) throw new InvariantError(`plan ${plan.id} has no segment ${index}`);
    return segment;
  }

  private takeFor(segment: Segment, activation: Activation): Held {
    const held = this.activations.take(activation);
    if (held.name !== segment.input) {
      throw new InvariantError(
        `an activation at ${held.name} was passed to the segment from ${segment.input}`,
      );
    }
    return held;
  }

  private async warm(plan: OnnxPlan): Promise<void> {
    const size = product(this.model().input.rowDims);
    for (const rows of WARM_ROWS) {
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

/** Runs at once; what it throws rejects. */
function promised<T>(compute: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(compute());
  });
}

function ownHead(head: PreparedHead): OnnxHead {
  if (!(head instanceof OnnxHead)) throw new InvariantError('a head of another engine was passed');
  return head;
}

function runSlot(
  head: PreparedHead,
  shape: HeadShape,
  features: RuntimeTensor | undefined,
): Float32Array | null {
  const own = ownHead(head);
  if (features === undefined || !own.fits(shape)) {
    throw new InvariantError(`the head of exit ${head.head.exit} does not fit its slot`);
  }
  return own.run(features);
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, dim) => all * dim, 1);
}

/** Outputs of other types are told as numbers. */
function toFloats(tensor: RuntimeTensor | undefined): Float32Array {
  const floats = floatsOf(tensor);
  if (floats !== null) return floats;
  return Float32Array.from(
    tensor === undefined ? [] : (tensor.data as ArrayLike<number | bigint>),
    Number,
  );
}
