// How far an early answer is from the backbone's (exits.md 12).
import { WHOLE_LOSS } from '../../../crds/wire/agreement.ts';
import type { Box } from './box.ts';
import { matchBoxes } from './match-boxes.ts';

/** Boxes that overlap this much are the same object. */
const SAME_OBJECT = 0.5;

/**
 * 1 - F1 of the early boxes against the backbone's, in tenths and rounded up, so that what is certified is never less than the
 * loss: 0 only where every box has its partner. Both lists are cut at the service's score before. Two empty lists agree: 0.
 */
export function f1LossTenths(early: readonly Box[], full: readonly Box[]): number {
  const boxes = early.length + full.length;
  if (boxes === 0) return 0;
  const partners = matchBoxes(early, full, SAME_OBJECT).filter((index) => index !== null).length;
  // Of whole numbers: a quotient that is whole comes out whole.
  return Math.ceil((WHOLE_LOSS * (boxes - 2 * partners)) / boxes);
}
