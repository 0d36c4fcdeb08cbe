// Segments on a card. Activations would have to cross the bus twice at every cut, since onnxruntime-node hands them out on the host
// only: each segment starts at the model's input instead, and what stays on the way is the rows' input. A session whose number of rows
// changes searches its convolutions anew (0.1 to 0.5 s of ResNet-50), so each size has a session of its own and batches are padded.
import type { BundleHead, PoolSize } from '../../../crds/wire/head-bundle.ts';
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import { InvariantError } from '../../core/invariant.ts';
import { cutSegment } from '../../core/onnx/cut-segment.ts';
import { pooledName, poolTail } from '../../core/onnx/head-graph.ts';
import type {
  BuiltSegment,
  EngineRuntime,
  OpenedBackbone,
  RuntimeHead,
  SegmentEnd,
  SegmentRun,
} from '../backbone/runtime.ts';
import { joinParts, MEASURED_SIZES, partsOf } from '../batch-parts.ts';
import type { ModelSource } from '../segment-engine.ts';
import { CardHead } from './card-head.ts';
import { checkCard } from './check-card.ts';
import { openModel } from './open-model.ts';
import { inputValue, wholeModel, type OpenedModel } from './opened-model.ts';
import { floatTensorOf, numbersOf, RuntimeSession } from './session.ts';

/** Input of the rows that go on: [rows, ...rowDims] in host memory. */
type CardValue = Float32Array;

export class CardRuntime implements EngineRuntime<CardValue> {
  readonly resumes = false;
  readonly warmRows = MEASURED_SIZES;
  private readonly threads: number;
  /** By length: memory that batches are padded in, kept since new memory costs a fault at every page. */
  private readonly padded = new Map<number, Float32Array>();
  private opened: OpenedModel | null = null;

  /** @param threads of what runs on processors: operators without a kernel on the card */
  constructor(threads = 1) {
    this.threads = threads;
  }

  async open(source: ModelSource): Promise<OpenedBackbone> {
    checkCard();
    this.opened = await openModel(source);
    return this.opened;
  }

  build(from: FoundCut | null, to: SegmentEnd | null): BuiltSegment<CardValue> {
    if (from !== null) throw new InvariantError('segments on a card start at the input');
    const opened = this.model();
    const outputs = to === null ? opened.outputTensors : pooledAt(to).map(pooledName);
    const open = (rows: number): RuntimeSession =>
      new RuntimeSession(encode(opened, to, rows), { threads: this.threads });
    return new CardSegment({ open, input: opened.input, outputs, padded: this.padded });
  }

  upload(values: Float32Array): CardValue {
    return values;
  }

  compact(value: CardValue, rows: number, keepRows: readonly number[]): CardValue {
    const size = value.length / rows;
    const kept = new Float32Array(keepRows.length * size);
    for (const [target, row] of keepRows.entries()) {
      kept.set(value.subarray(row * size, (row + 1) * size), target * size);
    }
    return kept;
  }

  free(): void {
    // The caller's memory, or the collector's.
  }

  head(head: BundleHead, classCount: number): RuntimeHead {
    return new CardHead(head, classCount);
  }

  close(): void {
    this.opened = null;
    this.padded.clear();
  }

  private model(): OpenedModel {
    if (this.opened === null) throw new InvariantError('no model is open');
    return this.opened;
  }
}

/** A session has an output: the smallest features where none are wanted. */
function pooledAt({ pools }: SegmentEnd): readonly PoolSize[] {
  return pools.length === 0 ? [1] : pools;
}

/** From the input to features pooled at the cut, or to the outputs, for exactly so many rows. */
function encode(opened: OpenedModel, to: SegmentEnd | null, rows: number): Uint8Array {
  const { model, flow, shapes, input, outputTensors } = opened;
  if (to === null) return wholeModel(opened, outputTensors, rows);
  const { tensor, rowDims } = to.cut;
  return cutSegment(model, flow, shapes, {
    input: inputValue(input.name, input.rowDims, rows),
    ...{ outputs: [], read: tensor },
    tail: poolTail({ tensor, rowDims, pools: pooledAt(to) }),
  });
}

interface CardSegmentOptions {
  readonly open: (rows: number) => RuntimeSession;
  readonly input: OpenedModel['input'];
  readonly outputs: readonly string[];
  readonly padded: Map<number, Float32Array>;
}

class CardSegment implements BuiltSegment<CardValue> {
  private readonly options: CardSegmentOptions;
  private readonly sessions = new Map<number, RuntimeSession>();

  constructor(options: CardSegmentOptions) {
    this.options = options;
  }

  run(input: CardValue, pools: readonly PoolSize[]): SegmentRun<CardValue> {
    const { outputs } = this.options;
    const found = this.outputsOf(input);
    const features = (pool: PoolSize): Float32Array => {
      const place = outputs.indexOf(pooledName(pool));
      const values = found[place];
      if (values === undefined) throw new InvariantError(`${pooledName(pool)} did not come`);
      return values;
    };
    return { value: input, pooled: new Map(pools.map((pool) => [pool, features(pool)])) };
  }

  finish(input: CardValue): readonly Float32Array[] {
    return this.outputsOf(input);
  }

  release(): void {
    for (const session of this.sessions.values()) session.release();
    this.sessions.clear();
  }

  /** [output]: [rows, ...] of all rows. */
  private outputsOf(input: CardValue): readonly Float32Array[] {
    const { input: spec, outputs } = this.options;
    const rowSize = spec.rowDims.reduce((product, extent) => product * extent, 1);
    const parts = partsOf(input.length / rowSize, MEASURED_SIZES);
    const found = parts.map(({ from, rows, padded }) => {
      const values = input.subarray(from * rowSize, (from + rows) * rowSize);
      const feed = rows === padded ? values : this.pad(values, padded * rowSize);
      const tensor = floatTensorOf(feed, [padded, ...spec.rowDims]);
      const answer = this.sessionOf(padded).run({ [spec.name]: tensor });
      return outputs.map((name) => numbersOf(answer[name]));
    });
    return outputs.map((_, output) =>
      joinParts(
        parts,
        found.map((ofPart) => ofPart[output] ?? new Float32Array(0)),
      ),
    );
  }

  private pad(values: Float32Array, length: number): Float32Array {
    const { padded } = this.options;
    const memory = padded.get(length) ?? new Float32Array(length);
    padded.set(length, memory);
    memory.set(values);
    memory.fill(0, values.length);
    return memory;
  }

  private sessionOf(rows: number): RuntimeSession {
    const session = this.sessions.get(rows) ?? this.options.open(rows);
    this.sessions.set(rows, session);
    return session;
  }
}
