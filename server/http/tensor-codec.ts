import { fromHalf } from '../../crds/wire/half-float.ts';
import { ServingError, shown } from '../errors.ts';
import { NumberTensor } from '../core/json/number-tensor.ts';
import { elementsIn, type ModelShape } from './model-shape.ts';

/** What the engine takes: ready values, or raw ones that it normalises. */
export type RowDatatype = 'FP32' | 'UINT8';

/** What clients may send: floats of other widths become FP32. */
export type ElementDatatype = RowDatatype | 'FP16' | 'FP64';

export const ELEMENT_BYTES: Readonly<Record<ElementDatatype, number>> = {
  FP32: 4,
  UINT8: 1,
  FP16: 2,
  FP64: 8,
};

export function toRowDatatype(datatype: ElementDatatype): RowDatatype {
  return datatype === 'UINT8' ? 'UINT8' : 'FP32';
}

export function parseDatatype(
  value: unknown,
  { inputName, image }: ModelShape,
): ElementDatatype | 'BYTES' {
  if (value === 'FP32' || value === 'UINT8' || value === 'FP16' || value === 'FP64') return value;
  if (value === 'BYTES' && image !== null) return value;
  throw new ServingError('wrong_datatype', {
    name: shown(inputName),
    value: shown(value),
    expected:
      image === null
        ? 'FP32, FP16, FP64 (ready values) or UINT8 (raw ones)'
        : 'FP32, FP16, FP64 (ready values), UINT8 (raw ones) or BYTES (images)',
  });
}

