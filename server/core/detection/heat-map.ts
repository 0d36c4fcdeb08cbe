/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over maps of known size */
// From the maps of a CenterNet (Zhou, Wang, Krähenbühl, "Objects as Points", 2019) to boxes: an object is a local maximum of its
// class's map, and its extents stand in the second map at that place.
import { invariant } from '../invariant.ts';
import type { Box } from './box.ts';

/** The outputs of a row, channels last. */
export interface CenterMaps {
  readonly height: number;
  readonly width: number;
  readonly classCount: number;
  /** [height, width, classCount], in 0..1. */
  readonly scores: Float32Array;
  /** [height, width, 4]: pixels from the centre to the left, the top, the right and the bottom. */
  readonly extents: Float32Array;
  /** Pixels of the input per place of the maps. */
  readonly stride: number;
}

/** Which peaks are boxes. */
export interface PeakLimits {
  /** Least score. */
  readonly cut: number;
  readonly maxBoxes: number;
}

/**
 * Places whose score is at least the cut and no smaller than at their eight neighbours, the `maxBoxes` highest, by falling score;
 * of equal scores the one that comes first in the map. Scores and extents that are not finite make no box.
 */
export function decodeCenters(maps: CenterMaps, { cut, maxBoxes }: PeakLimits): readonly Box[] {
  const { height, width, classCount, scores, extents } = maps;
  invariant(
    scores.length === height * width * classCount && extents.length === height * width * 4,
    `maps of ${scores.length} scores and ${extents.length} extents are not ${height} x ${width}`,
  );
  const boxes: Box[] = [];
  for (let index = 0; index < scores.length; index++) {
    if (!(scores[index]! >= cut && isPeak(maps, index))) continue;
    const box = boxAt(maps, index);
    if (box !== null) boxes.push(box);
  }
  return boxes.sort((a, b) => b.score - a.score).slice(0, maxBoxes);
}

function isPeak({ height, width, classCount, scores }: CenterMaps, index: number): boolean {
  const place = Math.floor(index / classCount);
  const [row, column] = [Math.floor(place / width), place % width];
  for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
      if (scores[(y * width + x) * classCount + (index % classCount)]! > scores[index]!)
        return false;
    }
  }
  return true;
}

function boxAt(
  { width, classCount, scores, extents, stride }: CenterMaps,
  index: number,
): Box | null {
  const place = Math.floor(index / classCount);
  const [x, y] = [(place % width) * stride, Math.floor(place / width) * stride];
  const box = {
    left: x - extents[place * 4]!,
    top: y - extents[place * 4 + 1]!,
    right: x + extents[place * 4 + 2]!,
    bottom: y + extents[place * 4 + 3]!,
    classIndex: index % classCount,
    score: scores[index]!,
  };
  return Object.values(box).every(Number.isFinite) ? box : null;
}
