// Protocol Buffers wire format, reading side: fields as byte ranges, nothing is copied.

/** Thrown while reading a damaged file; `readModel` turns it into a result value. */
export class MalformedModelError extends Error {}

/** One field of a message. Bytes from..end are the whole field with its tag, start..end its payload. */
export interface WireField {
  readonly field: number;
  readonly from: number;
  readonly start: number;
  readonly end: number;
  /** Varint fields: the signed 64-bit value as a number. Others: 0. */
  readonly value: number;
}

/** Fields of the message in bytes start..end, in file order. Throws MalformedModelError. */
export function walkFields(bytes: DataView, start: number, end: number): readonly WireField[] {
  const fields: WireField[] = [];
  let offset = start;
  while (offset < end) {
    const found = readField(bytes, offset, end);
    if (found.end > end)
      throw new MalformedModelError(`a field at byte ${offset} runs past its end`);
    fields.push(found);
    offset = found.end;
  }
  return fields;
}

function readField(bytes: DataView, from: number, end: number): WireField {
  const tag = readVarint(bytes, from, end);
  const field = Math.floor(tag.value / 8);
  switch (tag.value % 8) {
    case 0: {
      const number = readVarint(bytes, tag.next, end);
      return { field, from, start: tag.next, end: number.next, value: number.value };
    }
    case 1:
      return { field, from, start: tag.next, end: tag.next + 8, value: 0 };
    case 2: {
      const length = readVarint(bytes, tag.next, end);
      if (length.value < 0) throw new MalformedModelError(`a negative length at byte ${tag.next}`);
      const start = length.next;
      return { field, from, start, end: start + length.value, value: 0 };
    }
    case 5:
      return { field, from, start: tag.next, end: tag.next + 4, value: 0 };
    default:
      throw new MalformedModelError(`an unknown wire type at byte ${from}`);
  }
}

/** Numbers of a packed varint field. */
export function readPacked(bytes: DataView, start: number, end: number): readonly number[] {
  const values: number[] = [];
  let offset = start;
  while (offset < end) {
    const { value, next } = readVarint(bytes, offset, end);
    values.push(value);
    offset = next;
  }
  return values;
}

function readVarint(
  bytes: DataView,
  start: number,
  end: number,
): { readonly value: number; readonly next: number } {
  let value = 0n;
  for (let offset = start; offset < Math.min(end, start + 10); offset += 1) {
    const byte = bytes.getUint8(offset);
    value |= BigInt(byte & 127) << BigInt(7 * (offset - start));
    if (byte < 128) return { value: Number(BigInt.asIntN(64, value)), next: offset + 1 };
  }
  throw new MalformedModelError(`an unfinished number at byte ${start}`);
}
