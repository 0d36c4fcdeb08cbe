import { expect, test } from 'vitest';
import { createRandom } from '../../../../server/core/random.ts';
import { expectClose } from '../../../support/expect-close.ts';

/** xoshiro128** in BigInt arithmetic, after the authors' C source; shares only the seeding with the code under test. */
function referenceStream(state: bigint[]): () => number {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  return () => {
    const result = (rotate((state[1]! * 5n) & mask, 7n) * 9n) & mask;
    const t = (state[1]! << 9n) & mask;
    state[2]! ^= state[0]!;
    state[3]! ^= state[1]!;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= t;
    state[3] = rotate(state[3]!, 11n);
    return Number(result);
  };
}

function mix(x: number): number {
  let z = x;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

test('the stream is xoshiro128** of the state that the seed gives', () => {
  let hash = mix(0x9e3779b9 + 7);
  hash = mix(hash + 0x9e3779b9);
  const state: bigint[] = [];
  for (let i = 0; i < 4; i++) {
    hash = (hash + 0x9e3779b9) >>> 0;
    state.push(BigInt(mix(hash)));
  }
  const reference = referenceStream(state);
  const random = createRandom(7);
  for (let i = 0; i < 1000; i++) expect(random.nextUint32()).toBe(reference());
});

test('equal seeds give equal streams, also as a list of one', () => {
  const a = createRandom(42);
  const b = createRandom([42]);
  for (let i = 0; i < 20; i++) expect(a.uniform()).toBe(b.uniform());
});

test('near seeds, longer lists, other orders and seeds above 32 bits give other streams', () => {
  const first = [0, 1, [0, 0], [1, 2], [2, 1], 2 ** 32, 2 ** 33, -1].map((seed) =>
    createRandom(seed).nextUint32(),
  );
  expect(new Set(first).size).toBe(first.length);
});

test('uniform numbers lie in [0, 1) with the mean and variance of the uniform law', () => {
  const random = createRandom(1);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 100_000; i++) {
    const u = random.uniform();
    expect(u >= 0 && u < 1).toBe(true);
    sum += u;
    squares += u * u;
  }
  expectClose(sum / 100_000, 1 / 2, { abs: 0.004 });
  expectClose(squares / 100_000, 1 / 3, { abs: 0.004 });
});

test('normal numbers have the first four moments of the standard normal law', () => {
  const random = createRandom(2);
  const moments = [0, 0, 0, 0];
  const count = 200_000;
  for (let i = 0; i < count; i++) {
    const x = random.normal();
    for (let power = 0; power < 4; power++) moments[power]! += x ** (power + 1) / count;
  }
  expectClose(moments, [0, 1, 0, 3], { abs: 0.05 });
});

test('a shuffle keeps every entry and reaches every order about equally often', () => {
  const random = createRandom(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const indices = Uint32Array.of(0, 1, 2);
    random.shuffle(indices);
    expect([...indices].sort((a, b) => a - b)).toEqual([0, 1, 2]);
    const order = indices.join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expectClose(count, 1000, { abs: 120 });
});

test('a shuffle of nothing and of one entry changes nothing', () => {
  const random = createRandom(3);
  const one = Uint32Array.of(9);
  random.shuffle(one);
  random.shuffle(new Uint32Array(0));
  expect([...one]).toEqual([9]);
});
