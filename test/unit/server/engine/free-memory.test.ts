import { expect, test } from 'vitest';
import { freeLarge } from '../../../../server/engine/free-memory.ts';

const KIB = 2 ** 10;

test('large memory of its own is given back at once, with all views of it', () => {
  const body = new Uint8Array(64 * KIB);
  const part = body.subarray(16);
  freeLarge(body);
  expect([body.length, part.length]).toEqual([0, 0]);
});

test.each([
  ['little', new Uint8Array(KIB)],
  ['a part of what others may hold', new Uint8Array(64 * KIB).subarray(8)],
  ["a piece of Node's pool", Buffer.from('small')],
])('%s stays as it is', (_, array) => {
  const { length } = array;
  freeLarge(array);
  expect(array).toHaveLength(length);
});
