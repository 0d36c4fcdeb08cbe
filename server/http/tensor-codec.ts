import { ServingError, shown } from '../errors.ts';
import type { ModelShape } from './model-shape.ts';

export type RowDatatype = 'FP32' | 'UINT8';

/** Elements of one request; the product of a shape is checked against it without overflowing. */
const MAX_ELEMENTS = 2 ** 26;
export const ELEMENT_BYTES: Readonly<Record<RowDatatype, number>> = { FP32: 4, UINT8: 1 };

export function parseDatatype(name: string, value: unknown): RowDatatype {
  if (value === 'FP32' || value === 'UINT8') return value;
  throw new ServingError('wrong_datatype', {
    name: shown(name),
    value: shown(value),
    expected: 'FP32 (ready tensors) or UINT8 (raw values)',
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
  if (rows > MAX_ELEMENTS / Math.max(1, model.rowElements)) {
    throw new ServingError('wrong_shape', {
      name: shown(name),
      value: shown(shape),
      expected: `at most ${MAX_ELEMENTS} elements`,
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

/** JSON numbers, flat or nested as the shape says, to the bytes that the engine takes. */
export function encodeJsonTensor(
  values: unknown,
  { name, shape, datatype }: ExpectedTensor,
): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
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
    requireLength(values, count, name);
    writeNumbers(values, writer);
  }
  return new Uint8Array(target.buffer);
}

interface Writer {
  readonly target: Float32Array | Uint8Array;
  readonly datatype: RowDatatype;
  readonly name: string;
  next: number;
}

function writeNested(values: unknown, shape: readonly number[], writer: Writer): void {
  const [size = 0, ...inner] = shape;
  const list: unknown[] = Array.isArray(values) ? (values as unknown[]) : [];
  requireLength(list, size, writer.name);
  if (inner.length === 0) writeNumbers(list, writer);
  else for (const value of list) writeNested(value, inner, writer);
}

function requireLength(values: readonly unknown[], count: number, name: string): void {
  if (values.length === count) return;
  throw new ServingError('wrong_byte_length', {
    name: shown(name),
    value: `${values.length} values in a place of its data`,
    expected: `${count}`,
  });
}

function writeNumbers(values: readonly unknown[], writer: Writer): void {
  const isGood = writer.datatype === 'FP32' ? isFloat : isByte;
  for (const value of values) {
    if (!isGood(value)) {
      const wanted = writer.datatype === 'FP32' ? 'finite numbers' : 'whole numbers from 0 to 255';
      throw new ServingError('wrong_input', {
        name: shown(writer.name),
        fix: `value ${writer.next} is ${shown(value)}; send ${wanted}.`,
      });
    }
    writer.target[writer.next] = value;
    writer.next += 1;
  }
}

/** Also refuses what would round to infinity (1e39, 1e400). */
function isFloat(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}

function isByte(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255;
}