/** Number of rows of a shape [rows, ...model shape]. */
export function parseRows(name: string, shape: unknown, model: ModelShape): number {
  const rows = Array.isArray(shape) ? (shape[0] as unknown) : undefined;
  const fits =
    Array.isArray(shape) &&
    shape.length === model.rowShape.length + 1 &&
    isCount(rows) &&
    model.rowShape.every((size, i) => shape[i + 1] === size);
  if (!fits) {
    throw new ServingError('wrong_shape', {
      name: shown(name),
      value: shown(shape),
      expected: `[rows, ${model.rowShape.join(', ')}]`,
    });
  }
  // A quotient: the product of a hostile shape leaves the safe integers.
  if (rows > model.limits.maxTensorElements / model.rowElements) {
    throw new ServingError('wrong_shape', {
      name: shown(name),
      value: shown(shape),
      expected: `at most ${model.limits.maxTensorElements} elements`,
    });
  }
  return rows;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

export interface ExpectedTensor {
  readonly name: string;
  /** With the rows. */
  readonly shape: readonly number[];
  readonly datatype: RowDatatype;
}

/** Number of images of a shape [images], or with ones behind. */
export function parseImageCount(shape: unknown, { inputName }: ModelShape): number {
  const dims: unknown[] = Array.isArray(shape) ? shape : [];
  const [count, ...rest] = dims;
  if (isCount(count) && rest.every((size) => size === 1)) return count;
  throw new ServingError('wrong_shape', {
    name: shown(inputName),
    value: shown(shape),
    expected: '[images]',
  });
}

/** Little-endian elements as they came -> the bytes that the engine takes. */
export function decodeBinaryTensor(
  name: string,
  datatype: ElementDatatype,
  bytes: Buffer,
): Uint8Array {
  // A plain view: Buffer's own slice() would not copy where others expect it to.
  const whole = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  if (datatype === 'FP32' || datatype === 'UINT8') return whole;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = ELEMENT_BYTES[datatype];
  const values = new Float32Array(bytes.length / size);
  for (let i = 0; i < values.length; i++) {
    const value =
      datatype === 'FP16'
        ? fromHalf(view.getUint16(i * size, true))
        : view.getFloat64(i * size, true);
    values[i] = value;
    if (Number.isFinite(value) && !Number.isFinite(values[i])) throw notANumber(name, i, value);
  }
  return new Uint8Array(values.buffer);
}

/** JSON numbers, flat or nested as the shape says, to the bytes that the engine takes. */
export function encodeJsonTensor(
  values: unknown,
  { name, shape, datatype }: ExpectedTensor,
): Uint8Array {
  const count = elementsIn(shape);
  if (values instanceof NumberTensor) {
    const isNested = values.dims.length > 1 && shape.length > 1;
    checkTensor(values, { name, shape: isNested ? shape : [count], datatype });
    return tensorBytes(values, datatype);
  }
  if (!Array.isArray(values)) {
    throw new ServingError('wrong_input', {
      name: shown(name),
      fix: 'data must be an array of numbers.',
    });
  }
  const target = datatype === 'FP32' ? new Float32Array(count) : new Uint8Array(count);
  const isNested = Array.isArray(values[0]) && shape.length > 1;
  const writer = { target, datatype, name, next: 0 };
  if (isNested) writeNested(values, shape, writer);
  else {
    requireLength(values.length, count, name);
    writeNumbers(values, writer);
  }
  return new Uint8Array(target.buffer);
}

/** Rows that were read one by one, each as the row shape says. */
export function encodeRowTensors(
  rows: readonly NumberTensor[],
  { name, shape, datatype }: ExpectedTensor,
): Uint8Array {
  const rowShape = shape.slice(1);
  const rowElements = elementsIn(rowShape);
  const target = new Float32Array(rows.length * rowElements);
  rows.forEach((row, index) => {
    const before = index * rowElements;
    checkTensor(row, { name, shape: rowShape, datatype }, before);
    target.set(row.values, before);
  });
  return new Uint8Array(target.buffer);
}

function tensorBytes({ values }: NumberTensor, datatype: RowDatatype): Uint8Array {
  if (datatype === 'UINT8') return new Uint8Array(values);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** What was read is as long as expected on every level, and holds what it should; `before` values stand before it. */
function checkTensor(
  { dims, oddList, oddFloat, oddByte }: NumberTensor,
  { name, shape, datatype }: ExpectedTensor,
  before = 0,
): void {
  shape.forEach((size, level) => {
    requireLength(dims[level] ?? 0, size, name);
  });
  if (dims.length > shape.length) throw oddValue({ name, datatype }, before, ['...']);
  const odd = datatype === 'FP32' ? oddFloat : oddByte;
  if (oddList !== null && (odd === null || odd.index >= oddList.index)) {
    requireLength(oddList.length, shape[oddList.level] ?? 0, name);
  }
  if (odd !== null) throw oddValue({ name, datatype }, before + odd.index, odd.value);
}

type Named = Pick<ExpectedTensor, 'name' | 'datatype'>;

interface Writer extends Named {
  readonly target: Float32Array | Uint8Array;
  next: number;
}

function writeNested(values: unknown, shape: readonly number[], writer: Writer): void {
  const [size = 0, ...inner] = shape;
  const list: unknown[] = Array.isArray(values) ? (values as unknown[]) : [];
  requireLength(list.length, size, writer.name);
  if (inner.length === 0) writeNumbers(list, writer);
  else for (const value of list) writeNested(value, inner, writer);
}

function requireLength(length: number, count: number, name: string): void {
  if (length === count) return;
  throw new ServingError('wrong_byte_length', {
    name: shown(name),
    value: `${length} values in a place of its data`,
    expected: `${count}`,
  });
}

function writeNumbers(values: readonly unknown[], writer: Writer): void {
  const isGood = writer.datatype === 'FP32' ? isFloat : isByte;
  for (const value of values) {
    if (!isGood(value)) throw oddValue(writer, writer.next, value);
    writer.target[writer.next] = value;
    writer.next += 1;
  }
}

function oddValue({ name, datatype }: Named, index: number, value: unknown): ServingError {
  if (datatype === 'FP32') return notANumber(name, index, value);
  return new ServingError('wrong_input', {
    name: shown(name),
    fix: `value ${index} is ${shown(value)}; send whole numbers from 0 to 255.`,
  });
}

function notANumber(name: string, index: number, value: unknown): ServingError {
  return new ServingError('wrong_input', {
    name: shown(name),
    fix: `value ${index} is ${shown(value)}; send finite numbers of 32 bits.`,
  });
}

/** Also refuses what would round to infinity (1e39, 1e400). */
function isFloat(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}

function isByte(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255;
}
