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

/** Bytes of whole numbers, lowest first. By arithmetic: fast, and the order of the host does not matter. */
function splitWords(words: Uint16Array | Uint32Array): Uint8Array {
  const width = words.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(words.length * width);
  let at = 0;
  for (const word of words) {
    bytes[at] = word;
    bytes[at + 1] = word >>> 8;
    if (width === 4) {
      bytes[at + 2] = word >>> 16;
      bytes[at + 3] = word >>> 24;
    }
    at += width;
  }
  return bytes;
}

function splitDoubles(values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setFloat64(8 * i, value, true);
  return bytes;
}

const encoders: { readonly [D in Dtype]: (values: DtypeArrays[D]) => Uint8Array } = {
  int8: (values) => Uint8Array.from(values),
  float16: splitWords,
  float32: (values) => splitWords(new Uint32Array(values.buffer, values.byteOffset, values.length)),
  uint32: splitWords,
  float64: splitDoubles,
};

/** Copies the values into little-endian bytes. */
export function encodeArray<D extends Dtype>(dtype: D, values: DtypeArrays[D]): Uint8Array {
  return encoders[dtype](values);
}

function joinWords(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(bytes.length / 4);
  for (let i = 0; i < bytes.length; i++) {
    const shifted = Number(bytes[i]) << (8 * (i & 3));
    words[i >> 2] = Number(words[i >> 2]) | shifted;
  }
  return words;
}

function joinHalves(bytes: Uint8Array): Uint16Array {
  const halves = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < halves.length; i++) {
    halves[i] = Number(bytes[2 * i]) | (Number(bytes[2 * i + 1]) << 8);
  }
  return halves;
}

function joinDoubles(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
}

const decoders: { readonly [D in Dtype]: (bytes: Uint8Array) => DtypeArrays[D] } = {
  int8: (bytes) => Int8Array.from(bytes),
  float16: joinHalves,
  float32: (bytes) => new Float32Array(joinWords(bytes).buffer),
  uint32: joinWords,
  float64: joinDoubles,
};

/** Copies the values out. @param bytes a whole number of elements. */
export function decodeArray<D extends Dtype>(dtype: D, bytes: Uint8Array): DtypeArrays[D] {
  return decoders[dtype](bytes);
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
