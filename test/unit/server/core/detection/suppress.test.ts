import { describe, expect, test } from 'vitest';
import type { Box } from '../../../../../server/core/detection/box.ts';
import { suppress } from '../../../../../server/core/detection/suppress.ts';
import { aBox } from '../../../../support/detection/boxes.ts';

const at = (left: number, score: number, classIndex = 0): Box =>
  aBox({ left, right: left + 10, score, classIndex });

const lefts = (boxes: readonly Box[]): readonly number[] => boxes.map(({ left }) => left);

describe('of boxes that overlap by more than the limit', () => {
  test('the highest score stays, whatever the order', () => {
    const boxes = [at(1, 0.5), at(0, 0.9), at(2, 0.7)];
    expect(lefts(suppress(boxes, 0.5))).toEqual([0]);
    expect(lefts(suppress([...boxes].reverse(), 0.5))).toEqual([0]);
  });

  test('those of other classes stay', () => {
    expect(lefts(suppress([at(0, 0.9), at(1, 0.5, 1)], 0.5))).toEqual([0, 1]);
  });

  test('one that is hidden hides no other', () => {
    // 0 and 4 share 6 of 14, 4 and 8 too; 0 and 8 share 2 of 18.
    const boxes = [at(0, 0.9), at(4, 0.8), at(8, 0.7)];
    expect(lefts(suppress(boxes, 0.4))).toEqual([0, 8]);
  });
});

test('boxes that overlap by the limit itself stay, the highest score first', () => {
  // 5 of 15.
  expect(lefts(suppress([at(5, 0.5), at(0, 0.9)], 1 / 3))).toEqual([0, 5]);
  expect(lefts(suppress([at(5, 0.5), at(0, 0.9)], 0.33))).toEqual([0]);
});
