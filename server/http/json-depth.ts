const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Depth of nesting of JSON bytes, without parsing them: Node's parser accepts millions of levels. Stops above `limit`. */
export function jsonDepth(bytes: Uint8Array, limit: number): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    // '[' is 0x5b, '{' is 0x7b, ']' is 0x5d, '}' is 0x7d: the lower-case bit apart.
    if (byte === QUOTE) i = endOfString(bytes, i);
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (deepest > limit) return deepest;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return deepest;
}

/** Index of the closing quote (or past the end when there is none). */
function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
