import { NumberTensor } from '../core/json/number-tensor.ts';
import { ServingError, shown } from '../errors.ts';

/** Elements of a BYTES tensor sent as binary: each a little-endian length of four bytes, then that many. */
export function splitBinaryElements(name: string, binary: Buffer, count: number): Buffer[] {
  const elements: Buffer[] = [];
  let at = 0;
  while (at < binary.length) {
    const end = at + 4 <= binary.length ? at + 4 + binary.readUInt32LE(at) : Infinity;
    if (end > binary.length) {
      throw new ServingError('wrong_byte_length', {
        name: shown(name),
        value: `${binary.length} binary bytes in which element ${elements.length} does not end`,
        expected: 'the length of each element before it, in four bytes',
      });
    }
    elements.push(binary.subarray(at + 4, end));
    at = end;
    if (elements.length > count) break;
  }
  requireCount(name, elements.length, count);
  return elements;
}

/** Elements of a BYTES tensor in JSON: texts of base64, flat or nested in any way that keeps their order. */
export function decodeBase64Elements(name: string, values: unknown, count: number): Buffer[] {
  const flat = flattened(values, count);
  requireCount(name, flat.length, count);
  return flat.map((value, index) => decodeBase64(name, value, index));
}

function flattened(values: unknown, count: number): unknown[] {
  // No texts, so the first is refused.
  if (values instanceof NumberTensor) return Array.from(values.values.subarray(0, count + 1));
  return Array.isArray(values) ? (values as unknown[]).flat(Infinity) : [];
}

export function decodeBase64(name: string, value: unknown, index: number): Buffer {
  if (typeof value === 'string' && value.length > 0) {
    const digits = value.endsWith('=') ? value.replace(/={1,2}$/, '') : value;
    const bytes = Buffer.from(digits, 'base64');
    // What is no digit is left out, and what follows a "=": then there are fewer bytes.
    if (bytes.length === Math.floor((digits.length * 3) / 4)) return bytes;
  }
  throw new ServingError('wrong_input', {
    name: shown(name),
    fix: `value ${index} is ${shown(value)}; send an image in base64.`,
  });
}

function requireCount(name: string, given: number, expected: number): void {
  if (given === expected) return;
  throw new ServingError('wrong_byte_length', {
    name: shown(name),
    value: `${given > expected ? 'more than ' : ''}${Math.min(given, expected)} values`,
    expected: String(expected),
  });
}
