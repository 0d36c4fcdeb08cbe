import fc from 'fast-check';
import type { Box } from '../../../server/core/detection/box.ts';

/** A square of 10 x 10 pixels. */
export function aBox(changes: Partial<Box> = {}): Box {
  return { left: 0, top: 0, right: 10, bottom: 10, classIndex: 0, score: 0.9, ...changes };
}

/** On a coarse grid, so that boxes often overlap, touch and coincide. */
export const anyBox: fc.Arbitrary<Box> = fc
  .record({
    left: fc.integer({ min: 0, max: 6 }),
    top: fc.integer({ min: 0, max: 6 }),
    width: fc.integer({ min: 1, max: 4 }),
    height: fc.integer({ min: 1, max: 4 }),
    classIndex: fc.integer({ min: 0, max: 1 }),
    score: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
  })
  .map(({ width, height, ...box }) => ({
    ...box,
    right: box.left + width,
    bottom: box.top + height,
  }));

export const someBoxes = fc.array(anyBox, { maxLength: 8 });
