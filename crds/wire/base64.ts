const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CODES = Uint8Array.from(ALPHABET, (c) => c.charCodeAt(0));
const PADDING = '='.charCodeAt(0);

const NO_DIGIT = 64;
/** By character code; an evidence window has hundreds of them, and an operator reads a thousand windows a second. */
const DIGITS = new Uint8Array(128).fill(NO_DIGIT);
CODES.forEach((code, digit) => {
  DIGITS[code] = digit;
});

/** Standard base64 with padding (RFC 4648, section 4). Pure code has no Buffer. @param bytes at most a few KiB. */
export function encodeBase64(bytes: Uint8Array): string {
  const codes = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PADDING);
  let group = 0;
  let bits = 0;
  let at = 0;
  for (const byte of bytes) {
    group = ((group << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      codes[at++] = Number(CODES[(group >> bits) & 63]);
    }
  }
  if (bits > 0) codes[at] = Number(CODES[(group << (6 - bits)) & 63]);
  return codes.reduce((text, code) => text + String.fromCharCode(code), '');
}

/**
 * Bytes of standard base64, or null. Strict: padding required, no white space, unused bits zero, so that equal bytes
 * have one text only.
 */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let group = 0;
  let bits = 0;
  let at = 0;
  const end = text.length - padding;
  for (let i = 0; i < end; i++) {
    const digit = DIGITS[text.charCodeAt(i)] ?? NO_DIGIT;
    if (digit === NO_DIGIT) return null;
    group = ((group << 6) | digit) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (group >> bits) & 0xff;
    }
  }
  return (group & ((1 << bits) - 1)) === 0 ? bytes : null;
}
