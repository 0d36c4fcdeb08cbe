import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemberKind } from '../../../../../server/core/json/json-reader.ts';
import { JsonReader } from '../../../../../server/core/json/json-reader.ts';
import { NumberTensor } from '../../../../../server/core/json/number-tensor.ts';

const MEMBERS = new Map<string, MemberKind>([['data', 'numbers']]);

function readData(text: string, sliceBytes = 1e9, maxElements = 1e7): unknown {
  const bytes = Buffer.from(`{"data":${text}}`);
  const decode = (from: number, to: number) => bytes.toString('utf8', from, to);
  const options = { members: MEMBERS, maxDepth: 32, maxValues: 1e6, maxElements, decode };
  const reader = new JsonReader(bytes, options);
  while (!reader.read(sliceBytes));
  return (reader.value as { data: unknown }).data;
}

function tensorOf(text: string, sliceBytes?: number, maxElements?: number): NumberTensor {
  const data = readData(text, sliceBytes, maxElements);
  if (!(data instanceof NumberTensor)) throw new Error(`${text} is no tensor`);
  return data;
}

function expectBits(text: string): void {
  const { values } = tensorOf(`[${text}]`);
  expect([text, Object.is(values[0], Math.fround(Number(text)))]).toEqual([text, true]);
}

/** Neighbours of the border between two floats, as texts that are not doubles. */
const nearBorder = fc
  .tuple(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom('', '1', '9', '0000001', '4999999999'))
  .map(([value, tail]) => {
    const bits = new Uint32Array(Float32Array.of(value).buffer);
    const next = new Float32Array(Uint32Array.of(bits[0]! + 1).buffer)[0]!;
    const middle = Number.isFinite(next) ? value / 2 + next / 2 : value;
    const [mantissa, exponent] = middle.toString().split('e');
    return `${mantissa}${mantissa!.includes('.') ? tail : ''}${exponent === undefined ? '' : `e${exponent}`}`;
  }); // prettier-ignore

const digits = (max: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: max }).map((d) => d.join(''));
const written = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(25),
    fc.option(digits(30)),
    fc.option(fc.integer({ min: -60, max: 45 })),
  ) // prettier-ignore
  .map(([sign, whole, fraction, exponent]) => {
    const head = `${sign}${whole.replace(/^0+(?=\d)/, '')}`;
    const tail = exponent === null ? '' : `e${exponent}`;
    return `${head}${fraction === null ? '' : `.${fraction}`}${tail}`;
  });

describe('a number of a tensor', () => {
  test.each<[string, fc.Arbitrary<string>]>([
    ['as a program prints a float', fc.float({ noNaN: true, noDefaultInfinity: true }).map(String)],
    ['as a program prints a double', fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)], // prettier-ignore
    ['with few digits', fc.tuple(fc.float({ noNaN: true, min: -1000, max: 1000 }), fc.nat(12)).map(([value, count]) => value.toFixed(count))], // prettier-ignore
    ['of any digits and exponent', written],
    ['beside the border between two floats', nearBorder],
  ])('%s has the bits of Math.fround(Number(text))', (_, text) => {
    fc.assert(fc.property(text, expectBits), { seed: 4, numRuns: 5_000 });
  });

  test.each([
    '0', '-0', '-0.0', '0.5', '255', '1e-45', '7.006492321624085e-46', '1.401298464324817e-45', '3.4028234663852886e38',
    '16777217', '16777217.0000000000000001', '0.000000000000000001', '999999999.999999999999999999', '9007199254740993', '1.00000005960464477539',
  ])('%s too', (text) => {
    expectBits(text);
  }); // prettier-ignore
});

/** Nested lists -> numbers in C order. */
function flat(value: unknown): number[] {
  return Array.isArray(value) ? value.flatMap(flat) : [Math.fround(value as number)];
}

