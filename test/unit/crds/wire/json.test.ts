import { expect, test } from 'vitest';

import { readJson, type DocumentKind } from '../../../../crds/wire/json.ts';

const kind: DocumentKind = { name: 'note', maxBytes: 1_000, nextStep: 'send another' };

const read = (text: string): unknown => {
  const result = readJson(text, kind);
  return result.ok ? result.value : result.message;
};

test.each([
  ['an escaped quote', '{"a\\"":1,"a":2}'],
  ['a backslash before its end', '{"a\\\\":1,"a":2}'],
  ['a quote after two backslashes', '{"a\\\\\\"b":1,"a\\\\":2}'],
  ['brackets and colons', `{"a":"${'[{'.repeat(40)}\\":"}`],
  ['nothing', '{"":"","a" \t\r\n: ""}'],
])('a string with %s is one string', (_, text) => {
  expect(read(text)).toEqual(JSON.parse(text));
});

test('two keys are equal as they are read, not as they are written', () => {
  expect(read('{"a\\\\":1,"a\\\\":2}')).toContain('field "a\\\\" stands twice');
  expect(read('{"\\u0061":1,"a":2}')).toContain('field "a" stands twice');
  expect(read('{"a":{"a":1},"b":[{"a":1}]}')).toEqual({ a: { a: 1 }, b: [{ a: 1 }] });
});

test('a text that ends within a string is no JSON', () => {
  expect(read('{"a')).toContain('it is not JSON');
  expect(read('{"a\\"')).toContain('it is not JSON');
});
