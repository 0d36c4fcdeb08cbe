// Nodes of a TensorFlow graph, and a frozen graph of them as the SavedModel that a session is loaded from. Field numbers:
// graph.proto, node_def.proto, attr_value.proto, tensor.proto, meta_graph.proto and saved_model.proto of TensorFlow 2.19.
import {
  bytesField,
  concatBytes,
  floatField,
  intField,
  messageField,
  textField,
} from '../../core/onnx/wire-write.ts';

/** DataType of types.proto. */
export const DataType = { float: 1, int32: 3, bool: 10, int64: 9 } as const;

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  /** Encoded AttrValue messages by name. */
  readonly attributes: Readonly<Record<string, Uint8Array>>;
}

export interface ConstantDef {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

export const typeAttr = (type: number): Uint8Array => intField(6, type);
export const intAttr = (value: number): Uint8Array => intField(3, value);
export const floatAttr = (value: number): Uint8Array => floatField(4, value);
export const boolAttr = (value: boolean): Uint8Array => intField(5, Number(value));
export const textAttr = (text: string): Uint8Array => textField(2, text);
export const intsAttr = (values: readonly number[]): Uint8Array =>
  messageField(
    1,
    values.map((value) => intField(3, value)),
  );
export const shapeAttr = (dims: readonly number[]): Uint8Array => messageField(7, shapeParts(dims));

/** Of a TensorShapeProto. */
export function shapeParts(dims: readonly number[]): readonly Uint8Array[] {
  return dims.map((size) => messageField(2, [intField(1, size)]));
}

const FLOAT = { T: typeAttr(DataType.float) };

/** A node on float32. */
export function node(
  op: string,
  name: string,
  inputs: readonly string[],
  attributes: NodeDef['attributes'] = {},
): NodeDef {
  return { name, op, inputs, attributes: { ...FLOAT, ...attributes } };
}

/** @param rowDims null: of any shape. The number of rows is free. */
export function placeholder(
  name: string,
  rowDims: readonly number[] | null,
  type: number = DataType.float,
): NodeDef {
  const shape = rowDims === null ? {} : { shape: shapeAttr([-1, ...rowDims]) };
  return { name, op: 'Placeholder', inputs: [], attributes: { dtype: typeAttr(type), ...shape } };
}

export function constant({ name, type, dims, bytes }: ConstantDef): NodeDef {
  const tensor = [intField(1, type), messageField(2, shapeParts(dims)), bytesField(4, bytes)];
  const attributes = { dtype: typeAttr(type), value: messageField(8, tensor) };
  return { name, op: 'Const', inputs: [], attributes };
}

export function integers(name: string, values: readonly number[], dims = [values.length]): NodeDef {
  return constant({
    name,
    type: DataType.int32,
    dims,
    bytes: new Uint8Array(Int32Array.from(values).buffer),
  });
}

/** Of a graph that every 2.x runtime reads as its own. */
const PRODUCER = 1286;

/** saved_model.pb of a graph without variables, under the tag `serve`. */
export function savedModel(nodes: readonly NodeDef[]): Uint8Array {
  const graph = [...nodes.map((each) => messageField(1, nodeParts(each))), versions()];
  return concatBytes([
    intField(1, 1),
    messageField(2, [messageField(1, [textField(4, SERVE)]), messageField(2, graph)]),
  ]);
}

export const SERVE = 'serve';

function versions(): Uint8Array {
  return messageField(4, [intField(1, PRODUCER)]);
}

function nodeParts({ name, op, inputs, attributes }: NodeDef): readonly Uint8Array[] {
  return [
    textField(1, name),
    textField(2, op),
    ...inputs.map((input) => textField(3, input)),
    ...Object.entries(attributes).map(([key, value]) =>
      messageField(5, [textField(1, key), bytesField(2, value)]),
    ),
  ];
}
