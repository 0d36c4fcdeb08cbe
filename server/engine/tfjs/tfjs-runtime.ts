// Segments run by feeding a cut's tensor into the loaded graph. Every tensor has one owner, and is disposed of by hand: scopes
// that outlive a call would end another batch's tensors.
import { avgPool, tensor, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { BundleHead, PoolSize } from '../../../crds/wire/head-bundle.ts';
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import { InvariantError } from '../../core/invariant.ts';
import { poolActivation } from '../../core/pool.ts';
import type {
  BuiltSegment,
  EngineRuntime,
  OpenedBackbone,
  RuntimeHead,
  SegmentEnd,
  SegmentRun,
} from '../backbone/runtime.ts';
import type { ModelSource } from '../segment-engine.ts';
import { startBackend, type BackendName } from './backend.ts';
import { openModel, type OpenedTfjsModel } from './open-model.ts';
import { TfjsHead } from './tfjs-head.ts';

export class TfjsRuntime implements EngineRuntime<Tensor> {
  /** Weights are packed in the first run, whatever its size. */
  readonly resumes = true;
  readonly warmRows = [1];
  private readonly backend: BackendName;
  private opened: OpenedTfjsModel | null = null;

  constructor(backend: BackendName) {
    this.backend = backend;
  }

  async open(source: ModelSource): Promise<OpenedBackbone> {
    await startBackend(this.backend);
    this.opened = await openModel(source);
    return this.opened;
  }

  build(from: FoundCut | null, to: SegmentEnd | null): BuiltSegment<Tensor> {
    return new TfjsSegment(this.model(), from, to);
  }

  upload(values: Float32Array, rows: number): Tensor {
    return tensor(values, [rows, ...this.model().input.rowDims]);
  }

  /** By way of the host: the backend's own gather takes twenty times as long (measured). */
  compact(value: Tensor, rows: number, keepRows: readonly number[]): Tensor {
    const values = value.dataSync<'float32'>();
    const size = values.length / rows;
    for (const [target, row] of keepRows.entries()) {
      if (target !== row) values.copyWithin(target * size, row * size, (row + 1) * size);
    }
    const kept = tensor(values.slice(0, keepRows.length * size), [
      keepRows.length,
      ...value.shape.slice(1),
    ]);
    value.dispose();
    return kept;
  }

  free(value: Tensor): void {
    value.dispose();
  }

  head(head: BundleHead, classCount: number): RuntimeHead {
    return new TfjsHead(head, classCount);
  }

  close(): void {
    this.opened?.program.dispose();
    this.opened = null;
  }

  private model(): OpenedTfjsModel {
    if (this.opened === null) throw new InvariantError('no model is open');
    return this.opened;
  }
}

class TfjsSegment implements BuiltSegment<Tensor> {
  private readonly opened: OpenedTfjsModel;
  private readonly from: FoundCut | null;
  private readonly to: SegmentEnd | null;

  constructor(opened: OpenedTfjsModel, from: FoundCut | null, to: SegmentEnd | null) {
    this.opened = opened;
    this.from = from;
    this.to = to;
  }

  run(input: Tensor, pools: readonly PoolSize[]): SegmentRun<Tensor> {
    if (this.to === null) throw new InvariantError('the last segment is run by finish()');
    const { cut } = this.to;
    const [value] = this.execute(input, [cut.tensor]);
    if (value === undefined) throw new InvariantError(`${cut.tensor} did not come out`);
    return {
      value,
      pooled: new Map(pools.map((pool) => [pool, pooledFeatures(value, cut, pool)])),
    };
  }

  finish(input: Tensor): readonly Float32Array[] {
    const { graph } = this.opened.program;
    const found = this.execute(
      input,
      graph.outputs.map(({ name }) => name),
    );
    return found.map((output) => {
      const values = Float32Array.from(output.dataSync());
      output.dispose();
      return values;
    });
  }

  release(): void {
    // The graph is the model's, and goes with it.
  }

  private execute(input: Tensor, wanted: readonly string[]): readonly Tensor[] {
    const { program, input: spec, shapeFeeds } = this.opened;
    const start = this.from?.tensor ?? program.graph.input.tensor;
    const rows = rowsOf(input);
    const dims = this.from?.rowDims ?? spec.rowDims;
    // The executor takes any shape for a tensor inside the graph, and would answer nonsense.
    if (dims.some((dim, axis) => dim !== input.shape[axis + 1])) {
      throw new InvariantError(`${start} has shape [${input.shape.join(', ')}]`);
    }
    const shapes = this.from === null ? {} : shapeFeeds(this.from, rows);
    try {
      return program.run({ ...shapes, [start]: input }, wanted);
    } finally {
      for (const shape of Object.values(shapes)) shape.dispose();
    }
  }
}

/** [rows, pool * pool * channels]; by the backend's own kernel where all cells are equal, else by the definition on the host. */
function pooledFeatures(value: Tensor, cut: FoundCut, pool: PoolSize): Float32Array {
  const { height, width, channels, rowDims } = cut;
  const rows = rowsOf(value);
  if (rowDims.length === 3 && height % pool === 0 && width % pool === 0) {
    const cell: [number, number] = [height / pool, width / pool];
    const pooled = avgPool(value as Tensor4D, cell, cell, 'valid');
    const features = pooled.dataSync<'float32'>();
    pooled.dispose();
    return features;
  }
  const values = value.dataSync<'float32'>();
  return poolActivation(values, { rows, height, width, channels, layout: 'NHWC' }, pool);
}

function rowsOf({ shape: [rows = 0] }: { readonly shape: readonly number[] }): number {
  return rows;
}
