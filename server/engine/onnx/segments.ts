// Sessions of segments, shared between plans that need the same one.
import { anyValue, floatValue } from '../../core/onnx/build-model.ts';
import { cutSegment } from '../../core/onnx/cut-segment.ts';
import { headTail, NO_TAIL, type HeadSlot } from '../../core/onnx/head-graph.ts';
import type { FoundCut } from '../../core/onnx/find-cuts.ts';
import type { PlannedCut } from '../segment-engine.ts';
import { inputValue, wholeModel, type OpenedModel } from './opened-model.ts';
import { emptyHeadFeeds } from './prepared-head.ts';
import { createSession, type Feeds, type RuntimeSession } from './session.ts';

export interface Segment {
  readonly key: string;
  readonly session: RuntimeSession;
  /** Name of the tensor that goes in, shape of one of its rows, and what its session's place in the backbone is called. */
  readonly input: string;
  readonly inputDims: readonly number[];
  /** Tensor that goes out; null for the last segment. */
  readonly output: string | null;
  /** Shape of one row of it. */
  readonly outputDims: readonly number[];
  readonly slots: readonly HeadSlot[];
  /** Zeros for slots that a run leaves empty. */
  readonly emptyHeads: readonly Feeds[];
  uses: number;
}

export class SegmentCache {
  private readonly opened: OpenedModel;
  private readonly segments = new Map<string, Segment>();

  constructor(opened: OpenedModel) {
    this.opened = opened;
  }

  /** The segment from a cut (null = input) to the planned cut (null = outputs). */
  async acquire(from: FoundCut | null, to: PlannedCut | null): Promise<Segment> {
    const key = JSON.stringify([from?.tensor ?? null, to]);
    const segment = this.segments.get(key) ?? (await this.build(key, from, to));
    this.segments.set(key, segment);
    segment.uses += 1;
    return segment;
  }

  async release(segment: Segment): Promise<void> {
    segment.uses -= 1;
    if (segment.uses > 0) return;
    this.segments.delete(segment.key);
    await segment.session.release();
  }

  private async build(key: string, from: FoundCut | null, to: PlannedCut | null): Promise<Segment> {
    const { input, description } = this.opened;
    const start = from === null ? input : { name: from.tensor, rowDims: from.rowDims };
    const slots = to?.heads ?? [];
    return {
      key,
      session: await createSession(this.encode(from, to)),
      input: start.name,
      inputDims: start.rowDims,
      output: to?.tensor ?? null,
      outputDims:
        this.opened.search.cuts.find(({ tensor }) => tensor === to?.tensor)?.rowDims ?? [],
      slots,
      emptyHeads: slots.map((slot, index) => emptyHeadFeeds(slot, index, description.classCount)),
      uses: 0,
    };
  }

  private encode(from: FoundCut | null, to: PlannedCut | null): Uint8Array {
    const { model, flow, shapes, input, search, description } = this.opened;
    const outputs = description.outputs.map(({ name }) => name);
    if (from === null && to === null) return wholeModel(this.opened, outputs);
    const start = from === null ? input : { name: from.tensor, rowDims: from.rowDims };
    const end = search.cuts.find(({ tensor }) => tensor === to?.tensor);
    return cutSegment(model, flow, shapes, {
      input: inputValue(start.name, start.rowDims),
      outputs:
        end === undefined
          ? outputs.map(anyValue)
          : [floatValue(end.tensor, ['rows', ...end.rowDims])],
      tail:
        end === undefined || to === null
          ? NO_TAIL
          : headTail({
              tensor: end.tensor,
              rowDims: end.rowDims,
              slots: to.heads,
              classCount: description.classCount,
              samplePool: to.samplePool,
            }),
    });
  }
}
