import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareEqual } from '../../../../operator/kube/share-equal.ts';

test('what is equal all through is the other value itself', () => {
  const like = { a: [1, { b: 'x' }], c: null };
  expect(shareEqual(structuredClone(like), like)).toBe(like);
});

test('of what differs, equal parts in the same places are shared', () => {
  const like = { labels: { app: 'x' }, list: [{ a: 1 }, { a: 2 }], name: 'one' };
  const next = { labels: { app: 'x' }, list: [{ a: 1 }, { a: 3 }, { a: 2 }], name: 'two' };
  const shared = shareEqual(structuredClone(next), like);
  expect(shared).toEqual(next);
  expect(shared.labels).toBe(like.labels);
  expect(shared.list[0]).toBe(like.list[0]);
});

test.each<[string, unknown, unknown]>([
  ['a field more', { a: 1, b: 2 }, { a: 1 }],
  ['a field less', { a: 1 }, { a: 1, b: 2 }],
  ['an absent field and one without a value', { a: undefined }, { b: undefined }],
  ['keys in another order', { b: 2, a: 1 }, { a: 1, b: 2 }],
  ['an item less', [1], [1, 2]],
  ['a list and an object', [], {}],
  ['an object and a list', {}, []],
  ['nothing to be like', { a: 1 }, null],
])('another value stays what it is: %s', (_, next, like) => {
  expect(JSON.stringify(shareEqual(next, like))).toBe(JSON.stringify(next));
  expect(shareEqual(next, like)).not.toBe(like);
});

test('a field of the name __proto__ is a field', () => {
  const text = '{"__proto__":{"a":1},"b":{"c":1}}';
  const shared = shareEqual(JSON.parse(text) as object, JSON.parse(text) as object);
  expect(JSON.stringify(shared)).toBe(text);
  expect(Object.getPrototypeOf(shared)).toBe(Object.prototype);
});

test('the value is never another one, and neither argument changes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (next, like) => {
      const before = JSON.stringify([next, like]);
      expect(JSON.stringify(shareEqual(next, like))).toBe(JSON.stringify(next));
      expect(JSON.stringify([next, like])).toBe(before);
    }),
    { seed: 20_261_127 },
  );
});
