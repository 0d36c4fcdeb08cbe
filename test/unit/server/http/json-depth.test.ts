import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonDepth } from '../../../../server/http/json-depth.ts';

function measured(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(measured));
}

test('is the depth of the parsed document, whatever its strings hold', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      expect(jsonDepth(Buffer.from(text), 1000)).toBe(measured(JSON.parse(text)));
    }),
    { seed: 3 },
  );
});

test('brackets and escaped quotes inside strings do not count', () => {
  expect(jsonDepth(Buffer.from('{"a\\"[[[": "]]{{\\\\"}'), 10)).toBe(1);
});

test('stops above the limit and on strings without an end', () => {
  expect(jsonDepth(Buffer.from('['.repeat(5_000_000)), 32)).toBe(33);
  expect(jsonDepth(Buffer.from('["abc'), 32)).toBe(1);
});
