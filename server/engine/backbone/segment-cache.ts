// Segments, shared between plans that need the same one.
import type { PoolSize } from '../../../crds/wire/head-bundle.ts';
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import type { PlannedCut } from '../segment-engine.ts';
import type { BuiltSegment, EngineRuntime, OpenedBackbone, SegmentEnd } from './runtime.ts';

export interface Segment<T> {
  readonly key: string;
  readonly built: BuiltSegment<T>;
  /** Tensor that goes out; null for the last segment. */
  readonly output: string | null;
  uses: number;
}

export class SegmentCache<T> {
  private readonly runtime: EngineRuntime<T>;
  private readonly opened: OpenedBackbone;
  private readonly segments = new Map<string, Segment<T>>();

  constructor(runtime: EngineRuntime<T>, opened: OpenedBackbone) {
    this.runtime = runtime;
    this.opened = opened;
  }

  /** Whether `acquire` need not build. */
  has(from: FoundCut | null, to: PlannedCut | null): boolean {
    return this.segments.has(keyOf(from, to));
  }

  /** The segment from a cut (null = input) to the planned cut (null = outputs). */
  acquire(from: FoundCut | null, to: PlannedCut | null): Segment<T> {
    const key = keyOf(from, to);
    const segment = this.segments.get(key) ?? this.build(key, from, to);
    this.segments.set(key, segment);
    segment.uses += 1;
    return segment;
  }

  release(segment: Segment<T>): void {
    segment.uses -= 1;
    if (segment.uses > 0) return;
    this.segments.delete(segment.key);
    segment.built.release();
  }

  private build(key: string, from: FoundCut | null, to: PlannedCut | null): Segment<T> {
    const { search } = this.opened;
    const cut = search.cuts.find(({ tensor }) => tensor === to?.tensor);
    const end: SegmentEnd | null = cut === undefined ? null : { cut, pools: poolsOf(to) };
    return {
      key,
      built: this.runtime.build(from, end),
      output: to?.tensor ?? null,
      uses: 0,
    };
  }
}

function keyOf(from: FoundCut | null, to: PlannedCut | null): string {
  return JSON.stringify([from?.tensor ?? null, to?.tensor ?? null, poolsOf(to)]);
}

function poolsOf(planned: PlannedCut | null): readonly PoolSize[] {
  if (planned === null) return [];
  const wanted = new Set(planned.heads.map(({ pool }) => pool));
  if (planned.samplePool !== null) wanted.add(planned.samplePool);
  return [...wanted].sort((a, b) => a - b);
}
