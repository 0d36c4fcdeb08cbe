import { expect, test } from 'vitest';
import { frameDistance } from '../../../../../server/core/detection/frame-distance.ts';
import { expectClose } from '../../../../support/expect-close.ts';

test('frames are apart by the mean over cells and channels, and by their most changed cell', () => {
  // Two cells of two channels; the second cell changes by 4 and by 1, in spreads 2 and 1.
  const distance = frameDistance(Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 2, 7, 3), [2, 1]);
  expectClose(distance.mean, (2 + 1) / 4, { rel: 1e-12 });
  expectClose(distance.largest, (2 + 1) / 2, { rel: 1e-12 });
});

test('a frame and itself are not apart', () => {
  const frame = Float32Array.of(1, 2, 3, 4);
  expect(frameDistance(frame, frame, [1, 1])).toEqual({ mean: 0, largest: 0 });
});

test('what is not a number stays none, in whatever cell', () => {
  const frame = Float32Array.of(1, 2, 3, 4);
  const broken = Float32Array.of(NaN, 2, 9, 4);
  const { mean, largest } = frameDistance(frame, broken, [1, 1]);
  expect([mean, largest]).toEqual([NaN, NaN]);
});

test.each([
  ['other lengths', 4, 6, 2],
  ['cells that are cut', 3, 3, 2],
  ['no features', 0, 0, 2],
])('%s are a broken assumption', (_, a, b, channels) => {
  const scale = new Array<number>(channels).fill(1);
  expect(() => frameDistance(new Float32Array(a), new Float32Array(b), scale)).toThrow(
    `frames of ${a} and ${b} features, ${channels} channels`,
  );
});
