import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { f1LossTenths } from '../../../../../server/core/detection/f1-loss.ts';
import { matchBoxes } from '../../../../../server/core/detection/match-boxes.ts';
import { aBox, someBoxes } from '../../../../support/detection/boxes.ts';

/** Boxes far from each other. */
const boxes = (count: number) =>
  Array.from({ length: count }, (_, i) => aBox({ left: 20 * i, right: 20 * i + 10 }));

describe('the loss of boxes in tenths', () => {
  test.each([
    ['two empty answers agree', 0, 0, 0],
    ['the same boxes agree', 3, 3, 0],
    ['nothing instead of something is wholly wrong', 0, 3, 10],
    ['something instead of nothing is wholly wrong', 2, 0, 10],
    ['one of two missed: F1 = 2/3, loss 1/3, rounded up', 1, 2, 4],
    ['one too many of nine: F1 = 16/17, loss 1/17, rounded up', 9, 8, 1],
    ['one missed of three: F1 = 4/5, loss 1/5, not rounded', 2, 3, 2],
    ['F1 = 9/10 exactly: 1, not 2', 11, 9, 1],
  ])('%s', (_, early, full, tenths) => {
    expect(f1LossTenths(boxes(early), boxes(full))).toBe(tenths);
  });

  test('a box elsewhere, or of another class, is missing and one too many', () => {
    expect(f1LossTenths([aBox({ top: 30, bottom: 40 })], [aBox()])).toBe(10);
    expect(f1LossTenths([aBox({ classIndex: 4 })], [aBox()])).toBe(10);
  });

  test('is whole, never below 1 - F1, and less than a tenth above it', () => {
    fc.assert(
      fc.property(someBoxes, someBoxes, (early, full) => {
        const tenths = f1LossTenths(early, full);
        const all = early.length + full.length;
        const pairs = matchBoxes(early, full, 0.5).filter((index) => index !== null).length;
        const loss = all === 0 ? 0 : 1 - (2 * pairs) / all;
        expect(Number.isInteger(tenths)).toBe(true);
        expect(tenths / 10).toBeGreaterThanOrEqual(loss - 1e-12);
        expect(tenths / 10).toBeLessThan(loss + 0.1);
      }),
      { seed: 20_261_103, numRuns: 500 },
    );
  });

  test('of an answer against itself is 0', () => {
    fc.assert(
      fc.property(someBoxes, (answer) => {
        expect(f1LossTenths(answer, answer)).toBe(0);
      }),
      { seed: 20_261_104 },
    );
  });
});
