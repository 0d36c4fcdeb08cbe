// Pictures that people marked, for the mean average precision of both answers.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Box } from '../../../server/core/detection/box.ts';
import { decoded, imagesIn } from './frames.ts';
import { SIDE } from './detector-model.ts';
import type { Detector, RecordedFrame } from './record-frames.ts';

export interface MarkedFrame {
  readonly frame: RecordedFrame;
  readonly marked: readonly Box[];
}

/** @param folder with images/ and labels/, a line `class x y width height` per object in shares of the picture. */
export async function recordMarked(folder: string, detector: Detector): Promise<MarkedFrame[]> {
  const frames: MarkedFrame[] = [];
  for (const file of imagesIn(join(folder, 'images'))) {
    const labels = join(folder, 'labels', `${basename(file, '.jpg')}.txt`);
    const lines = readFileSync(labels, 'utf8').trim().split('\n');
    const marked = lines.filter((line) => line !== '').map(toBox);
    frames.push({ frame: detector.run(await decoded(file, SIDE)), marked });
  }
  return frames;
}

function toBox(line: string): Box {
  const [classIndex = NaN, x = NaN, y = NaN, width = NaN, height = NaN] = line
    .split(' ')
    .map(Number);
  return {
    left: (x - width / 2) * SIDE,
    top: (y - height / 2) * SIDE,
    right: (x + width / 2) * SIDE,
    bottom: (y + height / 2) * SIDE,
    ...{ classIndex, score: 1 },
  };
}
