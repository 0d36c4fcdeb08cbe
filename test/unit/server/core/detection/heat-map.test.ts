import { describe, expect, test } from 'vitest';
import { decodeCenters, type CenterMaps } from '../../../../../server/core/detection/heat-map.ts';
import { InvariantError } from '../../../../../server/core/invariant.ts';

const LIMITS = { cut: 0.3, maxBoxes: 100 };

/** A map of 3 x 4 places and 2 classes, with scores at [row, column, class]. */
function mapsWith(...peaks: (readonly [number, number, number, number])[]): CenterMaps {
  const scores = new Float32Array(24);
  for (const [row, column, classIndex, score] of peaks)
    scores[(row * 4 + column) * 2 + classIndex] = score;
  const extents = Float32Array.from({ length: 48 }, (_, i) => [1, 2, 3, 4][i % 4]!);
  return { height: 3, width: 4, classCount: 2, stride: 8, scores, extents };
}

describe('boxes of a heat map', () => {
  test('a peak is a box around its place', () => {
    const [box, ...others] = decodeCenters(mapsWith([1, 2, 1, 0.5]), LIMITS);
    expect(box).toEqual({ left: 15, top: 6, right: 19, bottom: 12, classIndex: 1, score: 0.5 });
    expect(others).toEqual([]);
  });

  test('at the cut it is one, below it not', () => {
    expect(decodeCenters(mapsWith([1, 2, 1, 0.5]), { ...LIMITS, cut: 0.5 })).toHaveLength(1);
    expect(decodeCenters(mapsWith([1, 2, 1, 0.5]), { ...LIMITS, cut: 0.51 })).toEqual([]);
  });

  test('beside a higher one of its class it is none, beside another class it is', () => {
    const scores = decodeCenters(mapsWith([0, 0, 0, 0.9], [1, 1, 0, 0.6], [0, 1, 1, 0.4]), LIMITS);
    expect(scores.map(({ classIndex, score }) => [classIndex, Number(score.toFixed(2))])).toEqual([
      [0, 0.9],
      [1, 0.4],
    ]);
  });

  const AROUND = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => [down, right] as const));

  test.each(AROUND.filter(([down, right]) => down !== 0 || right !== 0))(
    'a higher one %i down and %i to the right hides it in each class',
    (down, right) => {
      for (const classIndex of [0, 1]) {
        const maps = mapsWith([1, 1, classIndex, 0.6], [1 + down, 1 + right, classIndex, 0.9]);
        const boxes = decodeCenters(maps, LIMITS);
        expect(boxes.map(({ score }) => Number(score.toFixed(2)))).toEqual([0.9]);
      }
    },
  );

  test.each([
    ['two rows below', [0, 1], [2, 1]],
    ['two rows above', [2, 1], [0, 1]],
    ['two columns to the right', [1, 0], [1, 2]],
    ['two columns to the left', [1, 3], [1, 1]],
    ['at the start of the next row', [0, 3], [1, 0]],
    ['at the end of the row before', [1, 0], [0, 3]],
  ] as const)('a higher one %s hides nothing', (_, [row, column], [otherRow, otherColumn]) => {
    const maps = mapsWith([row, column, 1, 0.6], [otherRow, otherColumn, 1, 0.9]);
    expect(decodeCenters(maps, LIMITS)).toHaveLength(2);
  });

  test('come by falling score, and no more than are asked for', () => {
    const maps = mapsWith([0, 0, 0, 0.4], [2, 3, 1, 0.9], [0, 3, 0, 0.6]);
    const scores = (maxBoxes: number): number[] =>
      decodeCenters(maps, { ...LIMITS, maxBoxes }).map(({ score }) => Number(score.toFixed(2)));
    expect(scores(100)).toEqual([0.9, 0.6, 0.4]);
    expect(scores(2)).toEqual([0.9, 0.6]);
  });

  test('rows of the map do not touch around its edge', () => {
    expect(decodeCenters(mapsWith([0, 3, 0, 0.9], [2, 0, 0, 0.6]), LIMITS)).toHaveLength(2);
    expect(decodeCenters(mapsWith([0, 3, 0, 0.9], [1, 0, 0, 0.6]), LIMITS)).toHaveLength(2);
  });

  test('what is not a number makes no box', () => {
    const maps = mapsWith([1, 2, 1, 0.5], [0, 0, 0, NaN]);
    expect(decodeCenters(maps, LIMITS)).toHaveLength(1);
    maps.extents.fill(Infinity);
    expect(decodeCenters(maps, LIMITS)).toEqual([]);
  });

  test('maps of another size are a broken assumption', () => {
    const maps = mapsWith();
    expect(() => decodeCenters({ ...maps, width: 5 }, LIMITS)).toThrow(InvariantError);
    expect(() => decodeCenters({ ...maps, classCount: 3 }, LIMITS)).toThrow(InvariantError);
    expect(() => decodeCenters({ ...maps, extents: new Float32Array(3) }, LIMITS)).toThrow(
      'maps of 24 scores and 3 extents are not 3 x 4',
    );
  });
});
