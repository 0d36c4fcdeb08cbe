// Against TensorFlow.js: its max pooling, top-k and suppression on the same tensors.
import {
  cast,
  equal,
  image,
  maxPool,
  mul,
  reshape,
  tensor3d,
  tensor1d,
  tensor2d,
  tidy,
  topk,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Box } from '../../../../../server/core/detection/box.ts';
import { decodeCenters, type CenterMaps } from '../../../../../server/core/detection/heat-map.ts';
import { suppress } from '../../../../../server/core/detection/suppress.ts';
import { startBackend } from '../../../../../server/engine/tfjs/backend.ts';
import { aBox } from '../../../../support/detection/boxes.ts';
import { seededRandom } from '../../../../support/seeded-random.ts';

beforeAll(() => startBackend('wasm'));

const SHAPE = { height: 12, width: 9, classCount: 5, stride: 4 };

function someMaps(seed: number, levels: number): CenterMaps {
  const random = seededRandom([20_261_105, seed]);
  const { height, width, classCount } = SHAPE;
  const places = height * width;
  const scores = Float32Array.from({ length: places * classCount }, () =>
    // Few levels: plateaus and equal scores.
    Math.fround(Math.floor(random.uniform() * levels) / levels),
  );
  const extents = Float32Array.from({ length: places * 4 }, () => random.uniform() * 20);
  return { ...SHAPE, scores, extents };
}

/** Centres as the authors find them: where 3 x 3 max pooling changes nothing, the k highest. */
function peaksByTensorFlow({ height, width, classCount, scores }: CenterMaps, k: number) {
  return tidy(() => {
    const map = tensor3d(scores, [height, width, classCount]);
    const isPeak = equal(maxPool(map, 3, 1, 'same'), map);
    const { values, indices } = topk(reshape(mul(map, cast(isPeak, 'float32')), [-1]), k);
    return { scores: values.dataSync(), indices: indices.dataSync<'int32'>() };
  });
}

describe('peaks of a heat map', () => {
  test.each([
    ['scores that differ', 1_000_000, 0.5, 40],
    ['plateaus', 6, 0.4, 200],
    ['the highest of many', 1_000_000, 0, 7],
  ])('are those of TensorFlow.js: %s', (_, levels, cut, maxBoxes) => {
    for (let seed = 0; seed < 10; seed++) {
      const maps = someMaps(seed, levels);
      const boxes = decodeCenters(maps, { cut, maxBoxes });
      const { scores, indices } = peaksByTensorFlow(maps, maxBoxes);
      const wanted = [...indices].filter((_, i) => scores[i]! >= cut && scores[i]! > 0);
      expect(new Set(boxes.map((box) => placeOf(maps, box)))).toEqual(new Set(wanted));
      expect(boxes.map(({ score }) => score)).toEqual([...scores].slice(0, wanted.length));
    }
  });
});

/** Index into the map of the peak that a box came from. */
function placeOf({ width, classCount, stride, extents }: CenterMaps, box: Box): number {
  for (let place = 0; place < extents.length / 4; place++) {
    const left = (place % width) * stride - extents[place * 4]!;
    const top = Math.floor(place / width) * stride - extents[place * 4 + 1]!;
    if (left === box.left && top === box.top) return place * classCount + box.classIndex;
  }
  return -1;
}

describe('suppression', () => {
  test('keeps of each class what TensorFlow.js keeps', () => {
    const random = seededRandom([20_261_106]);
    for (let run = 0; run < 20; run++) {
      const boxes = Array.from({ length: 30 }, () => {
        const [left, top] = [random.uniform() * 40, random.uniform() * 40];
        const [width, height] = [5 + random.uniform() * 20, 5 + random.uniform() * 20];
        const classIndex = Math.floor(random.uniform() * 2);
        const corners = { left, top, right: left + width, bottom: top + height };
        return aBox({ ...corners, classIndex, score: random.uniform() });
      });
      const kept = suppress(boxes, 0.4);
      for (const classIndex of [0, 1]) {
        const own = boxes.filter((box) => box.classIndex === classIndex);
        expect(kept.filter((box) => box.classIndex === classIndex)).toEqual(
          keptByTensorFlow(own, 0.4),
        );
      }
    }
  });

  test('at the limit itself a box stays, above it goes', () => {
    const half = aBox({ right: 5, score: 0.5 });
    expect(suppress([half, aBox()], 0.5)).toEqual([aBox(), half]);
    expect(suppress([half, aBox()], 0.49)).toEqual([aBox()]);
  });

  test('another class hides nothing', () => {
    const other = aBox({ classIndex: 1, score: 0.2 });
    expect(suppress([aBox(), other], 0.5)).toEqual([aBox(), other]);
  });
});

function keptByTensorFlow(boxes: readonly Box[], limit: number): Box[] {
  const kept = tidy(() => {
    const corners = boxes.map(({ left, top, right, bottom }) => [top, left, bottom, right]);
    const scores = tensor1d(boxes.map(({ score }) => score));
    return image.nonMaxSuppression(tensor2d(corners), scores, boxes.length, limit).dataSync();
  });
  return Array.from(kept, (index) => boxes[index]!);
}
