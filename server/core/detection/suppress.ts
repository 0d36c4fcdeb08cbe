import { byScore, overlap, type Box } from './box.ts';

/**
 * Greedy suppression within each class: the box of highest score stays, and those that overlap it by more than `limit` go
 * (at `limit` itself they stay). Highest score first.
 */
export function suppress(boxes: readonly Box[], limit: number): readonly Box[] {
  const kept: Box[] = [];
  for (const box of byScore(boxes)) {
    const isHidden = kept.some(
      (other) => other.classIndex === box.classIndex && overlap(other, box) > limit,
    );
    if (!isHidden) kept.push(box);
  }
  return kept;
}
