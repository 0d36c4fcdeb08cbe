import { encodeHalf } from '../../crds/wire/half-float.ts';

type Elements = (values: Float32Array) => ArrayBufferView;

/** The engine tells every output as 32-bit floats; clients read elements of the type that the model declares. */
const ELEMENTS: Readonly<Record<string, Elements>> = {
  FP64: (values) => Float64Array.from(values),
  FP16: (values) => encodeHalf(values),
  INT64: (values) => BigInt64Array.from(Array.from(values, toBigInt)),
  INT32: (values) => Int32Array.from(values),
  INT8: (values) => Int8Array.from(values),
  UINT8: (values) => Uint8Array.from(values),
  BOOL: (values) => Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)),
};

/** One row of an output, little-endian. */
export function outputBytes(values: Float32Array, datatype: string | undefined): Buffer {
  const { buffer, byteOffset, byteLength } = ELEMENTS[datatype ?? '']?.(values) ?? values;
  return Buffer.from(buffer, byteOffset, byteLength);
}

function toBigInt(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}
