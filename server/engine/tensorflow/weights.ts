// Weights as model.json keeps them, perhaps made smaller -> the numbers that the graph's constants are.
import { fromHalf } from '../../../crds/wire/half-float.ts';
import { InvariantError } from '../../core/invariant.ts';
import type { LoadedFiles } from '../tfjs/load-files.ts';
import { DataType, type ConstantDef } from './node-def.ts';

type Spec = LoadedFiles['weightSpecs'][number];

/** Bytes per stored value, and how one is read. */
const STORED: Readonly<Record<string, readonly [number, (view: DataView, at: number) => number]>> =
  {
    float32: [4, (view, at) => view.getFloat32(at, true)],
    int32: [4, (view, at) => view.getInt32(at, true)],
    float16: [2, (view, at) => fromHalf(view.getUint16(at, true))],
    uint16: [2, (view, at) => view.getUint16(at, true)],
    uint8: [1, (view, at) => view.getUint8(at)],
    bool: [1, (view, at) => view.getUint8(at)],
  };

/**
 * @param typeOf the type that a constant has in the graph.
 * @returns null for a weight that is neither a number nor a truth value.
 */
export function readWeights(
  { weightSpecs, weightData }: Pick<LoadedFiles, 'weightSpecs' | 'weightData'>,
  typeOf: (name: string) => number,
): ReadonlyMap<string, ConstantDef> | string {
  const constants = new Map<string, ConstantDef>();
  let offset = 0;
  for (const spec of weightSpecs) {
    const { name, shape, dtype, quantization } = spec;
    const [width, read] = STORED[quantization?.dtype ?? dtype] ?? [0, null];
    const count = shape.reduce((all, dim) => all * dim, 1);
    const type = typeOf(name);
    if (read === null || !(type in WRITERS)) return `${name} (${dtype})`;
    const stored = new DataView(weightData, offset, count * width);
    offset += count * width;
    const bytes = isAsStored(spec, type)
      ? new Uint8Array(weightData, stored.byteOffset, stored.byteLength)
      : write(type, count, (index) => restore(spec, read(stored, index * width)));
    constants.set(name, { name, type, dims: shape, bytes });
  }
  return constants;
}

const TYPES: Readonly<Record<string, number>> = {
  float32: DataType.float,
  int32: DataType.int32,
  bool: DataType.bool,
};

function isAsStored({ dtype, quantization }: Spec, type: number): boolean {
  return quantization === undefined && TYPES[dtype] === type;
}

/** Steps of a quantised weight; half floats have none. */
function restore({ dtype, quantization }: Spec, stored: number): number {
  const { scale, min } = { scale: undefined, min: undefined, ...quantization };
  if (scale === undefined || min === undefined) return stored;
  const value = Math.fround(stored * scale + min);
  return dtype === 'int32' ? Math.round(value) : value;
}

type Writer = (count: number, value: (index: number) => number) => Uint8Array;

const WRITERS: Readonly<Record<number, Writer>> = {
  [DataType.float]: (count, value) => toBytes(fill(new Float32Array(count), value)),
  [DataType.int32]: (count, value) => toBytes(fill(new Int32Array(count), value)),
  [DataType.bool]: (count, value) => fill(new Uint8Array(count), value),
  // The converter stores them in 32 bits.
  [DataType.int64]: (count, value) =>
    toBytes(BigInt64Array.from({ length: count }, (_, index) => BigInt(value(index)))),
};

function write(type: number, count: number, value: (index: number) => number): Uint8Array {
  const writer = WRITERS[type];
  if (writer === undefined) throw new InvariantError(`constants of type ${type} are not written`);
  return writer(count, value);
}

function fill<T extends Float32Array | Int32Array | Uint8Array>(
  values: T,
  value: (index: number) => number,
): T {
  for (let index = 0; index < values.length; index += 1) values[index] = value(index);
  return values;
}

function toBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
