import fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  decodeHalf,
  encodeHalf,
  fromHalf,
  isFiniteHalf,
  toHalf,
} from '../../../../crds/wire/half-float.ts';
import { SEED } from '../damage.ts';

test('known values have the bits of IEEE 754 binary16', () => {
  // Table "Half precision examples" of the standard's summary (Wikipedia, "Half-precision floating-point format").
  const table: readonly (readonly [number, number])[] = [
    [0, 0x0000],
    [-0, 0x8000],
    [2 ** -24, 0x0001],
    [0.000060975552, 0x03ff],
    [2 ** -14, 0x0400],
    [0.33325195, 0x3555],
    [0.99951172, 0x3bff],
    [1, 0x3c00],
    [1.00097656, 0x3c01],
    [-2, 0xc000],
    [65504, 0x7bff],
  ];
  for (const [value, bits] of table) {
    expect(toHalf(value)).toBe(bits);
    expect(fromHalf(bits)).toBeCloseTo(value, 7);
  }
});

test('too large values saturate, infinities too, and NaN stays NaN', () => {
  const saturated: readonly number[] = [65520, 1e9, Infinity];
  for (const value of saturated) {
    expect(toHalf(value)).toBe(0x7bff);
    expect(toHalf(-value)).toBe(0xfbff);
  }
  expect(toHalf(NaN)).toBe(0x7e00);
  expect(fromHalf(0x7e00)).toBeNaN();
  expect(fromHalf(0x7c00)).toBe(Infinity);
  expect(fromHalf(0xfc00)).toBe(-Infinity);
  expect(fromHalf(65536)).toBeNaN();
});

test('ties go to the even neighbour', () => {
  expect(toHalf(1 + 1 / 2048)).toBe(0x3c00);
  expect(toHalf(1 + 3 / 2048)).toBe(0x3c02);
  expect(toHalf(1.5 * 2 ** -24)).toBe(2);
  expect(toHalf(2.5 * 2 ** -24)).toBe(2);
});

test('each half float survives decoding and encoding', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter(isFiniteHalf);
  const values = decodeHalf(bits);
  expect(encodeHalf(values)).toEqual(bits);
  expect(Uint16Array.from(values, toHalf)).toEqual(bits);
});

test('the fast path over float32 bits gives the bits of the definition', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (word) => {
      const value = new Float32Array(Uint32Array.of(word).buffer);
      expect(encodeHalf(value)[0]).toBe(toHalf(value[0]!));
    }),
    { seed: SEED, numRuns: 20_000 },
  );
});

test('rounding is off by at most half a step in the normal range', () => {
  fc.assert(
    fc.property(fc.double({ min: 2 ** -14, max: 65504, noNaN: true }), (value) => {
      expect(Math.abs(fromHalf(toHalf(value)) - value) / value).toBeLessThanOrEqual(2 ** -11);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('a double just below a power of two keeps its exponent', () => {
  for (let exponent = -14; exponent <= 15; exponent++) {
    const below = 2 ** exponent * (1 - 2 ** -53);
    expect(fromHalf(toHalf(below))).toBe(2 ** exponent);
    expect(fromHalf(toHalf(2 ** exponent))).toBe(2 ** exponent);
  }
});
