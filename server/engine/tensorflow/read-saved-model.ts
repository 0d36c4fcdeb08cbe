// Reads saved_model.pb: the graph under the tag `serve` and what its signature calls the ends. Field numbers as in node-def.ts.
import { decodeUtf8 } from '../../core/onnx/utf8.ts';
import { MalformedModelError, walkFields, type WireField } from '../../core/onnx/wire-read.ts';
import { SERVE, type NodeDef } from './node-def.ts';

export interface SavedModelGraph {
  /** In the form of model.json, as far as `readGraph` looks. */
  readonly topology: { readonly node: readonly object[] };
  readonly signature: object;
  readonly nodes: readonly NodeDef[];
  /** Shapes of constants. */
  readonly dims: ReadonlyMap<string, readonly number[]>;
}

/** Null: the bytes are no SavedModel with a graph to serve. */
export function readSavedModel(bytes: Uint8Array): SavedModelGraph | null {
  try {
    const meta = new Message(bytes).messages(2).find((one) => tagsOf(one).includes(SERVE));
    const graph = meta?.message(2) ?? null;
    return meta === undefined || graph === null ? null : toGraph(graph, signatureOf(meta));
  } catch (error) {
    if (error instanceof MalformedModelError || error instanceof RangeError) return null;
    throw error;
  }
}

function toGraph(graph: Message, signature: object): SavedModelGraph {
  const read = graph.messages(1).map(readNode);
  return {
    topology: { node: read.map(({ raw }) => raw) },
    signature,
    nodes: read.map(({ definition }) => definition),
    dims: new Map(read.map(({ definition, dims }) => [definition.name, dims])),
  };
}

function readNode(node: Message): {
  readonly raw: object;
  readonly definition: NodeDef;
  readonly dims: readonly number[];
} {
  const [name, op, input] = [node.text(1), node.text(2), node.texts(3)];
  const entries = node.messages(5).map((entry) => [entry.text(1), entry.bytes(2)] as const);
  const attributes = Object.fromEntries(entries.filter(([key]) => !key.startsWith('_')));
  const of = (key: string): Message => new Message(attributes[key] ?? new Uint8Array(0));
  const shape = of('shape').message(7);
  return {
    raw: {
      name,
      op,
      input,
      attr: {
        dtype: { type: of('dtype').number(6) },
        ...(shape === null ? {} : { shape: { shape: shapeOf(shape) } }),
      },
    },
    definition: { name, op, inputs: input.filter((each) => !each.startsWith('^')), attributes },
    dims: (of('value').message(8)?.message(2)?.messages(2) ?? []).map((dim) => dim.number(1)),
  };
}

function tagsOf(meta: Message): readonly string[] {
  return meta.message(1)?.texts(4) ?? [];
}

/** The one that Keras and the converters write, or the first that is not for loading. */
function signatureOf(meta: Message): object {
  const all = meta.messages(5).filter((entry) => !entry.text(1).startsWith('__saved_model'));
  const chosen = all.find((entry) => entry.text(1) === 'serving_default') ?? all[0];
  const ends = (field: number): object =>
    Object.fromEntries(
      (chosen?.message(2)?.messages(field) ?? []).map((entry) => [
        entry.text(1),
        toEnd(entry.message(2)),
      ]),
    );
  return { inputs: ends(1), outputs: ends(2) };
}

function toEnd(end: Message | null): object {
  const shape = end?.message(3) ?? null;
  return {
    name: end?.text(1),
    dtype: end?.number(2),
    ...(shape === null ? {} : { tensorShape: shapeOf(shape) }),
  };
}

/** Without dimensions when the rank is unknown. */
function shapeOf(shape: Message): object {
  if (shape.number(3) === 1) return {};
  return { dim: shape.messages(2).map((dim) => ({ size: dim.number(1) })) };
}

/** A protobuf message by field numbers; absent ones are empty. */
class Message {
  private readonly source: Uint8Array;
  private readonly fields: readonly WireField[];

  constructor(source: Uint8Array) {
    this.source = source;
    this.fields = walkFields(
      new DataView(source.buffer, source.byteOffset, source.byteLength),
      0,
      source.length,
    );
  }

  messages(field: number): readonly Message[] {
    return this.all(field).map((bytes) => new Message(bytes));
  }

  message(field: number): Message | null {
    return this.messages(field).at(-1) ?? null;
  }

  texts(field: number): readonly string[] {
    return this.all(field).map(decodeUtf8);
  }

  text(field: number): string {
    return this.texts(field).at(-1) ?? '';
  }

  bytes(field: number): Uint8Array {
    return this.all(field).at(-1) ?? new Uint8Array(0);
  }

  number(field: number): number {
    return this.fields.findLast((one) => one.field === field)?.value ?? 0;
  }

  private all(field: number): readonly Uint8Array[] {
    return this.fields
      .filter((one) => one.field === field)
      .map(({ start, end }) => this.source.subarray(start, end));
  }
}
