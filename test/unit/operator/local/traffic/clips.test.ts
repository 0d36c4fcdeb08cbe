import { describe, expect, test } from 'vitest';
import {
  clipOfPicture,
  compareFrames,
  countClips,
  frameKeys,
  interleaveClips,
} from '../../../../../operator/local/traffic/clips.ts';

/** So many frames of each clip, one clip after the other. */
function framesOf(counts: readonly number[]): { clips: readonly string[]; rowCount: number } {
  const clips = counts.flatMap((count, i) => new Array<string>(count).fill(`clip${i}`));
  return { clips, rowCount: clips.length };
}

describe('the clip of a picture', () => {
  test.each([
    ['its folder', 'street/0001.jpg', 'street'],
    ['all of its folders', 'site/street/day 2/0001.jpg', 'site/street/day 2'],
    ['without a folder its name up to the number', 'street-0001.jpg', 'street'],
    ['numbers inside the name are part of it', 'camera_2_frame.0017.png', 'camera_2_frame'],
    ['a name that is a number is of one clip with all others', '0001.jpg', 'rows'],
    ['letters of any language are a name', 'straße 12.webp', 'straße'],
  ])('%s', (_, file, expected) => {
    expect(clipOfPicture(file)).toBe(expected);
  });
});

test('frames are sorted by number, their clips by letter, and names that differ by zeros stay apart', () => {
  const files = ['7/2.jpg', '12/10.jpg', '12/9.jpg', '12/09.jpg', '12/100.jpg'];
  const sorted = files.map(frameKeys).sort(compareFrames);
  expect(sorted.map(([, , file]) => file)).toEqual([
    ...['12/09.jpg', '12/9.jpg', '12/10.jpg', '12/100.jpg', '7/2.jpg'],
  ]);
  expect(compareFrames(frameKeys('a'), frameKeys('a'))).toBe(0);
});

describe('rows as cameras send them', () => {
  test('keep the order of each clip, and take each clip as often in turn as it is long', () => {
    const { clips, rowCount } = framesOf([4, 2]);
    const order = [...interleaveClips({ clips, rowCount }, 1)];
    expect(order.map((index) => clips[index])).toEqual([
      ...['clip0', 'clip1', 'clip0', 'clip0', 'clip1', 'clip0'],
    ]);
    expect(order.filter((index) => index < 4)).toEqual([0, 1, 2, 3]);
    expect(order.filter((index) => index >= 4)).toEqual([4, 5]);
  });

  test('of more clips than a server would remember in time come in strings of whole clips', () => {
    const { clips, rowCount } = framesOf(new Array<number>(200).fill(5));
    const order = [...interleaveClips({ clips, rowCount }, 1)];
    expect(new Set(order).size).toBe(rowCount);
    const first = new Map<string, number>();
    const last = new Map<string, number>();
    const seen = new Map<string, number[]>();
    for (const [at, index] of order.entries()) {
      const clip = clips[index] ?? '';
      if (!first.has(clip)) first.set(clip, at);
      last.set(clip, at);
      seen.set(clip, [...(seen.get(clip) ?? []), index]);
    }
    for (const frames of seen.values()) expect(frames).toEqual([...frames].sort((a, b) => a - b));
    const atOnce = order.map(
      (_, at) =>
        [...first].filter(([clip, from]) => from <= at && (last.get(clip) ?? 0) >= at).length,
    );
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(64);
    // Which clips come together is the seed's.
    expect([...interleaveClips({ clips, rowCount }, 2)]).not.toEqual(order);
    expect([...interleaveClips({ clips, rowCount }, 1)]).toEqual(order);
  });

  test('of a source that knows no clips are one clip', () => {
    expect([...interleaveClips({ rowCount: 4 }, 1)]).toEqual([0, 1, 2, 3]);
    expect([countClips({}), countClips(framesOf([3, 1]))]).toEqual([1, 2]);
  });
});
