// Attributes of model.json (protobuf as JSON) -> encoded AttrValue messages.
import { bytesField, messageField } from '../../core/onnx/wire-write.ts';
import { listOf, membersOf } from '../../core/tfjs/json-members.ts';
import { boolAttr, floatAttr, intAttr, shapeAttr, typeAttr } from './node-def.ts';

/** types.proto, as far as graphs of TensorFlow.js go. */
const TYPES: Readonly<Record<string, number>> = {
  DT_FLOAT: 1,
  DT_DOUBLE: 2,
  DT_INT32: 3,
  DT_UINT8: 4,
  DT_INT16: 5,
  DT_INT8: 6,
  DT_STRING: 7,
  DT_COMPLEX64: 8,
  DT_INT64: 9,
  DT_BOOL: 10,
  DT_BFLOAT16: 14,
  DT_HALF: 19,
  DT_RESOURCE: 20,
};

type Encoder = (value: unknown) => Uint8Array | null;

const ENCODERS: Readonly<Record<string, Encoder>> = {
  s: (value) => bytesField(2, bytesOf(value)),
  i: (value) => intAttr(Number(value)),
  f: (value) => floatAttr(Number(value)),
  b: (value) => boolAttr(value === true),
  type: (value) => typeAttr(typeNumber(value)),
  shape: encodeShape,
  list: encodeList,
};

/** Null: of a kind that no graph here needs, such as a function or a tensor. */
export function encodeAttribute(attribute: unknown): Uint8Array | null {
  const [[kind, value] = ['', null]] = Object.entries(membersOf(attribute));
  return ENCODERS[kind]?.(value) ?? null;
}

/** The texts of a list, such as `fused_ops`. */
export function textsOf(attribute: unknown): readonly string[] {
  const { s } = membersOf(membersOf(attribute).list);
  return listOf(s).map((text) => Buffer.from(bytesOf(text)).toString('utf8'));
}

export function typeNumber(type: unknown): number {
  return typeof type === 'number' ? type : (TYPES[String(type)] ?? 0);
}

/** An absent dimension size is 0, as everywhere in protobuf's JSON. */
function encodeShape(shape: unknown): Uint8Array | null {
  const { dim, unknownRank } = membersOf(shape);
  if (unknownRank === true) return null;
  return shapeAttr(listOf(dim).map((each) => Number(membersOf(each).size ?? 0)));
}

/** A list's members have the field numbers of single values. */
function encodeList(list: unknown): Uint8Array {
  const parts = Object.entries(membersOf(list)).flatMap(([kind, values]) =>
    listOf(values).map((value) => ENCODERS[kind]?.(value) ?? new Uint8Array(0)),
  );
  return messageField(1, parts);
}

/** Bytes are base64 text. */
function bytesOf(value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(typeof value === 'string' ? value : '', 'base64'));
}
