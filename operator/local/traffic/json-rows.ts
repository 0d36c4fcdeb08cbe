const ZERO = 48;
const NINE = 57;
const OPEN = 91;
const CLOSE = 93;
const LONGEST_ROW = 65_536;

/**
 * Reads `{"data":[[0,1,...],[...]]}` with bytes 0..255 straight from UTF-8, where JSON.parse would build an array of numbers
 * per row. Returns one Buffer per inner array; other characters only part numbers.
 */
export function readJsonRows(text: Buffer): Buffer[] {
  const rows: Buffer[] = [];
  const row = createRow();
  let depth = 0;
  let value = -1;
  for (const byte of text) {
    if (byte >= ZERO && byte <= NINE) {
      value = Math.max(value, 0) * 10 + byte - ZERO;
      continue;
    }
    if (value >= 0) row.add(value);
    value = -1;
    if (byte === OPEN) depth += 1;
    if (byte !== CLOSE) continue;
    if (depth === 2) rows.push(row.take());
    depth -= 1;
  }
  return rows;
}

function createRow(): { add(value: number): void; take(): Buffer } {
  const bytes = Buffer.alloc(LONGEST_ROW);
  let length = 0;
  return {
    add: (value) => {
      if (value > 255 || length === LONGEST_ROW)
        throw new RangeError(`not a row of bytes: ${value}`);
      bytes[length++] = value;
    },
    take: () => {
      const row = Buffer.from(bytes.subarray(0, length));
      length = 0;
      return row;
    },
  };
}
