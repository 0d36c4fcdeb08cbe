// Segments are cut out of the one ONNX graph, one session each; heads are sessions of their own.
import type { BundleHead, PoolSize } from '../../../crds/wire/head-bundle.ts';
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import { InvariantError } from '../../core/invariant.ts';
import { anyValue, floatValue } from '../../core/onnx/build-model.ts';
import { cutSegment } from '../../core/onnx/cut-segment.ts';
import { NO_TAIL, pooledName, poolTail } from '../../core/onnx/head-graph.ts';
import type {
  BuiltSegment,
  EngineRuntime,
  OpenedBackbone,
  RuntimeHead,
  SegmentEnd,
  SegmentRun,
} from '../backbone/runtime.ts';
import type { ModelSource } from '../segment-engine.ts';
import { deviceOfProcess, type Device } from '../config.ts';
import { freeMemory } from '../free-memory.ts';
import { openModel } from './open-model.ts';
import { inputValue, wholeModel, type OpenedModel } from './opened-model.ts';
import { OnnxHead } from './prepared-head.ts';
import {
  floatsOf,
  floatTensorOf,
  numbersOf,
  RuntimeSession,
  type RuntimeTensor,
} from './session.ts';

export interface OnnxValue {
  readonly tensor: RuntimeTensor;
  /** Memory that is freed after use; null: the caller's, or not numbers. */
  readonly memory: Float32Array | null;
}

export class OnnxRuntime implements EngineRuntime<OnnxValue> {
  readonly resumes = true;
  readonly warmRows = [1, 2, 8];
  private readonly threads: number;
  private readonly device: Device;
  private opened: OpenedModel | null = null;

  /**
   * @param threads of one pass through the backbone
   * @param device @defaultValue what the process runs models on
   */
  constructor(threads = 1, device: Device = deviceOfProcess()) {
    this.threads = threads;
    this.device = device;
  }

  async open(source: ModelSource): Promise<OpenedBackbone> {
    this.opened = await openModel(source);
    return this.opened;
  }

  build(from: FoundCut | null, to: SegmentEnd | null): BuiltSegment<OnnxValue> {
    const { input, outputTensors } = this.model();
    const session = new RuntimeSession(this.encode(from, to), {
      threads: this.threads,
      device: this.device,
    });
    return new OnnxSegment(session, {
      input: from?.tensor ?? input.name,
      output: to?.cut.tensor ?? null,
      outputs: outputTensors,
    });
  }

  upload(values: Float32Array, rows: number): OnnxValue {
    return { tensor: floatTensorOf(values, [rows, ...this.model().input.rowDims]), memory: null };
  }

  compact({ tensor, memory }: OnnxValue, rows: number, keepRows: readonly number[]): OnnxValue {
    const values = floatsOf(tensor);
    if (values === null) throw new InvariantError('only float32 activations are compacted');
    const size = values.length / rows;
    // In place: rows ascend, so a row never lands on one that is still to be read.
    for (const [target, row] of keepRows.entries()) {
      if (target !== row) values.copyWithin(target * size, row * size, (row + 1) * size);
    }
    const kept = values.subarray(0, keepRows.length * size);
    return { tensor: floatTensorOf(kept, [keepRows.length, ...tensor.dims.slice(1)]), memory };
  }

  free({ memory }: OnnxValue): void {
    if (memory !== null) freeMemory(memory);
  }

  head(head: BundleHead, classCount: number): RuntimeHead {
    return new OnnxHead(head, classCount);
  }

  close(): void {
    this.opened = null;
  }

  private model(): OpenedModel {
    if (this.opened === null) throw new InvariantError('no model is open');
    return this.opened;
  }

  private encode(from: FoundCut | null, to: SegmentEnd | null): Uint8Array {
    const opened = this.model();
    const { model, flow, shapes, input, outputTensors } = opened;
    if (from === null && to === null) return wholeModel(opened, outputTensors);
    const start = from === null ? input : { name: from.tensor, rowDims: from.rowDims };
    return cutSegment(model, flow, shapes, {
      input: inputValue(start.name, start.rowDims),
      outputs:
        to === null
          ? outputTensors.map(anyValue)
          : [floatValue(to.cut.tensor, ['rows', ...to.cut.rowDims])],
      tail:
        to === null
          ? NO_TAIL
          : poolTail({ tensor: to.cut.tensor, rowDims: to.cut.rowDims, pools: to.pools }),
    });
  }
}

class OnnxSegment implements BuiltSegment<OnnxValue> {
  private readonly session: RuntimeSession;
  private readonly names: {
    readonly input: string;
    readonly output: string | null;
    readonly outputs: readonly string[];
  };

  constructor(session: RuntimeSession, names: OnnxSegment['names']) {
    this.session = session;
    this.names = names;
  }

  run({ tensor }: OnnxValue, pools: readonly PoolSize[]): SegmentRun<OnnxValue> {
    const found = this.session.run({ [this.names.input]: tensor });
    const output = found[this.names.output ?? ''];
    if (output === undefined) throw new InvariantError(`${this.names.output ?? ''} did not come`);
    const pooled = new Map<PoolSize, Float32Array>();
    for (const pool of pools) {
      const features = floatsOf(found[pooledName(pool)]);
      if (features !== null) pooled.set(pool, features);
    }
    return { value: { tensor: output, memory: floatsOf(output) }, pooled };
  }

  finish({ tensor }: OnnxValue): readonly Float32Array[] {
    const found = this.session.run({ [this.names.input]: tensor });
    return this.names.outputs.map((name) => numbersOf(found[name]));
  }

  release(): void {
    this.session.release();
  }
}
