import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byScore, overlap } from '../../../../../server/core/detection/box.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import { aBox, anyBox } from '../../../../support/detection/boxes.ts';

describe('the overlap of two boxes', () => {
  test.each([
    ['the same box', aBox(), 1],
    ['half of it', aBox({ right: 5 }), 0.5],
    ['shifted by half', aBox({ left: 5, right: 15 }), 1 / 3],
    ['a corner', aBox({ left: 5, top: 5, right: 15, bottom: 15 }), 25 / 175],
    ['side by side', aBox({ left: 10, right: 20 }), 0],
    ['far away', aBox({ left: 50, right: 60, top: 50, bottom: 60 }), 0],
    ['without area', aBox({ right: 0 }), 0],
    ['turned over', aBox({ left: 10, right: 0 }), 0],
    ['not a number', aBox({ left: NaN }), 0],
  ])('%s', (_, other, expected) => {
    expectClose(overlap(aBox(), other), expected, { rel: 1e-15 });
    expectClose(overlap(other, aBox()), expected, { rel: 1e-15 });
  });

  test('of two boxes without area is 0, not a quotient of nothing', () => {
    expect(overlap(aBox({ right: 0 }), aBox({ right: 0 }))).toBe(0);
  });

  test('lies in 0..1, and is 1 for a box and itself', () => {
    fc.assert(
      fc.property(anyBox, anyBox, (a, b) => {
        expect(overlap(a, b)).toBeGreaterThanOrEqual(0);
        expect(overlap(a, b)).toBeLessThanOrEqual(1);
        expect(overlap(a, a)).toBe(1);
      }),
      { seed: 20_261_101 },
    );
  });
});

test('boxes come by falling score, equal ones in their order', () => {
  const boxes = [
    aBox({ score: 0.2 }),
    aBox({ score: 0.8, left: 1 }),
    aBox({ score: 0.8, left: 2 }),
  ];
  expect(byScore(boxes)).toEqual([boxes[1], boxes[2], boxes[0]]);
  expect(boxes[0]?.score).toBe(0.2);
});
