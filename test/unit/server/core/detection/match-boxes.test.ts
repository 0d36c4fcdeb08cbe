import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byScore, overlap } from '../../../../../server/core/detection/box.ts';
import { matchBoxes } from '../../../../../server/core/detection/match-boxes.ts';
import { aBox, someBoxes } from '../../../../support/detection/boxes.ts';

test('a box takes the reference box that it overlaps most', () => {
  const reference = [aBox({ left: 3, right: 13 }), aBox({ left: 1, right: 11 })];
  expect(matchBoxes([aBox()], reference, 0.5)).toEqual([1]);
});

test('the box of higher score chooses first, whatever the order', () => {
  const sure = aBox({ score: 0.9, left: 2, right: 12 });
  const unsure = aBox({ score: 0.4 });
  expect(matchBoxes([unsure, sure], [aBox()], 0.5)).toEqual([0, null]);
});

test('another class, and an overlap below the least, are no partners', () => {
  expect(matchBoxes([aBox({ classIndex: 1 })], [aBox()], 0.5)).toEqual([null]);
  expect(matchBoxes([aBox({ left: 5, right: 15 })], [aBox()], 0.5)).toEqual([null]);
});

test('an overlap of exactly the least is one', () => {
  expect(matchBoxes([aBox({ right: 5 })], [aBox()], 0.5)).toEqual([0]);
});

test('of equal overlaps the first reference box is taken', () => {
  expect(matchBoxes([aBox()], [aBox(), aBox()], 0.5)).toEqual([0]);
});

test('boxes that share nothing are no partners at any least overlap', () => {
  expect(matchBoxes([aBox()], [aBox({ left: 20, right: 30 })], 0)).toEqual([null]);
});

test('partners are of one class, overlap enough, and belong to one box each', () => {
  fc.assert(
    fc.property(someBoxes, someBoxes, (found, reference) => {
      const partners = matchBoxes(found, reference, 0.5);
      const taken = partners.filter((index) => index !== null);
      expect(partners).toHaveLength(found.length);
      expect(new Set(taken).size).toBe(taken.length);
      for (const [i, box] of byScore(found).entries()) {
        const partner = partners[i] ?? null;
        if (partner === null) {
          // Nothing that was left over at the end would have fitted.
          const left = reference.filter((_, index) => !taken.includes(index));
          const fitting = left.filter((other) => other.classIndex === box.classIndex);
          expect(fitting.every((other) => overlap(box, other) < 0.5)).toBe(true);
        } else {
          expect(reference[partner]?.classIndex).toBe(box.classIndex);
          expect(overlap(box, reference[partner]!)).toBeGreaterThanOrEqual(0.5);
        }
      }
    }),
    { seed: 20_261_102, numRuns: 300 },
  );
});
