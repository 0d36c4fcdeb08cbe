/**
 * Little-endian base-128 numbers as in protocol buffers, up to 2^53 - 1, with zigzag for signed ones. Arithmetic
 * instead of bit operations: these are wider than 32 bits.
 */

/** Collects numbers as varint bytes. */
export interface VarintWriter {
  /** @param value a whole number, 0 .. 2^53 - 1. */
  unsigned(value: number): void;
  /** @param value a whole number, +-(2^52 - 1). */
  signed(value: number): void;
  bytes(): Uint8Array;
}

export function createVarintWriter(): VarintWriter {
  const bytes: number[] = [];
  const unsigned = (value: number): void => {
    let rest = value;
    while (rest >= 128) {
      bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  };
  return {
    unsigned,
    signed(value) {
      unsigned(value < 0 ? -2 * value - 1 : 2 * value);
    },
    bytes: () => Uint8Array.from(bytes),
  };
}

/** Reads numbers back. Broken input gives NaN from there on, and `isDone` stays false: check once at the end. */
export interface VarintReader {
  unsigned(): number;
  signed(): number;
  /** A number of things to come: above `max` is broken and gives 0, so that no loop runs on a hostile length. */
  count(max: number): number;
  /** True when every byte was read and every number was well formed: shortest form, not above 2^53 - 1. */
  isDone(): boolean;
}

export function createVarintReader(bytes: Uint8Array): VarintReader {
  let at = 0;
  let broken = false;
  const fail = (): number => {
    broken = true;
    return NaN;
  };
  const unsigned = (): number => {
    // Nearly all counters of a window are one byte.
    const first = bytes[at];
    if (first !== undefined && first < 128 && !broken) {
      at++;
      return first;
    }
    return longUnsigned();
  };
  const longUnsigned = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes[at++];
      if (broken || byte === undefined || factor > 2 ** 49) return fail();
      value += (byte % 128) * factor;
      if (byte < 128) {
        const overlong = byte === 0 && factor > 1;
        return overlong || !Number.isSafeInteger(value) ? fail() : value;
      }
      factor *= 128;
    }
  };
  return {
    unsigned,
    signed() {
      const value = unsigned();
      if (Number.isNaN(value)) return value;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    },
    count(max) {
      const value = unsigned();
      if (value <= max) return value;
      fail();
      return 0;
    },
    isDone: () => !broken && at === bytes.length,
  };
}