describe('lists within lists of numbers', () => {
  const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
  const fill = ([size = 0, ...inner]: readonly number[], next: () => number): unknown =>
    Array.from({ length: size }, () => (inner.length === 0 ? next() : fill(inner, next)));

  test('of any shape and spacing are one array, in slices of any size', () => {
    fc.assert(
      fc.property(shape, fc.constantFrom('', ' ', '\t'), fc.constantFrom(1, 3, 1e9), (dims, space, slice) => {
        let value = 0;
        const lists = fill(dims, () => (value++) / 3);
        const tensor = tensorOf(JSON.stringify(lists, null, space), slice);
        expect(tensor.dims).toEqual(dims);
        expect([...tensor.values]).toEqual(flat(lists));
        expect([tensor.oddList, tensor.oddFloat]).toEqual([null, null]);
      }),
      { seed: 5, numRuns: 500 },
    ); // prettier-ignore
  });

  test('of many numbers are one array too, and no larger than they are', () => {
    for (const count of [4_095, 4_096, 4_097, 100_000]) {
      const numbers = Array.from({ length: count }, (_, i) => i / 8);
      const { values, dims } = tensorOf(JSON.stringify(numbers), 999);
      expect([values.length, dims]).toEqual([count, [count]]);
      expect(values.every((value, i) => value === i / 8)).toBe(true);
      expect(values.buffer.byteLength).toBeLessThanOrEqual(Math.max(4_096 * 4, values.length * 8));
    }
  });

  test('past the limit are counted, not kept', () => {
    const { values, dims } = tensorOf(JSON.stringify(new Array(20_000).fill(1)), 999, 10_000);
    expect([values.length, dims]).toEqual([10_000, [20_000]]);
    expect(tensorOf(JSON.stringify(new Array(5_000).fill(1)), 999, 1).dims).toEqual([5_000]);
  });

  test.each<[string, Partial<NumberTensor>]>([
    ['[1,2.5,3]', { oddByte: { index: 1, value: 2.5 }, oddFloat: null }],
    ['[0,255,7.0,1e2,-0,0.0000000000e1]', { oddByte: null, oddFloat: null }],
    ['[256,1]', { oddByte: { index: 0, value: 256 } }],
    ['[7,-1]', { oddByte: { index: 1, value: -1 } }],
    ['[0.99999999999999]', { oddByte: { index: 0, value: 0.99999999999999 } }],
    ['[2550e-1,1.5e0]', { oddByte: { index: 1, value: 1.5 } }],
    ['[1,1e39,-1e400]', { oddFloat: { index: 1, value: 1e39 }, oddByte: { index: 1, value: 1e39 } }],
    ['[1,null,2]', { oddFloat: { index: 1, value: null }, oddByte: { index: 1, value: null } }],
    ['[1,"two\\n"]', { oddFloat: { index: 1, value: 'two\n' } }],
    ['[true,1]', { oddFloat: { index: 0, value: true } }],
    ['[1,[2],{"data":[3]},null]', { oddFloat: { index: 1, value: '...' }, dims: [4] }],
    ['[[1,2],[3]]', { oddList: { level: 1, length: 1, index: 3 }, dims: [2, 2] }],
    ['[[1,2],3,[4,5]]', { oddList: { level: 1, length: 0, index: 2 }, dims: [3, 2] }],
    ['[[1,2],[],{}]', { oddList: { level: 1, length: 0, index: 2 }, dims: [3, 2] }],
    ['[[[1],[2]],[[3]],[[4],[5]]]', { oddList: { level: 1, length: 1, index: 3 }, dims: [3, 2, 1] }],
    ['[[[1]],7,null]', { oddList: { level: 1, length: 0, index: 1 }, dims: [3, 1, 1] }],
  ])('%s: the first of what is odd is told', (text, told) => {
    for (const slice of [1, 1e9]) expect(tensorOf(text, slice)).toMatchObject(told);
  }); // prettier-ignore

  test.each(['[]', '[[]]', '["a"]', '[["a"],["b"]]', '[{"data":1}]', '5', '"x"', '{}'])(
    '%s is no tensor, since no number comes first',
    (text) => {
      expect(JSON.stringify(readData(text))).toBe(text);
    },
  );

  test('that come after other values are tensors among them', () => {
    const list = readData('[{"data":[1,2]},[],[[3]],"a",4]') as unknown[];
    expect(list[0]).toMatchObject({ data: { dims: [2] } });
    expect(list[1]).toEqual([]);
    expect(list[2]).toMatchObject({ dims: [1, 1] });
    expect(list.slice(3)).toEqual(['a', 4]);
  });

  test.each(['[1,]', '[1', '[[1],]', '[[1],[', '[1 2]', '[1;2]', '[01]', '[-]', '[1.]', '[1e]', '[,1]', '[1,,2]', '[nul]', '[1,nul]', '[1}', '[[1]', '[[1],x]', '[1,"a]'])(
    '%s is refused',
    (text) => {
      for (const slice of [1, 1e9]) expect(() => readData(text, slice)).toThrow(/does not parse/);
    },
  ); // prettier-ignore
});
