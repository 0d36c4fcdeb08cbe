// Protocol Buffers wire format, writing side: each function gives one encoded field.
import { encodeUtf8 } from './utf8.ts';

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Base-128 varint; negative integers take ten bytes (two's complement of 64 bits), as int64 fields demand. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function intField(field: number, value: number): Uint8Array {
  return concatBytes([varint(field * 8), varint(value)]);
}

export function bytesField(field: number, payload: Uint8Array): Uint8Array {
  return messageField(field, [payload]);
}

/** Each part is copied once: parts of the size of all weights lie several messages deep. */
export function messageField(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return concatBytes([varint(field * 8 + 2), varint(length), ...parts]);
}

export function textField(field: number, text: string): Uint8Array {
  return bytesField(field, encodeUtf8(text));
}

export function floatField(field: number, value: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setFloat32(0, value, true);
  return concatBytes([varint(field * 8 + 5), payload]);
}
