/** The little of protocol buffers that a device plugin needs: fields that are bytes, texts, messages or true. */
const LENGTH_DELIMITED = 2;

/** One field of a message; several with one number make a repeated field. */
export function field(number: number, value: string | Uint8Array | boolean): Buffer {
  if (typeof value === 'boolean') return Buffer.from([number << 3, value ? 1 : 0]);
  const bytes = Buffer.from(value as string);
  return Buffer.concat([
    Buffer.from([(number << 3) | LENGTH_DELIMITED]),
    varint(bytes.length),
    bytes,
  ]);
}

/** The values of a length-delimited field, in order; fields of other numbers are skipped. */
export function readFields(message: Uint8Array, number: number): Buffer[] {
  const found: Buffer[] = [];
  const bytes = Buffer.from(message);
  let at = 0;
  const readVarint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const value = readVarint();
    if ((tag & 7) !== LENGTH_DELIMITED) continue;
    if (tag >> 3 === number) found.push(bytes.subarray(at, at + value));
    at += value;
  }
  return found;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
