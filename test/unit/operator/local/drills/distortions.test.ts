import { describe, expect, test } from 'vitest';
import { encodeHalf } from '../../../../../crds/wire/half-float.ts';
import {
  distortSource,
  valueRange,
} from '../../../../../operator/local/drills/distorted-source.ts';
import { addNoise, blur, rotate } from '../../../../../operator/local/drills/distortions.ts';
import { imageShape, type ImageShape } from '../../../../../operator/local/drills/image-shape.ts';
import { memorySource } from '../../../../../operator/local/traffic/source.ts';
import { expectClose } from '../../../../support/expect-close.ts';

const plane: ImageShape = { height: 5, width: 5, channels: 1, isPlanar: true };
const point = Float64Array.from({ length: 25 }, (_, i) => (i === 12 ? 100 : 0));

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Three planes of different content, laid out both ways. */
function layouts(): { planar: Float64Array; together: Float64Array } {
  const value = (i: number, c: number): number => ((i * 7 + c * 31) % 13) * 10;
  const planar = Float64Array.from({ length: 75 }, (_, k) => value(k % 25, Math.floor(k / 25)));
  const together = Float64Array.from({ length: 75 }, (_, k) => value(Math.floor(k / 3), k % 3));
  return { planar, together };
}

describe('noise', () => {
  const rows = new Float64Array(20_000).fill(50);

  test('has the deviation that is asked for, and none on average', () => {
    const noisy = addNoise(8, 1)(rows, [0, 3]);
    const differences = noisy.map((value) => value - 50);
    expectClose(sum(differences) / rows.length, 0, { abs: 0.25 });
    expectClose(Math.sqrt(sum(differences.map((d) => d * d)) / rows.length), 8, { rel: 0.05 });
  });

  test('of a row and a pass is always the same, of another never', () => {
    const first = addNoise(8, 1)(rows, [0, 3]);
    expect(addNoise(8, 1)(rows, [0, 3])).toEqual(first);
    for (const row of [
      [0, 4],
      [1, 3],
    ])
      expect(addNoise(8, 1)(rows, row)).not.toEqual(first);
    expect(addNoise(8, 2)(rows, [0, 3])).not.toEqual(first);
  });
});

describe('blur', () => {
  test('spreads a point evenly and loses nothing', () => {
    const blurred = blur(plane, 0.6)(point, []);
    expectClose(sum(blurred), 100, { abs: 1e-9 });
    for (const [a, b] of [
      [7, 17],
      [11, 13],
      [6, 18],
      [7, 11],
    ] as const) {
      expectClose(blurred[a] ?? NaN, blurred[b] ?? Infinity, { abs: 1e-9 });
    }
    expect(blurred[12]).toBeLessThan(60);
    expect(blurred[7]).toBeGreaterThan(5);
  });

  test('leaves an even picture as it is, up to its edges', () => {
    const even = new Float64Array(25).fill(40);
    blur(plane, 2)(even, []).forEach((value) => {
      expectClose(value, 40, { abs: 1e-9 });
    });
  });
});

describe('rotation', () => {
  test('by a quarter turns the picture, by nothing keeps it', () => {
    const picture = Float64Array.from({ length: 25 }, (_, i) => i);
    const turned = rotate(plane, 90)(picture, []);
    // Row y, column x comes from row 4 - x, column y.
    for (let y = 0; y < 5; y++) {
      for (let x = 0; x < 5; x++) {
        expectClose(turned[y * 5 + x] ?? NaN, (4 - x) * 5 + y, { abs: 1e-9 });
      }
    }
    rotate(plane, 0)(picture, []).forEach((value, i) => {
      expectClose(value, i, { abs: 1e-9 });
    });
  });
});

test.each([
  ['blur', (shape: ImageShape) => blur(shape, 1)],
  ['rotation', (shape: ImageShape) => rotate(shape, 33)],
])('%s is the same whether channels lie together or apart, and mixes none', (_, make) => {
  const { planar, together } = layouts();
  const apart = make({ height: 5, width: 5, channels: 3, isPlanar: true })(planar, []);
  const mixed = make({ height: 5, width: 5, channels: 3, isPlanar: false })(together, []);
  const alone = make(plane)(planar.slice(25, 50), []);
  for (let i = 0; i < 25; i++) {
    for (let c = 0; c < 3; c++) {
      expectClose(mixed[3 * i + c] ?? NaN, apart[25 * c + i] ?? Infinity, { abs: 1e-9 });
    }
    expectClose(apart[25 + i] ?? NaN, alone[i] ?? Infinity, { abs: 1e-9 });
  }
});

test.each([
  ['rows and columns', [28, 20], [], { height: 28, width: 20, channels: 1, isPlanar: true }],
  ['colours last', [8, 6, 3], [], { height: 8, width: 6, channels: 3, isPlanar: false }],
  ['colours first', [3, 8, 6], [], { height: 8, width: 6, channels: 3, isPlanar: true }],
  [
    'a flat row, by the model',
    [48],
    [1, 8, 6],
    { height: 8, width: 6, channels: 1, isPlanar: true },
  ],
  ['features', [48], [48], null],
  ['a clip', [2, 3, 8, 6], [], null],
  ['many channels', [16, 8, 6], [], null],
])('a picture: %s', (_, rowShape, modelShape, expected) => {
  expect(imageShape(rowShape, modelShape)).toEqual(expected);
});

describe('a distorted source', () => {
  const bytes = memorySource(
    { name: 'bytes', rowShape: [2, 2], element: 'u1', labels: null },
    Buffer.from([0, 100, 200, 255, 1, 2, 3, 4]),
  );

  test('gives bytes that are rounded and stay in their range, as many as before', () => {
    const distorted = distortSource(bytes, (values) => values.map((value) => 1.5 * value - 10), 0);
    expect([...distorted.readRow(0)]).toEqual([0, 140, 255, 255]);
    expect(distorted.rowCount).toBe(2);
  });

  test('reads a row again as it was sent, and another in the next pass', () => {
    const noise = addNoise(30, 1);
    const sent = Buffer.from(distortSource(bytes, noise, 0).readRow(1));
    expect(distortSource(bytes, noise, 0).readRow(1)).toEqual(sent);
    expect(distortSource(bytes, noise, 1).readRow(1)).not.toEqual(sent);
  });

  test.each([
    ['f4', Buffer.from(Float32Array.from([0.25, -2]).buffer)],
    ['f2', Buffer.from(encodeHalf(Float32Array.from([0.25, -2])).buffer)],
  ] as const)('takes %s rows without a limit', (element, rows) => {
    const source = memorySource({ name: 'f', rowShape: [2], element, labels: null }, rows);
    const tripled = distortSource(source, (values) => values.map((value) => 3 * value), 0);
    const back = distortSource(tripled, (values) => values.map((value) => value / 3), 0);
    expect(back.readRow(0)).toEqual(rows);
    expect(valueRange(source)).toBe(2.25);
  });

  test('measures noise by what rows take: all bytes, or what the first float rows show', () => {
    expect(valueRange(bytes)).toBe(255);
    const even = Buffer.from(Float32Array.from([7, 7]).buffer);
    expect(
      valueRange(memorySource({ name: 'f', rowShape: [2], element: 'f4', labels: null }, even)),
    ).toBe(1);
  });
});
