/** One detected object: corners in the pixels that the model sees, left <= right and top <= bottom. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly classIndex: number;
  /** The model's own, in 0..1. */
  readonly score: number;
}

/**
 * Area of the intersection over area of the union, in 0..1. Boxes without area, and corners that are not numbers, overlap
 * nothing: 0.
 */
export function overlap(a: Box, b: Box): number {
  const shared = extent(
    Math.min(a.right, b.right) - Math.max(a.left, b.left),
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
  );
  const union = area(a) + area(b) - shared;
  return shared > 0 && union > 0 ? shared / union : 0;
}

const area = ({ left, top, right, bottom }: Box): number => extent(right - left, bottom - top);

const extent = (width: number, height: number): number =>
  width > 0 && height > 0 ? width * height : 0;

/** Highest score first; equal scores keep their order. */
export function byScore(boxes: readonly Box[]): readonly Box[] {
  return [...boxes].sort((a, b) => b.score - a.score);
}
