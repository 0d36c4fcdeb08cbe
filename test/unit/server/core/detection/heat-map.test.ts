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
    expect(() => decodeCenters({ ...maps, extents: new Float32Array(3) }, LIMITS)).toThrow(
      'maps of 24 scores and 3 extents are not 3 x 4',
    );
  });
});
