import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readJsonRows } from '../../operator/local/traffic/json-rows.ts';

const CLASSES = 10;
const PIXELS = 784;

/** The first pictures of each class of the example's data, the classes in turn. */
export function examplePictures(ofEachClass: number): readonly Buffer[] {
  const require = createRequire(import.meta.url);
  const byClass = Array.from({ length: CLASSES }, (_, label) => {
    const text = readFileSync(require.resolve(`fashion-mnist/src/clothes/${label}.json`));
    const pictures: Buffer[] = [];
    for (const row of readJsonRows(text)) {
      if (row.length === PIXELS) pictures.push(row);
      if (pictures.length === ofEachClass) break;
    }
    return pictures;
  });
  return Array.from({ length: ofEachClass * CLASSES }, (_, i) => {
    return byClass[i % CLASSES]![Math.floor(i / CLASSES)]!;
  });
}

/** A request of the Open Inference Protocol for one picture, or for the pixels of many. */
export function pictureBody(pixels: Iterable<number>, more: object = {}): string {
  const data = [...pixels];
  const shape = [Math.max(1, Math.floor(data.length / PIXELS)), 1, 28, 28];
  return JSON.stringify({
    inputs: [{ name: 'image', shape, datatype: 'FP32', data }],
    ...more,
  });
}

/** Finite numbers that overflow on their way through the network. */
export const OVERFLOWING: readonly number[] = new Array<number>(PIXELS).fill(3e38);
