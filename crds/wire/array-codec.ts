/** Typed arrays <-> little-endian bytes, whatever the alignment of the bytes and the order of the host. */

export const DTYPES = ['int8', 'float16', 'float32', 'uint32', 'float64'] as const;
export type Dtype = (typeof DTYPES)[number];

/** Array that a dtype decodes to; float16 stays bits. */
export interface DtypeArrays {
  readonly int8: Int8Array;
  readonly float16: Uint16Array;
  readonly float32: Float32Array;
  readonly uint32: Uint32Array;
  readonly float64: Float64Array;
}

export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = {
  int8: 1,
  float16: 2,
  float32: 4,
  uint32: 4,
  float64: 8,
};

type Setter = (view: DataView, at: number, value: number) => void;

const setters: Readonly<Record<Dtype, Setter>> = {
  int8: (view, at, value) => {
    view.setInt8(at, value);
  },
  float16: (view, at, value) => {
    view.setUint16(at, value, true);
  },
  float32: (view, at, value) => {
    view.setFloat32(at, value, true);
  },
  uint32: (view, at, value) => {
    view.setUint32(at, value, true);
  },
  float64: (view, at, value) => {
    view.setFloat64(at, value, true);
  },
};

export function encodeArray<D extends Dtype>(dtype: D, values: DtypeArrays[D]): Uint8Array {
  const width = DTYPE_BYTES[dtype];
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  const set = setters[dtype];
  for (let i = 0; i < values.length; i++) set(view, i * width, Number(values[i]));
  return bytes;
}

const decoders: { readonly [D in Dtype]: (view: DataView, length: number) => DtypeArrays[D] } = {
  int8: (view, length) =>
    new Int8Array(view.buffer.slice(view.byteOffset, view.byteOffset + length)),
  float16: (view, length) => {
    const values = new Uint16Array(length);
    for (let i = 0; i < length; i++) values[i] = view.getUint16(2 * i, true);
    return values;
  },
  float32: (view, length) => {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) values[i] = view.getFloat32(4 * i, true);
    return values;
  },
  uint32: (view, length) => {
    const values = new Uint32Array(length);
    for (let i = 0; i < length; i++) values[i] = view.getUint32(4 * i, true);
    return values;
  },
  float64: (view, length) => {
    const values = new Float64Array(length);
    for (let i = 0; i < length; i++) values[i] = view.getFloat64(8 * i, true);
    return values;
  },
};

/** Copies the values out. @param bytes a whole number of elements. */
export function decodeArray<D extends Dtype>(dtype: D, bytes: Uint8Array): DtypeArrays[D] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decoders[dtype](view, bytes.length / DTYPE_BYTES[dtype]);
}

/** Product of a shape, or null when it is not a positive whole number below 2^53 (2^60 x 16 would wrap). */
export function elementCount(shape: readonly number[]): number | null {
  let product = 1;
  for (const extent of shape) {
    product *= extent;
    if (!Number.isSafeInteger(product) || product <= 0) return null;
  }
  return product;
}
