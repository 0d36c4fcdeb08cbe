const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (c, i) => [c, i]));

const CODES = Uint8Array.from(ALPHABET, (c) => c.charCodeAt(0));
const PADDING = '='.charCodeAt(0);

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
  for (let i = 0; i < text.length - padding; i++) {
    const value = VALUES.get(text.charAt(i));
    if (value === undefined) return null;
    group = ((group << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (group >> bits) & 0xff;
    }
  }
  return (group & ((1 << bits) - 1)) === 0 ? bytes : null;
}
