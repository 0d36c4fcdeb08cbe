// Rows of a batch as frames of their sources: what earlier frames say of them, and what they say of later ones.
import {
  COMPARISON_VALUES,
  KEY_FRAME,
  NOT_COMPARED,
  SAMPLED_COMPARISON_VALUES,
} from '../../../crds/wire/previous-frame.ts';
import { runHead, type HeadWeights } from '../../core/head.ts';
import type { RecalledFrame } from '../../core/detection/frame-memory.ts';
import type { FrameComparison, RowOutputs } from '../../core/task/task.ts';
import type { KeptRow, RecalledRow } from '../engine-client.ts';

export class FrameRows {
  private readonly comparison: FrameComparison | null;
  private readonly keys: ReadonlyMap<number, RecalledFrame>;
  /** By row: features at the cut where frames are compared, and what the comparison says. */
  private readonly features = new Map<number, Float32Array>();
  private readonly values = new Map<number, Float32Array>();

  constructor(comparison: FrameComparison | null, recalled: readonly RecalledRow[]) {
    this.comparison = comparison;
    this.keys = new Map(recalled.map(({ row, key }) => [row, key]));
  }

  /** There is an earlier frame that may answer the row. */
  isRecalled(row: number): boolean {
    return this.keys.has(row);
  }

  /** The row has passed the cut. */
  pass(row: number, features: Float32Array, channels: number): void {
    const key = this.keys.get(row);
    this.features.set(row, features);
    if (this.comparison === null || key?.features.length !== features.length) return;
    this.values.set(row, this.comparison.valuesOf(key, features, channels));
  }

  /** What a head says of the comparison: [classes] logits; null: nothing was compared. */
  logitsOf(row: number, head: HeadWeights): Float32Array | null {
    const values = this.values.get(row);
    return values === undefined ? null : runHead(head, values, 1);
  }

  /** What the earlier frame answers; null: nothing was compared. */
  answerOf(row: number): RowOutputs | null {
    const key = this.keys.get(row);
    if (this.comparison === null || key === undefined || !this.values.has(row)) return null;
    return this.comparison.answerOf(key);
  }

  /** What that answer loses; 0 where there is none, which no row leaves by. */
  lossTenthsOf(row: number, answer: RowOutputs): number {
    const earlier = this.answerOf(row);
    return earlier === null ? 0 : (this.comparison?.lossTenths(earlier, answer) ?? 0);
  }

  /** Of a row that the backbone answered: what a trainer reads. */
  sampleOf(row: number, answer: RowOutputs, isKeyFrame: boolean): Float32Array {
    const sample = new Float32Array(SAMPLED_COMPARISON_VALUES);
    const values = this.values.get(row);
    sample.set(values ?? []);
    const none = isKeyFrame ? KEY_FRAME : NOT_COMPARED;
    sample[COMPARISON_VALUES] = values === undefined ? none : this.lossTenthsOf(row, answer);
    return sample;
  }

  /** The row as a key frame; null: it did not pass the cut, or its numbers are of no use. */
  keyFrameOf(row: number, outputs: RowOutputs): KeptRow | null {
    const features = this.features.get(row);
    if (this.comparison === null || features?.every(Number.isFinite) !== true) return null;
    return { row, frame: this.comparison.toKeyFrame(features, outputs) };
  }
}
