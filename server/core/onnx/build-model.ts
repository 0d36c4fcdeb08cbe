// Writes ONNX models. Field numbers: onnx.proto of ONNX 1.17 (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto).
import {
  concatBytes,
  floatField,
  intField,
  messageField,
  bytesField,
  textField,
  varint,
} from './wire-write.ts';

/** TensorProto.DataType of the types that models here use. */
export const OnnxType = { float: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const;
export type OnnxTypeName = keyof typeof OnnxType;

/** A named constant: little-endian raw data. */
export interface TensorLiteral {
  readonly name: string;
  readonly type: OnnxTypeName;
  readonly dims: readonly number[];
  readonly raw: Uint8Array;
}

/** Exactly one key says the attribute's type. */
export type AttributeLiteral =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly text: string }
  | { readonly tensor: TensorLiteral };

export interface NodeLiteral {
  readonly op: string;
  /** '' leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeLiteral>>;
  readonly name: string;
}

/** A graph input or output. A string dimension is a symbol; no dims at all = unknown rank; no type: the runtime infers it. */
export interface ValueLiteral {
  readonly name: string;
  readonly type: OnnxTypeName | null;
  readonly dims: readonly (number | string)[] | null;
}

export interface ModelLiteral {
  readonly nodes: readonly NodeLiteral[];
  readonly inputs: readonly ValueLiteral[];
  readonly outputs: readonly ValueLiteral[];
  readonly initializers: readonly TensorLiteral[];
  /** @defaultValue 17 */
  readonly opset?: number;
}

/** A float32 constant. @param values row-major, as many as the product of dims (not checked: the runtime does). */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
): TensorLiteral {
  const raw = new Uint8Array(values.length * 4);
  const view = new DataView(raw.buffer);
  Float32Array.from(values).forEach((value, index) => {
    view.setFloat32(index * 4, value, true);
  });
  return { name, type: 'float', dims, raw };
}

/** An int64 constant; values are safe integers. */
export function int64Tensor(
  name: string,
  dims: readonly number[],
  values: readonly number[],
): TensorLiteral {
  const raw = new Uint8Array(values.length * 8);
  const view = new DataView(raw.buffer);
  for (const [index, value] of values.entries()) view.setBigInt64(index * 8, BigInt(value), true);
  return { name, type: 'int64', dims, raw };
}

/** A node of the standard operator set, named after its first output. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeLiteral>> = {},
): NodeLiteral {
  return { op, inputs, outputs, attributes, name: `${op}:${outputs.join(',')}` };
}

/** A float32 graph input or output. */
export function floatValue(name: string, dims: readonly (number | string)[] | null): ValueLiteral {
  return { name, type: 'float', dims };
}

/** A graph output of whatever type and shape the runtime finds. */
export function anyValue(name: string): ValueLiteral {
  return { name, type: null, dims: null };
}

/** One whole ONNX file. Nodes must be in topological order (not checked: the runtime does). */
export function buildModel(model: ModelLiteral): Uint8Array {
  return concatBytes([
    intField(1, 8),
    textField(2, 'layercache'),
    messageField(7, [
      ...model.nodes.map(encodeNodeField),
      textField(2, 'graph'),
      ...model.initializers.map((tensor) => messageField(5, encodeTensor(tensor))),
      ...model.inputs.map((value) => encodeValueField(11, value)),
      ...model.outputs.map((value) => encodeValueField(12, value)),
    ]),
    messageField(8, [textField(1, ''), intField(2, model.opset ?? 17)]),
  ]);
}

/** GraphProto.node entry, tag and length included. */
export function encodeNodeField(literal: NodeLiteral): Uint8Array {
  return messageField(1, [
    ...literal.inputs.map((name) => textField(1, name)),
    ...literal.outputs.map((name) => textField(2, name)),
    textField(3, literal.name),
    textField(4, literal.op),
    ...Object.entries(literal.attributes).map(([name, value]) =>
      messageField(5, encodeAttribute(name, value)),
    ),
  ]);
}

/** GraphProto.initializer entry, tag and length included. */
export function encodeInitializerField(tensor: TensorLiteral): Uint8Array {
  return messageField(5, encodeTensor(tensor));
}

/** GraphProto.input (11) or output (12) entry, tag and length included. */
export function encodeValueField(field: 11 | 12, value: ValueLiteral): Uint8Array {
  if (value.type === null) return messageField(field, [textField(1, value.name)]);
  const shape =
    value.dims === null
      ? []
      : [
          messageField(
            2,
            value.dims.map((dim) =>
              messageField(1, [typeof dim === 'string' ? textField(2, dim) : intField(1, dim)]),
            ),
          ),
        ];
  return messageField(field, [
    textField(1, value.name),
    messageField(2, [messageField(1, [intField(1, OnnxType[value.type]), ...shape])]),
  ]);
}

function encodeTensor(tensor: TensorLiteral): readonly Uint8Array[] {
  return [
    ...tensor.dims.map((dim) => intField(1, dim)),
    intField(2, OnnxType[tensor.type]),
    textField(8, tensor.name),
    bytesField(9, tensor.raw),
  ];
}

function encodeAttribute(name: string, value: AttributeLiteral): readonly Uint8Array[] {
  const [payload, type] = encodeAttributeValue(value);
  return [textField(1, name), ...payload, intField(20, type)];
}

function encodeAttributeValue(value: AttributeLiteral): [readonly Uint8Array[], number] {
  if ('int' in value) return [[intField(3, value.int)], 2];
  if ('ints' in value) return [[bytesField(8, concatBytes(value.ints.map(varint)))], 7];
  if ('float' in value) return [[floatField(2, value.float)], 1];
  if ('floats' in value) {
    return [[bytesField(7, floatTensor('', [], value.floats).raw)], 6];
  }
  if ('text' in value) return [[textField(4, value.text)], 3];
  return [[messageField(5, encodeTensor(value.tensor))], 4];
}
