/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over buffers of known length */
const ZERO = 48;
const OPEN = 91;
const CLOSE = 93;

/**
 * Reads `{"data":[[0,1,...],[...]]}` with bytes 0..255 straight from UTF-8, where JSON.parse would build an array of numbers
 * per row. Gives one Buffer per innermost array that holds anything, and an empty one for `[]`; the next row is read when it is
 * asked for.
 */
export function* readJsonRows(text: Buffer): Generator<Buffer, void> {
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    if (byte === OPEN) start = i + 1;
    else if (byte === CLOSE && start >= 0) {
      yield readNumbers(text, start, i);
      start = -1;
    }
  }
}

/** Numbers between two offsets, parted by anything that is no digit. */
function readNumbers(text: Buffer, start: number, end: number): Buffer {
  // A number and its comma are two characters at least.
  const row = Buffer.allocUnsafe((end - start + 1) >> 1);
  let length = 0;
  let value = -1;
  for (let i = start; i <= end; i++) {
    const digit = text[i]! - ZERO;
    if (digit >= 0 && digit <= 9) value = (value < 0 ? 0 : value * 10) + digit;
    else if (value >= 0) {
      if (value > 255) throw new RangeError(`not a row of bytes: ${value}`);
      row[length++] = value;
      value = -1;
    }
  }
  return Buffer.from(row.subarray(0, length));
}
