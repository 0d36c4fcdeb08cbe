// Sessions of segments, shared between plans that need the same one.
import { anyValue, floatValue } from '../../core/onnx/build-model.ts';
import { cutSegment } from '../../core/onnx/cut-segment.ts';
import type { PoolSize } from '../../../crds/wire/head-bundle.ts';
import { NO_TAIL, poolTail } from '../../core/onnx/head-graph.ts';
import type { FoundCut } from '../../core/onnx/find-cuts.ts';
import type { PlannedCut } from '../segment-engine.ts';
import { inputValue, wholeModel, type OpenedModel } from './opened-model.ts';
import { RuntimeSession } from './session.ts';

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
  uses: number;
}

export class SegmentCache {
  private readonly opened: OpenedModel;
  private readonly segments = new Map<string, Segment>();

  constructor(opened: OpenedModel) {
    this.opened = opened;
  }

  /** The segment from a cut (null = input) to the planned cut (null = outputs). */
  acquire(from: FoundCut | null, to: PlannedCut | null): Segment {
    const end = to === null ? null : { tensor: to.tensor, pools: poolsOf(to) };
    const key = JSON.stringify([from?.tensor ?? null, end]);
    const segment = this.segments.get(key) ?? this.build(key, from, end);
    this.segments.set(key, segment);
    segment.uses += 1;
    return segment;
  }

  release(segment: Segment): void {
    segment.uses -= 1;
    if (segment.uses > 0) return;
    this.segments.delete(segment.key);
    segment.session.release();
  }

  private build(key: string, from: FoundCut | null, to: SegmentEnd | null): Segment {
    const { input, search } = this.opened;
    const start = from === null ? input : { name: from.tensor, rowDims: from.rowDims };
    const end = search.cuts.find(({ tensor }) => tensor === to?.tensor);
    return {
      key,
      session: new RuntimeSession(this.encode(from, to)),
      input: start.name,
      inputDims: start.rowDims,
      output: to?.tensor ?? null,
      outputDims: end?.rowDims ?? [],
      uses: 0,
    };
  }

  private encode(from: FoundCut | null, to: SegmentEnd | null): Uint8Array {
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
          : poolTail({ tensor: end.tensor, rowDims: end.rowDims, pools: to.pools }),
    });
  }
}

interface SegmentEnd {
  readonly tensor: string;
  readonly pools: readonly PoolSize[];
}

function poolsOf({ heads, samplePool }: PlannedCut): readonly PoolSize[] {
  const wanted = new Set(heads.map(({ pool }) => pool));
  if (samplePool !== null) wanted.add(samplePool);
  return [...wanted].sort((a, b) => a - b);
}
