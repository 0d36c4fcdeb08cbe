import { expect, test } from 'vitest';
import * as der from '../../../../../operator/fleet/identity/der.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test.each([
  ['zero', [], '020100'],
  ['zeros', [0, 0], '020100'],
  ['one', [1], '020101'],
  ['127', [0x7f], '02017f'],
  ['128 needs a zero in front', [0x80], '02020080'],
  ['256', [1, 0], '02020100'],
  ['leading zeros go', [0, 0, 0x80], '02020080'],
])('an integer has its shortest form: %s', (_, bytes, expected) => {
  expect(hex(der.integer(Uint8Array.from(bytes)))).toBe(expected);
});

// Examples of X.690 and RFC 8410.
test.each([
  ['1.3.101.112', '06032b6570'],
  ['2.5.4.3', '0603550403'],
  ['2.5.29.19', '0603551d13'],
  ['1.2.840.113549', '06062a864886f70d'],
  ['2.999.3', '0603883703'],
])('the object identifier %s', (dotted, expected) => {
  expect(hex(der.oid(dotted))).toBe(expected);
});

test.each([
  [0, '3000'],
  [127, '047f'],
  [128, '048180'],
  [255, '0481ff'],
  [256, '04820100'],
  [65_536, '0483010000'],
])('the length of %i bytes takes as few bytes as hold it', (length, head) => {
  const element = length === 0 ? der.sequence() : der.octetString(new Uint8Array(length));
  expect(hex(element.subarray(0, head.length / 2))).toBe(head);
  expect(element).toHaveLength(head.length / 2 + length);
});

test('times before 2050 have two digits of year, later ones four', () => {
  const text = (atMs: number): string => Buffer.from(der.time(atMs)).toString('latin1');
  expect(text(Date.UTC(2026, 10, 25, 16, 13, 5, 999))).toBe('\x17\r261125161305Z');
  expect(text(Date.UTC(2049, 11, 31, 23, 59, 59))).toBe('\x17\r491231235959Z');
  expect(text(Date.UTC(2050, 0, 1))).toBe('\x18\x0f20500101000000Z');
});

test('text, truth, bits and context tags', () => {
  expect(hex(der.utf8String('ü'))).toBe('0c02c3bc');
  expect(hex(der.boolean(true))).toBe('0101ff');
  expect(hex(der.boolean(false))).toBe('010100');
  expect(hex(der.bitString(Uint8Array.of(0xa5)))).toBe('030200a5');
  expect(hex(der.explicit(3, der.setOf(der.boolean(true))))).toBe('a30531030101ff');
});
