// The bytes that JSON (RFC 8259) is made of.

export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

/** The value of a digit; above 9: the byte is none, or there is none at `at`. */
export function digitAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) - 0x30) >>> 0;
}

/** Index of the first byte from `at` on that is no white space, at most `stop`. */
export function skipSpace(bytes: Uint8Array, at: number, stop: number): number {
  let next = at;
  while (next < stop && isSpace(bytes[next])) next += 1;
  return next;
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
