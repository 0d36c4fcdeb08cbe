// UTF-8 by hand: pure code has no TextEncoder. Names in ONNX files are UTF-8.

export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = Number(character.codePointAt(0));
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), tail(code));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), tail(code >> 6), tail(code));
    else bytes.push(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code));
  }
  return Uint8Array.from(bytes);
}

function tail(code: number): number {
  return 0x80 | (code & 0x3f);
}

/** Malformed sequences become U+FFFD, so two different broken names may read alike; names are compared as text only. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  let pending = 0;
  let code = 0;
  for (const byte of bytes) {
    if (pending > 0 && byte >> 6 === 2) {
      code = (code << 6) | (byte & 0x3f);
      pending -= 1;
      if (pending === 0) text += String.fromCodePoint(Math.min(code, 0x10ffff));
      continue;
    }
    if (pending > 0) text += '\ufffd';
    [pending, code] = lead(byte);
    if (pending === 0) text += code < 0 ? '\ufffd' : String.fromCharCode(code);
  }
  return pending > 0 ? text + '\ufffd' : text;
}

function lead(byte: number): [pending: number, code: number] {
  if (byte < 0x80) return [0, byte];
  if (byte >> 5 === 6) return [1, byte & 0x1f];
  if (byte >> 4 === 14) return [2, byte & 0x0f];
  if (byte >> 3 === 30) return [3, byte & 0x07];
  return [0, -1];
}
