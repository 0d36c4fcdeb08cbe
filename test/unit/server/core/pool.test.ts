import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coarsenPooled, finestPool, poolActivation } from '../../../../server/core/pool.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import type { PoolSize } from '../../../../crds/wire/head-bundle.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const SEED = 20_260_101;
const anExtent = fc.record({
  rows: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 4, max: 9 }),
  width: fc.integer({ min: 4, max: 9 }),
  channels: fc.integer({ min: 1, max: 5 }),
  seed: fc.integer(),
});

function values(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
}

describe('finest pool', () => {
  test.each<[number, number, number, PoolSize]>([
    [16, 28, 28, 4],
    [128, 7, 7, 4],
    [129, 7, 7, 2],
    [512, 7, 7, 2],
    [513, 7, 7, 1],
    [16, 3, 28, 2],
    [16, 28, 3, 2],
    [16, 4, 4, 4],
    [16, 1, 28, 1],
    [4096, 1, 1, 1],
  ])('%i channels of %i x %i keep a pool of %i', (channels, height, width, pool) => {
    expect(finestPool(channels, height, width)).toBe(pool);
  });
});

describe('cells', () => {
  test('a side of 7 is cut at 0, 1, 3, 5, 7 by four cells and at 0, 3, 7 by two', () => {
    const shape = { rows: 1, height: 7, width: 7, channels: 1, layout: 'NHWC' } as const;
    const rowNumbers = Float32Array.from({ length: 49 }, (_, i) => Math.floor(i / 7));
    expect([...poolActivation(rowNumbers, shape, 4)].filter((_, i) => i % 4 === 0)).toEqual([
      0, 1.5, 3.5, 5.5,
    ]);
    expect([...poolActivation(rowNumbers, shape, 2)].filter((_, i) => i % 2 === 0)).toEqual([
      1, 4.5,
    ]);
  });

  test('every position counts in exactly one cell', () => {
    fc.assert(
      fc.property(anExtent, fc.constantFrom(1, 2, 4), ({ height, width }, pool) => {
        const shape = { rows: 1, height, width, channels: 1, layout: 'NHWC' } as const;
        for (let position = 0; position < height * width; position++) {
          const one = new Float32Array(height * width);
          one[position] = 1;
          const pooled = poolActivation(one, shape, pool);
          expect(pooled.filter((value) => value > 0).length).toBe(1);
        }
      }),
      { seed: SEED, numRuns: 30 },
    );
  });

  test('the index is (cell row * pool + cell column) * channels + channel in both layouts', () => {
    const shape = { rows: 1, height: 2, width: 2, channels: 3 };
    const channelsLast = Float32Array.from({ length: 12 }, (_, i) => i);
    const channelsFirst = Float32Array.from(
      { length: 12 },
      (_, i) => channelsLast[(i % 4) * 3 + Math.floor(i / 4)]!,
    );
    expect([...poolActivation(channelsLast, { ...shape, layout: 'NHWC' }, 2)]).toEqual([
      ...channelsLast,
    ]);
    expect([...poolActivation(channelsFirst, { ...shape, layout: 'NCHW' }, 2)]).toEqual([
      ...channelsLast,
    ]);
  });

  test('both layouts of one activation pool to the same features', () => {
    fc.assert(
      fc.property(anExtent, fc.constantFrom(1, 2, 4), ({ seed, ...shape }, pool) => {
        const { rows, height, width, channels } = shape;
        const last = values(rows * height * width * channels, seed);
        const first = new Float32Array(last.length);
        for (let r = 0; r < rows; r++)
          for (let s = 0; s < height * width; s++)
            for (let c = 0; c < channels; c++)
              first[(r * channels + c) * height * width + s] =
                last[(r * height * width + s) * channels + c]!;
        expectClose(
          poolActivation(first, { ...shape, layout: 'NCHW' }, pool),
          poolActivation(last, { ...shape, layout: 'NHWC' }, pool),
          { abs: 1e-7 },
        );
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  test('a row pools to the same features alone and in a batch', () => {
    const shape = { height: 7, width: 5, channels: 3, layout: 'NCHW' } as const;
    const batch = values(3 * 105, 5);
    const together = poolActivation(batch, { ...shape, rows: 3 }, 4);
    for (let row = 0; row < 3; row++) {
      const alone = poolActivation(
        batch.subarray(row * 105, (row + 1) * 105),
        { ...shape, rows: 1 },
        4,
      );
      expect([...alone]).toEqual([...together.subarray(row * 48, (row + 1) * 48)]);
    }
  });

  test('NaN reaches the features of its own cell and channel only', () => {
    const activation = new Float32Array(2 * 16);
    activation[0] = NaN;
    const pooled = poolActivation(
      activation,
      { rows: 1, height: 4, width: 4, channels: 2, layout: 'NHWC' },
      2,
    );
    expect([...pooled].map(Number.isNaN)).toEqual([true, ...Array<boolean>(7).fill(false)]);
  });
});

describe('coarse from fine', () => {
  test('a coarser pool derived from a finer one equals pooling directly to 1e-6', () => {
    const pairs = fc.constantFrom<[PoolSize, PoolSize]>([4, 1], [4, 2], [2, 1], [4, 4], [1, 1]);
    fc.assert(
      fc.property(anExtent, pairs, ({ seed, ...shape }, [fine, coarse]) => {
        const { rows, height, width, channels } = shape;
        const activation = values(rows * height * width * channels, seed);
        const pooled = poolActivation(activation, { ...shape, layout: 'NHWC' }, fine);
        expectClose(
          coarsenPooled(pooled, { ...shape, pool: fine }, coarse),
          poolActivation(activation, { ...shape, layout: 'NHWC' }, coarse),
          { abs: 1e-6 },
        );
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});

describe('shapes that do not fit', () => {
  test.each([
    ['a pool above the height', 4, 2, 8],
    ['a pool above the width', 4, 8, 2],
  ] as const)('%s is refused', (_, pool, height, width) => {
    const shape = { rows: 1, height, width, channels: 1, layout: 'NHWC' } as const;
    expect(() => poolActivation(new Float32Array(16), shape, pool)).toThrow(InvariantError);
  });

  test('an activation of another length is refused', () => {
    const shape = { rows: 1, height: 4, width: 4, channels: 1, layout: 'NHWC' } as const;
    expect(() => poolActivation(new Float32Array(15), shape, 2)).toThrow(InvariantError);
  });

  test('a finer pool cannot come from a coarser one, nor any from another length', () => {
    const shape = { rows: 1, channels: 1, height: 4, width: 4, pool: 2 } as const;
    expect(() => coarsenPooled(new Float32Array(4), shape, 4)).toThrow(InvariantError);
    expect(() => coarsenPooled(new Float32Array(5), shape, 1)).toThrow(InvariantError);
  });
});
