import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { meanPrecision } from '../../../../../server/core/detection/average-precision.ts';
import type { Box } from '../../../../../server/core/detection/box.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import { aBox } from '../../../../support/detection/boxes.ts';

type Corners = readonly [number, number, number, number, number, number?];

function toBox([left, top, right, bottom, classIndex, score = 1]: Corners): Box {
  return { left, top, right, bottom, classIndex, score };
}

describe('mean average precision', () => {
  // Made by test/support/detection/coco_precision.py.
  test('is what pycocotools says of the same boxes', () => {
    const saved = JSON.parse(
      readFileSync('test/support/detection/coco-precision.json', 'utf8'),
    ) as {
      readonly at50: number;
      readonly mean: number;
      readonly images: readonly {
        readonly found: readonly Corners[];
        readonly marked: readonly Corners[];
      }[];
    };
    const images = saved.images.map(({ found, marked }) => ({
      found: found.map(toBox),
      marked: marked.map(toBox),
    }));
    const precision = meanPrecision(images);
    expectClose(precision?.at50 ?? NaN, saved.at50, { rel: 1e-12 });
    expectClose(precision?.mean ?? NaN, saved.mean, { rel: 1e-12 });
  });

  test('of what was marked is 1, and of nothing found 0', () => {
    const marked = [aBox(), aBox({ left: 30, right: 40, classIndex: 2 })];
    expectClose(meanPrecision([{ found: marked, marked }])?.mean ?? NaN, 1, { rel: 1e-12 });
    expect(meanPrecision([{ found: [], marked }])).toEqual({ at50: 0, mean: 0 });
  });

  test('is unknown where nobody marked anything', () => {
    expect(meanPrecision([{ found: [aBox()], marked: [] }])).toBeNull();
  });

  test('counts no class that nobody marked', () => {
    const images = [{ found: [aBox(), aBox({ classIndex: 7 })], marked: [aBox()] }];
    expectClose(meanPrecision(images)?.at50 ?? NaN, 1, { rel: 1e-12 });
  });

  test('counts the hundred surest boxes of an image and class', () => {
    const found = Array.from({ length: 100 }, () => aBox({ left: 50, right: 60, score: 0.5 }));
    const late = [{ found: [...found, aBox({ score: 0.1 })], marked: [aBox()] }];
    expect(meanPrecision(late)?.at50).toBe(0);
  });
});
