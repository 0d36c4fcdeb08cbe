/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index below is bounded by the block length */
// FIPS 180-4. Pure code has no crypto; splits and provenance need a digest that everybody can recompute.

const ROUND_CONSTANTS = primeFractions(64, 1 / 3);
const INITIAL_STATE = primeFractions(8, 1 / 2);

/** First 32 bits of the fractional parts of a root of the first primes, as FIPS 180-4 defines its constants. */
function primeFractions(count: number, power: number): Uint32Array {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return Uint32Array.from(primes, (prime) => Math.floor((prime ** power % 1) * 2 ** 32));
}

function rotate(x: number, bits: number): number {
  return (x >>> bits) | (x << (32 - bits));
}

function compress(state: Uint32Array, words: Uint32Array): void {
  for (let i = 16; i < 64; i++) {
    const a = words[i - 15]!;
    const b = words[i - 2]!;
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    words[i] = words[i - 16]! + s0 + words[i - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i]! + words[i]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    state[i] = state[i]! + value;
  });
}

/** An incremental SHA-256. `update` may be called any number of times before the one `hex`. */
export interface Sha256 {
  update(bytes: Uint8Array): Sha256;
  hex(): string;
}

/** Starts a SHA-256 (about 100 MB/s). */
export function createSha256(): Sha256 {
  const state = Uint32Array.from(INITIAL_STATE);
  const words = new Uint32Array(64);
  const block = new Uint8Array(64);
  const view = new DataView(block.buffer);
  let filled = 0;
  let length = 0;

  const absorb = (): void => {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(4 * i);
    compress(state, words);
    filled = 0;
  };
  const push = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + 64 - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === 64) absorb();
    }
  };

  const self: Sha256 = {
    update: (bytes) => {
      length += bytes.length;
      push(bytes);
      return self;
    },
    hex: () => {
      const tail = new Uint8Array((filled < 56 ? 64 : 128) - filled);
      tail[0] = 0x80;
      const bits = new DataView(tail.buffer);
      bits.setUint32(tail.length - 8, Math.floor(length / 2 ** 29));
      bits.setUint32(tail.length - 4, (length << 3) >>> 0);
      push(tail);
      return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
    },
  };
  return self;
}

/** UTF-16 code units, little-endian: enough to tell any two texts apart. */
export function textBytes(text: string): Uint8Array {
  const units = Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return bytesOf(units);
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(
  array: Float32Array | Float64Array | Uint32Array | Uint16Array,
): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
