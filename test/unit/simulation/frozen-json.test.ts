import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../crds/wire/json.ts';
import { frozen, isSameJson } from '../../support/frozen-json.ts';

test('a frozen value is itself, and nothing in it can be changed', () => {
  const value = { list: [{ a: 1 }], none: null };
  expect(frozen(value)).toBe(value);
  expect(() => {
    value.list[0]!.a = 2;
  }).toThrow(TypeError);
  expect(() => value.list.push({ a: 3 })).toThrow(TypeError);
  expect(value).toEqual({ list: [{ a: 1 }], none: null });
});

test('values are the same when their canonical JSON is', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(json, json, (a, b) => {
      expect(isSameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
      expect(isSameJson(a, JSON.parse(JSON.stringify(a)))).toBe(true);
    }),
  );
  expect(isSameJson({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(isSameJson({ a: 1, b: undefined }, { a: 1, c: 1 })).toBe(false);
  expect(isSameJson({ a: 1, b: [2, { c: 3 }] }, { b: [2, { c: 3 }], a: 1 })).toBe(true);
  expect(isSameJson([1, 2], [2, 1])).toBe(false);
  expect(isSameJson([], {})).toBe(false);
  expect(isSameJson(null, {})).toBe(false);
});
