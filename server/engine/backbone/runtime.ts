// What an engine has to bring: a model opened, segments of it, heads. `CutEngine` makes a SegmentEngine of that.
import type { BundleHead, PoolSize } from '../../../crds/wire/head-bundle.ts';
import type { CutSearch, FoundCut } from '../../core/graph/find-cuts.ts';
import type { ModelNotes } from '../model-notes.ts';
import type { ModelDescription, ModelSource } from '../segment-engine.ts';

/** What is known of a backbone after it was opened. */
export interface OpenedBackbone {
  readonly path: string;
  readonly notes: ModelNotes;
  readonly input: { readonly name: string; readonly rowDims: readonly number[] };
  readonly search: CutSearch;
  /** Every tensor that the backbone makes, for messages. */
  readonly hasTensor: (name: string) => boolean;
  readonly description: ModelDescription;
}

export interface SegmentEnd {
  readonly cut: FoundCut;
  /** Features that heads and samples of the plan read here. */
  readonly pools: readonly PoolSize[];
}

/** `T` is a value of the backbone where the engine keeps it. */
export interface SegmentRun<T> {
  /** At the cut; of a runtime that does not resume, the input again. */
  readonly value: T;
  /** [rows, pool * pool * channels] for every pool that was asked for, on the host. */
  readonly pooled: ReadonlyMap<PoolSize, Float32Array>;
}

export interface BuiltSegment<T> {
  /** To the cut where the segment ends. Reads the input; the caller frees it. */
  run(input: T, pools: readonly PoolSize[]): SegmentRun<T>;
  /** To the end of the backbone: its outputs in order. */
  finish(input: T): readonly Float32Array[];
  release(): void;
}

export interface RuntimeHead {
  /** @param features [rows, featureCount]; @returns [rows, classes]. A non-finite feature makes the logits of its row NaN. */
  run(features: Float32Array, rows: number): Float32Array;
  release(): void;
}

export interface EngineRuntime<T> {
  /**
   * Whether a segment goes on from the value at the cut where the one before ended. Else each starts at the model's input, which is then
   * what an activation holds, and `build` is never given a cut to start from.
   */
  readonly resumes: boolean;
  /** Rows of the runs that warm a plan up. */
  readonly warmRows: readonly number[];
  open(source: ModelSource): Promise<OpenedBackbone>;
  /** From a cut (null: the input) to a cut (null: the outputs). */
  build(from: FoundCut | null, to: SegmentEnd | null): BuiltSegment<T>;
  /** The model's input, rows first. */
  upload(values: Float32Array, rows: number): T;
  /** The given rows, ascending; consumes the value. */
  compact(value: T, rows: number, keepRows: readonly number[]): T;
  /** Nothing reads the value any more. */
  free(value: T): void;
  /** Throws EngineError HeadMismatch when the weights do not fit the classes. */
  head(head: BundleHead, classCount: number): RuntimeHead;
  close(): void;
}
