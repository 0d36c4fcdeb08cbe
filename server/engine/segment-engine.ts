import type { BundleHead, HiddenSize, PoolSize } from '../../crds/wire/head-bundle.ts';
import type { CostTable, CutReport, OutputProblem, TensorSpec } from '../../crds/wire/state.ts';
import type { DetectionMaps } from '../core/task/detection.ts';

/** Where a model is and how its rows come in (`layercache.json` beside the model, all optional). */
export interface ModelSource {
  readonly path: string;
  /** Class output, when the model has several. */
  readonly outputName: string | null;
  /** `sha256:<hex>`, checked before the load when given. */
  readonly digest: string | null;
  /** Model whose notes say how raw rows come in where this one has none of its own: of a companion, its backbone. */
  readonly rowsLike?: string;
}

/** What an engine finds in a model. Macs are multiply-adds of one row. */
export interface ModelDescription {
  readonly digest: string;
  readonly format: 'ONNX' | 'TFJSGraphModel' | 'TFJSLayersModel' | 'SavedModel';
  readonly sizeBytes: number;
  readonly macs: number;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** The output that exits supply; null: `outputProblem` says why there is none, `classCount` is 0 and there are no cuts. */
  readonly outputName: string | null;
  /** Of class scores; null: they are none. */
  readonly outputKind: 'Logits' | 'Probabilities' | 'LogProbabilities' | null;
  readonly outputProblem: OutputProblem | null;
  readonly classCount: number;
  /** How outputs become boxes; absent: the model classifies. */
  readonly detection?: DetectionMaps;
  /** Candidate cuts in backbone order. msShare is 0 until measured. */
  readonly cuts: readonly CutReport[];
  readonly rejectedCuts: readonly { readonly tensor: string; readonly reason: string }[];
}

/** Shape of a head slot at a cut. Weights are passed to `run`, so heads are swapped without building segments again. */
export interface HeadShape {
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  readonly featureCount: number;
}

export interface PlannedCut {
  readonly tensor: string;
  /** At most two slots: stable and candidate. */
  readonly heads: readonly HeadShape[];
  /** Pooled features that samples or audits may ask for. */
  readonly samplePool: PoolSize | null;
}

/** An opaque value that stays with the engine. Single owner: using it twice, or mixing plans, throws. */
export interface Activation {
  readonly rows: number;
}

/** Weights of one head as the engine wants them; prepared once per bundle by `prepareHead`, freed by `releaseHead`. */
export interface PreparedHead {
  readonly head: BundleHead;
}

export interface SegmentResult {
  readonly activation: Activation;
  /** [rows, pool * pool * channels] when wanted. */
  readonly pooled: Float32Array | null;
  /** Per head slot of the cut: [rows, classes], null where no head was passed. */
  readonly logits: readonly (Float32Array | null)[];
}

export interface SegmentPlan {
  readonly id: number;
  readonly cuts: readonly PlannedCut[];
}

/** Verbs of every engine; one instance per worker thread. All calls of one instance are serialised by its owner. */
export interface SegmentEngine {
  open(source: ModelSource): Promise<ModelDescription>;
  /**
   * Validates the cuts, builds and warms every segment. The former plan stays usable until `releasePlan`.
   * @param warmRows batch sizes that it will be run at. @defaultValue the engine's own
   */
  plan(cuts: readonly PlannedCut[], warmRows?: readonly number[]): Promise<SegmentPlan>;
  releasePlan(plan: SegmentPlan): Promise<void>;
  prepareHead(head: BundleHead): PreparedHead;
  /** The head is not used again. */
  releaseHead(head: PreparedHead): void;
  /** A head alone, through the very nodes that `run` uses: [rows, classes] from features [rows, featureCount]. */
  runHead(head: PreparedHead, features: Float32Array, rows: number): Promise<Float32Array>;
  /** Rows of the model's first input as f32 in the model's own layout, or u8 (converted and normalised by the engine). */
  upload(input: Float32Array | Uint8Array, rows: number): Activation;
  /** Runs segment `index` (0 .. cuts.length); consumes the activation. Segment cuts.length ends in the outputs: use `output`. */
  run(
    plan: SegmentPlan,
    index: number,
    activation: Activation,
    want: { readonly heads: readonly (PreparedHead | null)[]; readonly pooled: boolean },
  ): Promise<SegmentResult>;
  /** Keeps the given rows, ascending; consumes the activation. */
  compact(activation: Activation, keepRows: readonly number[]): Activation;
  /** Drops an activation that nothing needs any more. */
  discard(activation: Activation): void;
  /** Last segment: named outputs of the model in order, each [rows, ...]. Consumes the activation. */
  output(plan: SegmentPlan, activation: Activation): Promise<readonly Float32Array[]>;
  /** Milliseconds per batch size, median of warm runs. */
  measure(plan: SegmentPlan, batchSizes: readonly number[]): Promise<CostTable>;
  /** Live activations (0 when idle) and what is known of memory. */
  stats(): { readonly activations: number; readonly plans: number };
  close(): Promise<void>;
}
