import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemberKind } from '../../../../../server/core/json/json-reader.ts';
import { JsonReader, SKIPPED } from '../../../../../server/core/json/json-reader.ts';
import { MalformedJsonError } from '../../../../../server/core/json/malformed-json-error.ts';
import type { NumberTensor } from '../../../../../server/core/json/number-tensor.ts';

interface Setting {
  readonly members?: ReadonlyMap<string, MemberKind>;
  readonly maxDepth?: number;
  readonly maxValues?: number;
  readonly maxElements?: number;
  readonly sliceBytes?: number;
}

/** Knows every name. */
class EveryMember extends Map<string, MemberKind> {
  override get(): MemberKind {
    return 'value';
  }
}

function read(text: string | Uint8Array, setting: Setting = {}): unknown {
  const bytes = Buffer.from(text);
  const { members = new EveryMember(), maxDepth = 1_000, sliceBytes = 1e9 } = setting;
  const { maxValues = 1e6, maxElements = 1e6 } = setting;
  const decode = (from: number, to: number) => bytes.toString('utf8', from, to);
  const reader = new JsonReader(bytes, { members, maxDepth, maxValues, maxElements, decode });
  while (!reader.read(sliceBytes));
  return reader.value;
}

/** Both give the same value, or both refuse. */
function expectAsParsed(text: string, setting: Setting = {}): void {
  let expected: unknown;
  try {
    expected = JSON.parse(text);
  } catch {
    expect(() => read(text, setting)).toThrow(MalformedJsonError);
    return;
  }
  // Text against text: the order of members and the sign of zero count, prototypes do not.
  expect(exactText(read(text, setting))).toBe(exactText(expected));
}

function exactText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (Object.is(each, -0) ? '-0' : each));
}

const slice = fc.constantFrom(1, 2, 3, 7, 1e9);
const json = fc.oneof(
  fc.json({ maxDepth: 5 }),
  fc.json({ maxDepth: 5, stringUnit: 'grapheme' }),
  fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value, null, '\t')),
  fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value, null, 2).replaceAll('\n', '\r\n')), // prettier-ignore
);

