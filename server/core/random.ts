/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// xoshiro128** 1.1 of Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c). Seeds are spread by
// SplitMix32 (the 32-bit finaliser of MurmurHash3), so that near seeds give unrelated streams.

/** A seeded stream of random numbers; equal seeds give equal streams on every machine. Not for secrets, not for audits. */
export interface Random {
  /** An integer in [0, 2^32). */
  nextUint32(): number;
  /** A number in [0, 1) with 53 random bits. */
  uniform(): number;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
  /** Puts the entries into a random order in place (Fisher and Yates). */
  shuffle(indices: Uint32Array): void;
}

const GOLDEN_GAMMA = 0x9e3779b9;

function mix(x: number): number {
  let z = x;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

function seedState(seed: number | readonly number[]): Uint32Array {
  const words = typeof seed === 'number' ? [seed] : seed;
  const state = new Uint32Array(4);
  let hash = 0;
  for (const word of words) {
    // Both halves count: seeds up to 2^53 stay distinct.
    hash = mix(hash + GOLDEN_GAMMA + (word >>> 0));
    hash = mix(hash + GOLDEN_GAMMA + (Math.floor(word / 2 ** 32) >>> 0));
  }
  for (let i = 0; i < 4; i++) {
    hash = (hash + GOLDEN_GAMMA) >>> 0;
    state[i] = mix(hash);
  }
  return state;
}

/** Creates a stream from one number or from several (for example a seed and a name's hash words). Order of words matters. */
export function createRandom(seed: number | readonly number[]): Random {
  const state = seedState(seed);
  let s0 = state[0]!;
  let s1 = state[1]!;
  let s2 = state[2]!;
  let s3 = state[3]!;
  let spare = NaN;

  const nextUint32 = (): number => {
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = (s3 << 11) | (s3 >>> 21);
    return result;
  };
  const uniform = (): number =>
    ((nextUint32() >>> 5) * 67108864 + (nextUint32() >>> 6)) / 9007199254740992;

  return {
    nextUint32,
    uniform,
    normal: () => {
      if (!Number.isNaN(spare)) {
        const value = spare;
        spare = NaN;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log1p(-uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffle: (indices) => {
      for (let i = indices.length - 1; i > 0; i--) {
        const j = Math.floor(uniform() * (i + 1));
        const swapped = indices[i]!;
        indices[i] = indices[j]!;
        indices[j] = swapped;
      }
    },
  };
}
