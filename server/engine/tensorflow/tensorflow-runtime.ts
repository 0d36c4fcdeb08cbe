// Segments are cut out of the one graph, one session each; their values stay with TensorFlow from one to the next.
import type { BundleHead, PoolSize } from '../../../crds/wire/head-bundle.ts';
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import { InvariantError } from '../../core/invariant.ts';
import type {
  BuiltSegment,
  EngineRuntime,
  OpenedBackbone,
  RuntimeHead,
  SegmentEnd,
  SegmentRun,
} from '../backbone/runtime.ts';
import type { Device } from '../config.ts';
import { noCard } from '../no-card.ts';
import type { ModelSource } from '../segment-engine.ts';
import { loadAddon, type Addon, type AddonTensor } from './addon.ts';
import { cutGraph, SEGMENT_INPUT } from './cut-graph.ts';
import { DataType, integers, placeholder, typeAttr, type NodeDef } from './node-def.ts';
import { openModel, type OpenedTensorFlowModel } from './open-model.ts';
import { pooledName, poolNodes } from './pool-nodes.ts';
import { takeFloats, TensorFlowSession, uploadFloats, type TensorFlowValue } from './session.ts';
import { HeadSessions, TensorFlowHead } from './tensorflow-head.ts';

interface Loaded {
  readonly addon: Addon;
  readonly model: OpenedTensorFlowModel;
  readonly heads: HeadSessions;
  readonly rowPicker: TensorFlowSession;
}

export class TensorFlowRuntime implements EngineRuntime<TensorFlowValue> {
  readonly resumes = true;
  readonly warmRows = [1, 2, 8];
  private readonly folder: string;
  private readonly device: Device;
  private loaded: Loaded | null = null;

  /** @param folder of the installed engine. @param device that it must use: TensorFlow itself goes on without a card. */
  constructor(folder: string, device: Device) {
    this.folder = folder;
    this.device = device;
  }

  async open(source: ModelSource): Promise<OpenedBackbone> {
    const addon = loadAddon(this.folder);
    if (this.device === 'gpu' && !addon.isUsingGpuDevice()) {
      throw noCard('TensorFlow', 'it placed nothing on one');
    }
    const model = await openModel(addon, source);
    this.close();
    this.loaded = {
      addon,
      model,
      heads: new HeadSessions(addon),
      rowPicker: new TensorFlowSession(addon, ROW_PICKER, {
        inputs: ['values', 'rows'],
        outputs: ['kept'],
      }),
    };
    return model;
  }

  build(from: FoundCut | null, to: SegmentEnd | null): BuiltSegment<TensorFlowValue> {
    const { addon, model } = this.own();
    const { graph } = model.frozen;
    const start =
      from === null
        ? { tensor: graph.input.tensor, rowDims: model.input.rowDims }
        : { tensor: from.tensor, rowDims: from.rowDims };
    const ends = to === null ? graph.outputs.map(({ name }) => name) : [to.cut.tensor];
    const pools = to?.pools ?? [];
    const nodes = [
      ...cutGraph(model, start, ends),
      ...(to === null ? [] : pools.flatMap((pool) => poolNodes(to.cut, pool))),
    ];
    const outputs = [...ends, ...pools.map(pooledName)];
    const session = new TensorFlowSession(addon, nodes, { inputs: [SEGMENT_INPUT], outputs });
    return new TensorFlowSegment(addon, session, pools);
  }

  upload(values: Float32Array, rows: number): TensorFlowValue {
    const { addon, model } = this.own();
    return uploadFloats(addon, values, [rows, ...model.input.rowDims]);
  }

  compact(value: TensorFlowValue, _: number, keepRows: readonly number[]): TensorFlowValue {
    const { addon, rowPicker } = this.own();
    const rows = addon.createTensor([keepRows.length], DataType.int32, Int32Array.from(keepRows));
    try {
      return toValue(rowPicker.run([value.id, rows])[0]);
    } finally {
      addon.deleteTensor(rows);
      addon.deleteTensor(value.id);
    }
  }

  free({ id }: TensorFlowValue): void {
    this.own().addon.deleteTensor(id);
  }

  head(head: BundleHead, classCount: number): RuntimeHead {
    const { addon, heads } = this.own();
    return new TensorFlowHead(addon, heads, head, classCount);
  }

  close(): void {
    this.loaded?.heads.release();
    this.loaded?.rowPicker.release();
    this.loaded = null;
  }

  private own(): Loaded {
    if (this.loaded === null) throw new InvariantError('no model is open');
    return this.loaded;
  }
}

const ROW_PICKER: readonly NodeDef[] = [
  placeholder('values', null),
  placeholder('rows', null, DataType.int32),
  integers('axis', [0], []),
  {
    name: 'kept',
    op: 'GatherV2',
    inputs: ['values', 'rows', 'axis'],
    attributes: {
      Tparams: typeAttr(DataType.float),
      Tindices: typeAttr(DataType.int32),
      Taxis: typeAttr(DataType.int32),
    },
  },
];

class TensorFlowSegment implements BuiltSegment<TensorFlowValue> {
  private readonly addon: Addon;
  private readonly session: TensorFlowSession;
  private readonly pools: readonly PoolSize[];

  constructor(addon: Addon, session: TensorFlowSession, pools: readonly PoolSize[]) {
    this.addon = addon;
    this.session = session;
    this.pools = pools;
  }

  run({ id }: TensorFlowValue): SegmentRun<TensorFlowValue> {
    const [value, ...features] = this.session.run([id]);
    const pooled = new Map<PoolSize, Float32Array>();
    for (const [index, tensor] of features.entries()) {
      const pool = this.pools[index];
      if (pool !== undefined) pooled.set(pool, takeFloats(this.addon, tensor));
    }
    return { value: toValue(value), pooled };
  }

  finish({ id }: TensorFlowValue): readonly Float32Array[] {
    return this.session.run([id]).map((output) => takeFloats(this.addon, output));
  }

  release(): void {
    this.session.release();
  }
}

function toValue(tensor: AddonTensor | undefined): TensorFlowValue {
  if (tensor === undefined) throw new InvariantError('a session gave nothing');
  return { id: tensor.id, dims: tensor.shape };
}