describe('any JSON', () => {
  test('is read as JSON.parse reads it, in slices of any size', () => {
    fc.assert(
      fc.property(json, slice, (text, sliceBytes) => {
        expectAsParsed(text, { sliceBytes });
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  test('with a change anywhere is read or refused as JSON.parse does', () => {
    const change = fc.constantFrom(
      '',
      ...Array.from('[]{},:"\\ \t\n0123-+.eEtrufalsn/bé\u0000\u0007\u2028'),
    );
    fc.assert(
      fc.property(json, fc.nat(), change, fc.nat({ max: 2 }), (text, place, with_, cut) => {
        const at = place % (text.length + 1);
        const changed = text.slice(0, at) + with_ + text.slice(at + cut);
        // Half of a surrogate pair is no UTF-8, and is replaced on its way.
        expectAsParsed(Buffer.from(changed).toString(), { sliceBytes: 5 });
      }),
      { seed: 2, numRuns: 5_000 },
    );
  });

  test.each([
    '', ' ', '-', '+1', '01', '-01', '00', '1.', '.5', '1.e3', '1e', '1e+', '1E-2', '-0', '0e0', '1e400', 'nul', 'nulL',
    'tru', 'falsey', 'NaN', 'Infinity', "'a'", '"a', '"\\', '"\\x"', '"\\u12', '"\\u12g4"', '"\\uD83D\\uDE00"', '"\\ud83d"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '[', ']', '{', '}', '[1,]', '[,1]', '[1 2]', '{"a"}', '{"a":}', '{"a":1,}', '{a:1}', '{"a":1 "b":2}',
    '[1]]', '{}{}', '1 2', '[}', '{]', '"a"x', '\ufeff{}', '{"a":1,"a":2}', '{"__proto__":1,"constructor":{"a":[]}}', '[[],[[]],{}]',
    '\u00a01', '[1\u000b]', '"\u007f"', '"\u001f"', '1e5', '1.5e300', '123456789012345678901234567890', '{"":{"":""}}', '[1,{"a":2},[3]]',
  ])('%j', (text) => {
    for (const sliceBytes of [1, 2, 1e9]) expectAsParsed(text, { sliceBytes });
  }); // prettier-ignore

  test('that is cut off is refused wherever it is cut', () => {
    const text =
      '{"inputs": [{"name": "x\\u00e9é", "data": [[1.5e3, -2], [null, "a"]], "b": true}]} ';
    for (let length = 0; length < text.trimEnd().length; length++) {
      expect(() => read(text.slice(0, length)), text.slice(0, length)).toThrow(MalformedJsonError);
    }
  });

  test('of bytes that are no UTF-8 is read with the replacement character', () => {
    const bytes = Buffer.concat([Buffer.from('["'), Buffer.from([0xff, 0xc3]), Buffer.from('"]')]);
    expect(read(bytes)).toEqual(JSON.parse(bytes.toString()));
  });
});

describe('its limits', () => {
  test('depth counts lists and objects, in tensors and in what nobody reads', () => {
    const members = new Map([['data', 'numbers'] as const]);
    for (const name of ['data', 'other']) {
      for (const inner of ['1', '"a"', '{}', '1,[2]']) {
        const nested = (depth: number) =>
          `{"${name}":${'['.repeat(depth)}${inner}${']'.repeat(depth)}}`;
        const own = inner === '{}' || inner.endsWith(']') ? 1 : 0;
        expect(() => read(nested(7 - own), { members, maxDepth: 8 })).not.toThrow();
        expect(() => read(nested(8 - own), { members, maxDepth: 8 })).toThrow(
          'it is nested deeper than 8.',
        );
      }
    }
  });

  test('values are those that are read: neither numbers of tensors nor what is left out', () => {
    const members = new Map<string, MemberKind>([
      ['data', 'numbers'],
      ['name', 'value'],
    ]);
    const text = '{"data":[[1,2],[3,4],["x",{}]],"other":[1,{"name":2},3,4,5],"name":["a","b"]}';
    // The root, its three members, two names.
    expect(() => read(text, { members, maxValues: 6 })).not.toThrow();
    expect(() => read(text, { members, maxValues: 5 })).toThrow(
      'it holds more than 5 values beside its numbers.',
    );
  });

  test.each(['1'.repeat(5_000), `0.${'1'.repeat(5_000)}`, `1e${'1'.repeat(5_000)}`])(
    'a number of thousands of digits is refused',
    (number) => {
      expect(() => read(`[${number}]`)).toThrow('the number at byte 1 is too long.');
      const members = new Map([['data', 'numbers'] as const]);
      expect(() => read(`{"data":[${number}]}`, { members })).toThrow('at byte 9 is too long.');
    },
  );

  test('a slice reads little more than it may', () => {
    const text = `{"data":[${new Array(50_000).fill('-1.25').join(', ')}],"x":"${'é'.repeat(50_000)}"${' '.repeat(99_999)}}`;
    const bytes = Buffer.from(text);
    const reader = new JsonReader(bytes, {
      members: new Map([['data', 'numbers']]),
      maxDepth: 8,
      maxValues: 10,
      maxElements: 1e6,
      decode: (from, to) => bytes.toString('utf8', from, to),
    });
    let slices = 1;
    while (!reader.read(1_000)) slices += 1;
    expect(slices).toBeGreaterThan((bytes.length / 1_000) * 0.95);
    expect(slices).toBeLessThanOrEqual(Math.ceil(bytes.length / 1_000));
  });
});

test('members that nobody reads are checked, and their names stay', () => {
  const members = new Map<string, MemberKind>([['a', 'value']]);
  const text = '{"b":[{"a":[1,"x",true]},{}],"a":{"a":1,"c":"\\n"},"d":-1e3,"e":null}';
  expect(exactText(read(text, { members }))).toBe(
    exactText({ b: SKIPPED, a: { a: 1, c: SKIPPED }, d: SKIPPED, e: SKIPPED }),
  );
  for (const broken of ['{"b":[1,]}', '{"b":{"a" 1}}', '{"b":"\\q"}', '{"b":01}']) {
    expect(() => read(broken, { members }), broken).toThrow(/does not parse at byte/);
  }
});

test('a root that is a number, a text or a list is read, and shown in a sentence it is short', () => {
  expect(read('[1,"a"]')).toEqual([1, 'a']);
  expect(read(' 12 ')).toBe(12);
  const members = new Map([['data', 'numbers'] as const]);
  const { data } = read(`{"data":[${new Array(99).fill(7).join(',')}]}`, { members }) as {
    data: NumberTensor;
  };
  expect(JSON.stringify(data)).toBe(JSON.stringify(new Array(32).fill(7)));
});
