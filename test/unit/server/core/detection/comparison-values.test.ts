import { expect, test } from 'vitest';
import { COMPARISON_VALUES } from '../../../../../crds/wire/previous-frame.ts';
import {
  comparisonValues,
  previousFrameValues,
  toKeyFrame,
} from '../../../../../server/core/detection/previous-frame.ts';
import { aBox } from '../../../../support/detection/boxes.ts';
import { expectClose } from '../../../../support/expect-close.ts';

/** Two cells of two channels: of sizes 2 and 4. */
const FEATURES = Float32Array.of(1, -5, 3, 3);
const NEXT = Float32Array.of(1, -5, 3, 5);

test('distances are in units of what the channel is in the key frame', () => {
  const key = { ...toKeyFrame(FEATURES, [aBox({ score: 0.42 })], 0.4), age: 2 };
  const values = comparisonValues(key, NEXT, 2);
  expect(values).toHaveLength(COMPARISON_VALUES);
  expectClose([...values.subarray(0, 11)], previousFrameValues(key, NEXT, [2, 4]), { rel: 1e-6 });
  expect(values[11]).toBe(1);
});

test('a key frame without boxes says so', () => {
  const key = { ...toKeyFrame(FEATURES, [], 0.4), age: 1 };
  expect(comparisonValues(key, FEATURES, 2)[11]).toBe(0);
});

test('a channel that is silent in the key frame weighs a tenth of the mean of all', () => {
  const key = { ...toKeyFrame(Float32Array.of(0, 4, 0, 4), [], 0.4), age: 1 };
  const next = Float32Array.of(1, 4, 0, 4);
  expectClose(
    [...comparisonValues(key, next, 2).subarray(0, 11)],
    previousFrameValues(key, next, [0.2, 4]),
    { rel: 1e-6 },
  );
});

test('a key frame of zeros compares as it is, and numbers that are not finite stay so', () => {
  const key = { ...toKeyFrame(new Float32Array(4), [], 0.4), age: 1 };
  expectClose([comparisonValues(key, Float32Array.of(0, 1, 0, 0), 2)[0]!], [Math.log(0.501)], {
    rel: 1e-3,
  });
  expect(comparisonValues(key, Float32Array.of(NaN, 1, 0, 0), 2)[0]).toBeNaN();
});
