// Reads of an ONNX file what cutting needs: names, operators, byte ranges. Field numbers: onnx.proto of ONNX 1.17.
import type { Result } from '../../../crds/wire/result.ts';
import { decodeUtf8 } from './utf8.ts';
import { MalformedModelError, readPacked, walkFields, type WireField } from './wire-read.ts';

/** Bytes from..end of the file: the whole field with its tag, so that a copy of the range is a field of the new file. */
export interface ByteRange {
  readonly from: number;
  readonly end: number;
}

export interface OnnxNode extends ByteRange {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  /** '' = optional input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of the outer graph that sub-graphs of this node (If, Loop, Scan bodies) use. */
  readonly captured: readonly string[];
  readonly hasSubgraph: boolean;
  /** Integer attributes by name. */
  readonly ints: ReadonlyMap<string, number>;
}

export interface OnnxInitializer extends ByteRange {
  readonly name: string;
  readonly dims: readonly number[];
  /** Data lies in another file. */
  readonly external: boolean;
}

export interface OnnxValue {
  readonly name: string;
  /** TensorProto.DataType; 0 = unknown or not a tensor. */
  readonly type: number;
  /** Symbolic and unknown dimensions are -1; null = unknown rank. */
  readonly dims: readonly number[] | null;
}

export interface OnnxModel {
  readonly bytes: Uint8Array;
  readonly irVersion: number;
  readonly opsets: readonly (ByteRange & { readonly domain: string; readonly version: number })[];
  /** Model-local functions and sparse initialisers: not cut. */
  readonly functionCount: number;
  readonly sparseCount: number;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  /** Inputs that are not initialisers. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** @param bytes the whole file. @returns ModelUnreadable when the wire format is broken or there is no graph. */
export function readModel(bytes: Uint8Array): Result<OnnxModel> {
  try {
    return { ok: true, value: new ModelReader(bytes).read() };
  } catch (error) {
    if (!(error instanceof MalformedModelError)) throw error;
    return {
      ok: false,
      code: 'ModelUnreadable',
      message: `not a readable ONNX file: ${error.message}`,
    };
  }
}

class ModelReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): OnnxModel {
    const fields = walkFields(this.view, 0, this.bytes.length);
    const graph = fields.find(({ field }) => field === 7);
    if (graph === undefined) throw new MalformedModelError('it holds no graph');
    const parts = this.children(graph);
    const initializers = only(parts, 5).map((field) => this.initializer(field));
    const constants = new Set(initializers.map(({ name }) => name));
    return {
      bytes: this.bytes,
      irVersion: lastValue(fields, 1),
      opsets: only(fields, 8).map((field) => this.opset(field)),
      functionCount: only(fields, 25).length,
      sparseCount: only(parts, 15).length,
      nodes: only(parts, 1).map((field) => this.node(field)),
      initializers,
      inputs: only(parts, 11)
        .map((field) => this.value(field))
        .filter(({ name }) => !constants.has(name)),
      outputs: only(parts, 12).map((field) => this.value(field)),
    };
  }

  private children(parent: WireField): readonly WireField[] {
    return walkFields(this.view, parent.start, parent.end);
  }

  private text(field: WireField): string {
    return decodeUtf8(this.bytes.subarray(field.start, field.end));
  }

  private texts(fields: readonly WireField[], number: number): readonly string[] {
    return only(fields, number).map((field) => this.text(field));
  }

  private lastText(fields: readonly WireField[], number: number): string {
    return this.texts(fields, number).join('');
  }

  private opset(field: WireField): OnnxModel['opsets'][number] {
    const parts = this.children(field);
    return {
      from: field.from,
      end: field.end,
      domain: this.lastText(parts, 1),
      version: lastValue(parts, 2),
    };
  }

  private node(field: WireField): OnnxNode {
    const parts = this.children(field);
    const attributes = only(parts, 5).map((attribute) => this.children(attribute));
    const bodies = attributes.flatMap((attribute) =>
      attribute.filter((part) => part.field === 6 || part.field === 11),
    );
    return {
      from: field.from,
      end: field.end,
      name: this.lastText(parts, 3),
      op: this.lastText(parts, 4),
      domain: this.lastText(parts, 7),
      inputs: this.texts(parts, 1),
      outputs: this.texts(parts, 2).filter((name) => name !== ''),
      captured: [...new Set(bodies.flatMap((body) => this.freeNames(body)))],
      hasSubgraph: bodies.length > 0,
      ints: new Map(
        attributes.flatMap((attribute) =>
          only(attribute, 3).map((part) => [this.lastText(attribute, 1), part.value] as const),
        ),
      ),
    };
  }

  /** Names that a sub-graph uses and does not define. */
  private freeNames(body: WireField): readonly string[] {
    const parts = this.children(body);
    const nodes = only(parts, 1).map((field) => this.node(field));
    const defined = new Set([
      ...only(parts, 5).map((field) => this.initializer(field).name),
      ...only(parts, 11).map((field) => this.value(field).name),
      ...nodes.flatMap(({ outputs }) => outputs),
    ]);
    const used = [
      ...nodes.flatMap(({ inputs, captured }) => [...inputs, ...captured]),
      ...only(parts, 12).map((field) => this.value(field).name),
    ];
    return used.filter((name) => name !== '' && !defined.has(name));
  }

  private initializer(field: WireField): OnnxInitializer {
    const parts = this.children(field);
    return {
      from: field.from,
      end: field.end,
      name: this.lastText(parts, 8),
      dims: this.dims(only(parts, 1)),
      external: only(parts, 13).length > 0 || lastValue(parts, 14) === 1,
    };
  }

  /** TensorProto.dims, packed or one by one. */
  private dims(fields: readonly WireField[]): readonly number[] {
    return fields.flatMap((field) =>
      this.view.getUint8(field.from) % 8 === 2
        ? readPacked(this.view, field.start, field.end)
        : [field.value],
    );
  }

  private value(field: WireField): OnnxValue {
    const parts = this.children(field);
    const tensor = only(parts, 2)
      .flatMap((type) => this.children(type))
      .filter((part) => part.field === 1)
      .flatMap((part) => this.children(part));
    const shape = only(tensor, 2);
    const dims = shape
      .flatMap((part) => this.children(part))
      .map((dim) => this.children(dim).find((part) => part.field === 1))
      .map((dim) => (dim === undefined ? -1 : dim.value));
    return {
      name: this.lastText(parts, 1),
      type: lastValue(tensor, 1),
      dims: shape.length === 0 ? null : dims,
    };
  }
}

function only(fields: readonly WireField[], number: number): readonly WireField[] {
  return fields.filter(({ field }) => field === number);
}

function lastValue(fields: readonly WireField[], number: number): number {
  return only(fields, number).reduce((_, { value }) => value, 0);
}
