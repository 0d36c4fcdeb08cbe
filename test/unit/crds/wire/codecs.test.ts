import { crc32 as zlibCrc32 } from 'node:zlib';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { decodeArray, elementCount, encodeArray } from '../../../../crds/wire/array-codec.ts';
import { decodeBase64, encodeBase64 } from '../../../../crds/wire/base64.ts';
import { crc32 } from '../../../../crds/wire/crc32.ts';
import { createVarintReader, createVarintWriter } from '../../../../crds/wire/varint.ts';
import { SEED } from '../damage.ts';

test('base64 is that of Buffer, both ways', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = encodeBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect(decodeBase64(text)).toEqual(Uint8Array.from(bytes));
    }),
    { seed: SEED },
  );
});

test('base64 that is not the only text of its bytes is refused', () => {
  expect(decodeBase64('QQ=')).toBeNull();
  expect(decodeBase64('Q===')).toBeNull();
  expect(decodeBase64('QR==')).toBeNull();
  expect(decodeBase64('QUJ=')).toBeNull();
  expect(decodeBase64('Q Q=')).toBeNull();
  expect(decodeBase64('Q\u00e9Q=')).toBeNull();
  expect(decodeBase64('Q=Q=')).toBeNull();
  expect(decodeBase64('QUI=')).toEqual(Uint8Array.of(65, 66));
});

test('the checksum is that of zlib', () => {
  // "123456789" -> cbf43926: check value of CRC-32/ISO-HDLC in the RevEng catalogue.
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(crc32(bytes)).toBe(zlibCrc32(bytes));
    }),
    { seed: SEED },
  );
});

test('varints give back what was written', () => {
  const unsigned = fc.maxSafeNat();
  const signed = fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 });
  fc.assert(
    fc.property(fc.array(unsigned), fc.array(signed), (naturals, integers) => {
      const writer = createVarintWriter();
      for (const value of naturals) writer.unsigned(value);
      for (const value of integers) writer.signed(value);
      const reader = createVarintReader(writer.bytes());
      expect(naturals.map(() => reader.unsigned())).toEqual(naturals);
      expect(integers.map(() => reader.signed() + 0)).toEqual(integers);
      expect(reader.isDone()).toBe(true);
    }),
    { seed: SEED },
  );
});

test('varints that are cut, too long, too large or left over are broken', () => {
  const broken: readonly (readonly number[])[] = [
    [],
    [0x80],
    [0x80, 0x00],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    [1, 1],
  ];
  for (const bytes of broken) {
    const reader = createVarintReader(Uint8Array.from(bytes));
    reader.unsigned();
    expect(reader.isDone()).toBe(false);
  }
  const reader = createVarintReader(Uint8Array.of(0x80));
  expect(reader.signed()).toBeNaN();
  expect(reader.unsigned()).toBeNaN();
});

test('a hostile length gives no loop to run', () => {
  const reader = createVarintReader(Uint8Array.of(200, 1, 5));
  expect(reader.count(100)).toBe(0);
  expect(reader.isDone()).toBe(false);
  expect(createVarintReader(Uint8Array.of(7)).count(7)).toBe(7);
});

test('arrays are little-endian and may lie at any offset', () => {
  const bytes = encodeArray('float32', Float32Array.of(1, -0.5));
  expect([...bytes]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf]);
  const shifted = new Uint8Array(9);
  shifted.set(bytes, 1);
  expect(decodeArray('float32', shifted.subarray(1))).toEqual(Float32Array.of(1, -0.5));
  expect(decodeArray('float64', encodeArray('float64', Float64Array.of(1e300)))).toEqual(
    Float64Array.of(1e300),
  );
  expect(decodeArray('uint32', encodeArray('uint32', Uint32Array.of(2 ** 32 - 1)))).toEqual(
    Uint32Array.of(2 ** 32 - 1),
  );
  expect(decodeArray('float16', encodeArray('float16', Uint16Array.of(0x3c00)))).toEqual(
    Uint16Array.of(0x3c00),
  );
  expect(decodeArray('int8', encodeArray('int8', Int8Array.of(-128, 127)))).toEqual(
    Int8Array.of(-128, 127),
  );
});

test('a shape whose product is zero, negative, broken or beyond 2^53 has no count', () => {
  expect(elementCount([2, 3])).toBe(6);
  expect(elementCount([2 ** 53 - 1])).toBe(2 ** 53 - 1);
  for (const shape of [[0], [-1, -2], [1.5], [2 ** 50, 16], [2 ** 60, 16], [NaN]]) {
    expect(elementCount(shape)).toBeNull();
  }
});
