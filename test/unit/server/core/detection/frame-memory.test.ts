import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createFrameMemory,
  type FrameMemory,
  type KeyFrame,
} from '../../../../../server/core/detection/frame-memory.ts';
import { aBox } from '../../../../support/detection/boxes.ts';

const LIMITS = { maxAge: 5, maxSources: 3, maxBytes: 1_000, expiryMs: 1_000 };

const aFrame = (value: number): KeyFrame => ({
  ...{ features: Float32Array.of(value), boxes: [], margin: 0.1, nearCut: 0 },
});

/** Frames of a source a tenth of a second apart; those that need the backbone are kept. Ages, 0 = kept. */
function agesOf(memory: FrameMemory, source: string, frames: number): number[] {
  return Array.from({ length: frames }, (_, i) => {
    const { key, keep } = memory.take(source, 100 * i);
    if (key === null) keep(aFrame(i));
    return key?.age ?? 0;
  });
}

describe('the memory of frames', () => {
  test('lets a key frame answer five, and wants the backbone for the next', () => {
    const ages = agesOf(createFrameMemory(LIMITS), 'a', 14);
    expect(ages).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1]);
  });

  test('wants the backbone for every frame until one was kept', () => {
    const memory = createFrameMemory(LIMITS);
    for (let i = 0; i < 9; i++) expect(memory.take('a', i).key).toBeNull();
  });

  test('gives the frame that was kept last, whole', () => {
    const memory = createFrameMemory(LIMITS);
    memory.take('a', 0).keep(aFrame(1));
    memory.take('a', 10).keep(aFrame(2));
    expect(memory.take('a', 30).key).toEqual({ ...aFrame(2), age: 1 });
  });

  test('counts age from the frame that was kept, however late its answer comes', () => {
    const memory = createFrameMemory(LIMITS);
    const first = memory.take('a', 0);
    for (let i = 1; i < 4; i++) memory.take('a', i);
    first.keep(aFrame(0));
    expect(memory.take('a', 5).key?.age).toBe(4);
    expect(memory.take('a', 6).key?.age).toBe(5);
    expect(memory.take('a', 7).key).toBeNull();
  });

  test('lets no late answer take the place of a later frame', () => {
    const memory = createFrameMemory(LIMITS);
    const [first, second] = [memory.take('a', 0), memory.take('a', 1)];
    second.keep(aFrame(2));
    first.keep(aFrame(1));
    expect(memory.take('a', 2).key).toEqual({ ...aFrame(2), age: 1 });
  });

  test('forgets a source that was silent for longer than the expiry, whoever comes', () => {
    const memory = createFrameMemory(LIMITS);
    memory.take('a', 0).keep(aFrame(1));
    expect(memory.take('a', 1_000).key).not.toBeNull();
    memory.take('b', 2_001);
    expect(memory.size).toBe(1);
    expect(memory.take('a', 2_001).key).toBeNull();
  });

  test('holds as many sources as it may, and drops the one that was silent longest', () => {
    const memory = createFrameMemory(LIMITS);
    for (const source of ['a', 'b', 'c']) memory.take(source, 0).keep(aFrame(0));
    memory.take('a', 1);
    memory.take('d', 2).keep(aFrame(0));
    expect(memory.size).toBe(3);
    for (const source of ['a', 'c', 'd']) expect(memory.take(source, 4).key).not.toBeNull();
    expect(memory.take('b', 3).key).toBeNull();
  });

  test('holds as many bytes as it may', () => {
    const memory = createFrameMemory({ ...LIMITS, maxBytes: 250 });
    const aFull = { ...aFrame(0), features: new Float32Array(10), boxes: [aBox({ score: 0.5 })] };
    memory.take('a', 0).keep(aFull);
    expect(memory.sizeBytes).toBe(140);
    memory.take('b', 0).keep(aFull);
    expect([memory.size, memory.sizeBytes]).toEqual([1, 140]);
    expect(memory.take('b', 1).key).not.toBeNull();
    memory.take('b', 2).keep(aFrame(0));
    expect(memory.sizeBytes).toBe(4);
  });

  test('cleared, it keeps nothing of before and nothing that was under way', () => {
    const memory = createFrameMemory(LIMITS);
    memory.take('a', 0).keep(aFrame(1));
    const late = memory.take('a', 1);
    memory.clear();
    late.keep(aFrame(2));
    expect([memory.size, memory.sizeBytes]).toEqual([0, 0]);
    const next = memory.take('a', 2);
    late.keep(aFrame(2));
    expect(next.key).toBeNull();
    expect(memory.take('a', 3).key).toBeNull();
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
          const own = alone.get(source)!.take(source, i);
          const taken = together.take(source, i);
          expect(taken.key).toEqual(own.key);
          if (taken.key !== null) continue;
          for (const { keep } of [taken, own]) keep(aFrame(i));
        }
      }),
      { seed: 20_261_108 },
    );
  });
});
