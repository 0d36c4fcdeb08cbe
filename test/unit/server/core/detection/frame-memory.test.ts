import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createFrameMemory,
  type FrameMemory,
  type KeyFrame,
} from '../../../../../server/core/detection/frame-memory.ts';

const LIMITS = { maxAge: 5, maxSources: 3, expiryMs: 1_000 };

const aFrame = (value: number): KeyFrame => ({
  ...{ features: Float32Array.of(value), boxes: [], margin: 0.1, nearCut: 0 },
});

/** Frames of a source a tenth of a second apart; those that need the backbone are kept. Ages, 0 = kept. */
function agesOf(memory: FrameMemory, source: string, frames: number): number[] {
  return Array.from({ length: frames }, (_, i) => {
    const key = memory.recall(source, 100 * i);
    if (key === null) memory.keep(source, aFrame(i), 100 * i);
    return key?.age ?? 0;
  });
}

describe('the memory of frames', () => {
  test('lets a key frame answer five, and wants the backbone for the next', () => {
    const ages = agesOf(createFrameMemory(LIMITS), 'a', 14);
    expect(ages).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1]);
  });

  test('gives the frame that was kept last, whole', () => {
    const memory = createFrameMemory(LIMITS);
    memory.keep('a', aFrame(1), 0);
    memory.recall('a', 10);
    memory.keep('a', aFrame(2), 20);
    expect(memory.recall('a', 30)).toEqual({ ...aFrame(2), age: 1 });
  });

  test('forgets a source that was silent for longer than the expiry', () => {
    const memory = createFrameMemory(LIMITS);
    memory.keep('a', aFrame(1), 0);
    expect(memory.recall('a', 1_000)).not.toBeNull();
    expect(memory.recall('a', 2_001)).toBeNull();
    expect(memory.size).toBe(0);
  });

  test('holds as many sources as it may, and drops the one that was silent longest', () => {
    const memory = createFrameMemory(LIMITS);
    for (const source of ['a', 'b', 'c']) memory.keep(source, aFrame(0), 0);
    memory.recall('a', 1);
    memory.keep('d', aFrame(0), 2);
    expect(memory.size).toBe(3);
    expect(memory.recall('b', 3)).toBeNull();
    for (const source of ['a', 'c', 'd']) expect(memory.recall(source, 4)).not.toBeNull();
  });

  test('never gives a source what another one showed', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b'), { maxLength: 40 }), (order) => {
        const together = createFrameMemory(LIMITS);
        const alone = new Map([
          ['a', createFrameMemory(LIMITS)],
          ['b', createFrameMemory(LIMITS)],
        ]);
        for (const [i, source] of order.entries()) {
          const own = alone.get(source)!;
          const key = together.recall(source, i);
          expect(key).toEqual(own.recall(source, i));
          if (key !== null) continue;
          for (const memory of [together, own]) memory.keep(source, aFrame(i), i);
        }
      }),
      { seed: 20_261_108 },
    );
  });
});
