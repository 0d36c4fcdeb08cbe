import { describe, expect, test } from 'vitest';
import type { CostTable } from '../../../../crds/wire/state.ts';
import { createPrices } from '../../../../server/engine/host/prices.ts';
import { expectClose } from '../../../support/expect-close.ts';

const onTheWay: CostTable = {
  batchSizes: [1, 4],
  cuts: ['a', 'b'],
  plainMs: [10, 16],
  segmentMs: [
    [3, 4, 4],
    [5, 6, 6],
  ],
  headMs: [
    [0.1, 0.2],
    [0.2, 0.4],
  ],
  compactMs: [
    [0, 0],
    [0.1, 0.2],
  ],
};

describe('segments that go on where the one before ended', () => {
  const prices = createPrices(onTheWay, ['b']);

  test('add up, less what cuts in between cost', () => {
    // 11 ms in all, 1 ms more than plain: half of it for each cut.
    expectClose([prices.segmentMs(0, 1), prices.segmentMs(1, 1)], [6.5, 4], { rel: 1e-12 });
  });

  test('cost in between what sizes in between cost', () => {
    expectClose(prices.plainMs(2), 12, { rel: 1e-12 });
    expectClose(prices.plainMs(8), 32, { rel: 1e-12 });
  });
});

describe('segments that start at the input', () => {
  const table: CostTable = {
    ...onTheWay,
    segmentMs: [
      [3, 7, 10],
      [5, 11, 16],
    ],
    fromInput: true,
  };
  const prices = createPrices(table, ['b']);

  test('cost what they cost, whatever else was measured', () => {
    expect([prices.segmentMs(0, 1), prices.segmentMs(1, 1)]).toEqual([7, 10]);
    expectClose(prices.restMs(-1, 1), 7 + 10 + 0.2, { rel: 1e-12 });
  });

  test('cost what the size costs that they are padded to, and more rows run in parts', () => {
    expect([1, 2, 4, 5, 6, 8].map((rows) => prices.plainMs(rows))).toEqual([
      10, 16, 16, 26, 32, 32,
    ]);
  });
});
