import { byScore, overlap, type Box } from './box.ts';

/**
 * Pairs boxes greedily: found ones by falling score, each with the free reference box of its class that it overlaps most,
 * if by at least `least`. Of equal overlaps the first reference box is taken.
 * @returns per found box, by falling score, the index of its reference box, or null.
 */
export function matchBoxes(
  found: readonly Box[],
  reference: readonly Box[],
  least: number,
): readonly (number | null)[] {
  const free = new Set(reference.keys());
  return byScore(found).map((box) => {
    let best: number | null = null;
    let bestOverlap = 0;
    for (const index of free) {
      const other = reference[index];
      if (other?.classIndex !== box.classIndex) continue;
      const shared = overlap(box, other);
      if (shared < least || shared <= bestOverlap) continue;
      best = index;
      bestOverlap = shared;
    }
    if (best !== null) free.delete(best);
    return best;
  });
}
