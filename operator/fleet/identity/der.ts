/**
 * Just enough of DER (ITU-T X.690) to write a certificate; Node reads certificates and writes none. Every function returns one
 * whole element: tag, length, content.
 */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag and length in front of the content. Lengths above 127 take as few bytes as hold them. */
function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const lengthBytes = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest % 256);
  const head = length < 128 ? [length] : [0x80 | lengthBytes.length, ...lengthBytes];
  const bytes = new Uint8Array(1 + head.length + length);
  bytes.set([tag, ...head]);
  let at = 1 + head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return element(TAG.sequence, ...items);
}

/** A set of one item, whose order therefore needs no sorting. */
export function setOf(item: Uint8Array): Uint8Array {
  return element(TAG.set, item);
}

/** An integer that is not negative, from big-endian bytes: shortest form, a zero in front where the first bit is set. */
export function integer(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Uint8Array.of(0) : magnitude.subarray(first);
  const isNegative = (shortest[0] ?? 0) >= 0x80;
  return element(TAG.integer, ...(isNegative ? [Uint8Array.of(0)] : []), shortest);
}

export function boolean(value: boolean): Uint8Array {
  return element(TAG.boolean, Uint8Array.of(value ? 0xff : 0));
}

/** Whole bytes, no unused bits. */
export function bitString(bytes: Uint8Array): Uint8Array {
  return element(TAG.bitString, Uint8Array.of(0), bytes);
}

export function octetString(bytes: Uint8Array): Uint8Array {
  return element(TAG.octetString, bytes);
}

export function utf8String(text: string): Uint8Array {
  return element(TAG.utf8String, new TextEncoder().encode(text));
}

/** `2.5.4.3`: the first two arcs share a byte group, every arc is base 128, all but the last byte with the high bit set. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.oid, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}

const FIRST_GENERALIZED_YEAR = 2050;

/** A time in whole seconds: two-digit years before 2050, four-digit ones from then on (RFC 5280, 4.1.2.5). */
export function time(atMs: number): Uint8Array {
  const iso = new Date(atMs).toISOString();
  const digits = `${iso.slice(0, 19).replace(/[-:T]/g, '')}Z`;
  const isUtc = Number(iso.slice(0, 4)) < FIRST_GENERALIZED_YEAR;
  const text = isUtc ? digits.slice(2) : digits;
  return element(isUtc ? TAG.utcTime : TAG.generalizedTime, new TextEncoder().encode(text));
}

/** `[number]` around whole elements. */
export function explicit(number: number, ...content: readonly Uint8Array[]): Uint8Array {
  return element(0xa0 | number, ...content);
}
