/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// Mean average precision as COCO counts it (Lin et al. 2014; pycocotools), without crowds and without ranges of areas.
import { byScore, type Box } from './box.ts';
import { matchBoxes } from './match-boxes.ts';

/** Boxes of an image: what was found, and what a person marked. */
export interface MarkedImage {
  readonly found: readonly Box[];
  readonly marked: readonly Box[];
}

const RECALLS = Array.from({ length: 101 }, (_, i) => i / 100);
const OVERLAPS = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);
/** Of an image and class. */
const MAX_BOXES = 100;

/** Mean over the classes that somebody marked; null where nobody marked anything. */
export interface MeanPrecision {
  /** At an overlap of at least 0.5. */
  readonly at50: number;
  /** Mean over overlaps of 0.5, 0.55 .. 0.95. */
  readonly mean: number;
}

export function meanPrecision(images: readonly MarkedImage[]): MeanPrecision | null {
  const classes = new Set(images.flatMap(({ marked }) => marked.map((box) => box.classIndex)));
  if (classes.size === 0) return null;
  const perOverlap = OVERLAPS.map((least) =>
    average([...classes].map((classIndex) => classPrecision(ofClass(images, classIndex), least))),
  );
  return { at50: perOverlap[0]!, mean: average(perOverlap) };
}

function ofClass(images: readonly MarkedImage[], classIndex: number): readonly MarkedImage[] {
  const only = (boxes: readonly Box[]): readonly Box[] =>
    boxes.filter((box) => box.classIndex === classIndex);
  return images.map(({ found, marked }) => ({
    found: byScore(only(found)).slice(0, MAX_BOXES),
    marked: only(marked),
  }));
}

/** Precision at 101 recalls, where precision never rises with recall; 0 at recalls that are not reached. */
function classPrecision(images: readonly MarkedImage[], least: number): number {
  const total = images.reduce((sum, { marked }) => sum + marked.length, 0);
  const hits = images
    .flatMap(({ found, marked }) => {
      const matched = matchBoxes(found, marked, least);
      return found.map(({ score }, i) => ({ score, isHit: matched[i] !== null }));
    })
    .sort((a, b) => b.score - a.score);
  let right = 0;
  const points = hits.map(({ isHit }, i) => {
    right += isHit ? 1 : 0;
    return { recall: right / total, precision: right / (i + 1) };
  });
  let best = 0;
  const envelope = points.map(({ precision }) => precision);
  for (let i = points.length - 1; i >= 0; i--) envelope[i] = best = Math.max(best, envelope[i]!);
  return average(
    RECALLS.map((wanted) => {
      const at = points.findIndex(({ recall }) => recall >= wanted);
      return at === -1 ? 0 : envelope[at]!;
    }),
  );
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0);
}
