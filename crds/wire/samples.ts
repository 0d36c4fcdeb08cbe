import type { PoolSize } from './head-bundle.ts';

export type SamplePart = 'long' | 'recent';

/** An exit of a sample batch. Features are pooled to the finest recorded pool; the trainer derives coarser ones. */
export interface SampleExit {
  readonly name: string;
  readonly tensor: string | null;
  readonly modelDigest: string | null;
  readonly pool: PoolSize;
  readonly channels: number;
  /** Extent of the activation, needed to derive coarser pools by area; 1 x 1 for vectors. */
  readonly height: number;
  readonly width: number;
  /** pool * pool * channels; a companion: classCount log-probabilities. */
  readonly featureCount: number;
}

/** Pooled features and backbone answers of audited rows (exits.md 3). Never inputs. Arrays have one entry (or block) per row. */
export interface SampleBatch {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  readonly part: SamplePart;
  readonly backboneDigest: string;
  readonly classCount: number;
  /** classCount when <= 128, else 64. */
  readonly topCount: number;
  readonly exits: readonly SampleExit[];
  readonly rowCount: number;
  /** Rows offered to the recorder since boot or the last reset; the batch stands for this many. */
  readonly rowsSeen: number;
  /** Ask again with after = nextAfter; equal to the last sequence in the batch, or the given `after` when empty. */
  readonly nextAfter: number;
  /** Row number since boot (1-based), ascending within a batch. */
  readonly sequence: Float64Array;
  /** Minute since boot in which the row was answered. */
  readonly minute: Uint32Array;
  /** y*, the backbone's class. */
  readonly teacherClass: Uint32Array;
  /** [rows, topCount] classes of the log-probabilities; empty when topCount = classCount (then in class order). */
  readonly teacherTopClasses: Uint32Array;
  /** [rows, topCount] natural-log probabilities of the backbone. */
  readonly teacherLogProbabilities: Float32Array;
  /** Per exit: fp16 bits [rows, featureCount]. */
  readonly features: readonly Uint16Array[];
}
