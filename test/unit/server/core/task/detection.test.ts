import { describe, expect, test } from 'vitest';
import {
  boxLossTenths,
  classOfBoxes,
  createDetection,
  NOTHING,
  SOMETHING,
  type DetectionMaps,
  trimBoxes,
} from '../../../../../server/core/task/detection.ts';
import { expectClose } from '../../../../support/expect-close.ts';

const MAPS: DetectionMaps = {
  ...{ scores: 1, extents: 0, height: 2, width: 3, objectCount: 2, stride: 8 },
  ...{ cut: 0.4, maxOverlap: 0.5, maxBoxes: 3 },
};

const task = createDetection(MAPS);

/** Outputs of a row with scores at [row, column, object]; boxes of 20 pixels. */
function outputsWith(...peaks: (readonly [number, number, number, number])[]): Float32Array[] {
  const scores = new Float32Array(12);
  for (const [row, column, object, score] of peaks) scores[(row * 3 + column) * 2 + object] = score;
  return [new Float32Array(24).fill(10), scores];
}

describe('an answer of a detector', () => {
  test('is its boxes, best first, and zeros behind them', () => {
    const [boxes, ...others] = task.toAnswer(outputsWith([0, 0, 1, 0.5], [1, 2, 0, 0.75]));
    expect(others).toEqual([]);
    expect([...boxes!]).toEqual([
      ...[6, -2, 26, 18, 0.75, 0],
      ...[-10, -10, 10, 10, 0.5, 1],
      ...[0, 0, 0, 0, 0, 0],
    ]);
  });

  test('leaves out what scores below the cut, and what a better box of its class hides', () => {
    const [boxes] = task.toAnswer(outputsWith([0, 0, 0, 0.9], [0, 2, 0, 0.8], [1, 2, 1, 0.39]));
    expect(boxes![4]).toBeCloseTo(0.9);
    expect(boxes![10]).toBeCloseTo(0.8);
    expect(boxes![16]).toBe(0);
    const [lone] = createDetection({ ...MAPS, maxOverlap: 0.1 }).toAnswer(
      outputsWith([0, 0, 0, 0.9], [0, 2, 0, 0.8]),
    );
    expect(lone![10]).toBe(0);
  });

  test('teaches heads whether there is anything', () => {
    const some = task.toAnswer(outputsWith([1, 1, 0, 0.4]));
    const none = task.toAnswer(outputsWith([1, 1, 0, 0.39]));
    expect([task.classOf(some), task.classOf(none)]).toEqual([SOMETHING, NOTHING]);
    expect([task.confidenceOf(some), task.confidenceOf(none)]).toEqual([NaN, NaN]);
    expectClose(task.logProbabilitiesOf(some), [Math.log(0.001), Math.log(0.999)], { rel: 1e-6 });
    expectClose(task.logProbabilitiesOf(none), [Math.log(0.999), Math.log(0.001)], { rel: 1e-6 });
  });

  test('without outputs is a broken assumption, without an answer it is nothing', () => {
    expect(() => task.toAnswer([])).toThrow('maps of 0 scores and 0 extents');
    expect(task.classOf([])).toBe(NOTHING);
    expect(classOfBoxes(new Float32Array(18))).toBe(NOTHING);
    expect(classOfBoxes(new Float32Array(0))).toBe(NOTHING);
  });
});

test('an exit may only answer that nothing is there, which is an answer without boxes', () => {
  expect(task.answerable).toEqual([NOTHING]);
  const answer = task.earlyAnswer({ logits: Float32Array.of(3, -3), offset: 0 }, 1);
  expect(answer).toEqual([new Float32Array(18)]);
  expect(task.classOf(answer)).toBe(NOTHING);
});

describe('what an early answer loses', () => {
  const some = task.toAnswer(outputsWith([0, 0, 1, 0.5], [1, 2, 0, 0.75]));
  const none = task.toAnswer(outputsWith());

  test('nothing in place of boxes is wholly wrong, in place of nothing it is right', () => {
    expect(task.lossTenthsOf(NOTHING, some)).toBe(10);
    expect(task.lossTenthsOf(NOTHING, none)).toBe(0);
    expect(task.lossTenthsOf(NOTHING, [])).toBe(0);
  });

  test('a head that says something is right where there is something', () => {
    expect(task.lossTenthsOf(SOMETHING, some)).toBe(0);
    expect(task.lossTenthsOf(SOMETHING, none)).toBe(10);
  });

  test('an answer full of boxes is read to its end', () => {
    const full = task.toAnswer(
      outputsWith([0, 0, 0, 0.9], [0, 2, 1, 0.8], [1, 1, 0, 0.7], [1, 2, 1, 0.6]),
    );
    expect(task.lossTenthsOf(NOTHING, full)).toBe(10);
  });

  test('of two outputs is 1 - F1 of their boxes, trimmed or whole', () => {
    const [all] = task.toAnswer(outputsWith([0, 0, 1, 0.5], [1, 2, 0, 0.75]));
    const [one] = task.toAnswer(outputsWith([1, 2, 0, 0.75]));
    const [nothing] = none;
    expect([all, one, nothing].map((boxes) => trimBoxes(boxes!).length)).toEqual([12, 6, 0]);
    expect(trimBoxes(trimBoxes(all!))).toEqual(trimBoxes(all!));
    // One of two boxes: an F1 of 2/3, whose loss is rounded up.
    expect(boxLossTenths(one!, all!)).toBe(4);
    expect(boxLossTenths(trimBoxes(one!), trimBoxes(all!))).toBe(4);
    expect(boxLossTenths(trimBoxes(all!), all!)).toBe(0);
    expect(boxLossTenths(nothing!, nothing!)).toBe(0);
    expect(boxLossTenths(nothing!, all!)).toBe(10);
  });
});

describe('a frame that later ones are compared with', () => {
  const features = Float32Array.of(1, 2);
  const outputs = outputsWith([0, 0, 1, 0.5], [1, 2, 0, 0.375]);
  const key = task.frames!.toKeyFrame(features, outputs);

  test('has the boxes of its answer, and knows what is close to the cut', () => {
    expect(key.features).toEqual(features);
    expect(key.boxes).toHaveLength(1);
    expect(key.boxes[0]).toMatchObject({ score: 0.5, classIndex: 1 });
    expect(key.margin).toBeCloseTo(0.025);
    expect(key.nearCut).toBe(1);
  });

  test('is answered as it was by the backbone, which loses nothing against that', () => {
    const answer = task.frames!.answerOf(key);
    expect(answer).toEqual(task.toAnswer(outputs));
    expect(task.frames!.lossTenths(answer, task.toAnswer(outputs))).toBe(0);
    expect(task.frames!.lossTenths(answer, task.toAnswer(outputsWith()))).toBe(10);
  });
});
