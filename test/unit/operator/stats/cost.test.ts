import { describe, expect, test } from 'vitest';
import type { CostTable } from '../../../../crds/wire/state.ts';
import {
  busySeconds,
  netSaving,
  pathCosts,
  predictedSaving,
} from '../../../../operator/stats/cost.ts';
import { aGrid } from '../../../support/builders.ts';
import { expectClose } from '../../../support/expect-close.ts';

const TABLE: CostTable = {
  batchSizes: [1, 8],
  cuts: ['a', 'b', 'c'],
  plainMs: [10, 40],
  segmentMs: [
    [2, 3, 3, 2],
    [8, 12, 12, 8],
  ],
  headMs: [
    [0.1, 0.2, 0.3],
    [0.4, 0.8, 1.2],
  ],
  compactMs: [
    [0.01, 0.02, 0.03],
    [0.04, 0.08, 0.12],
  ],
};

describe('path costs', () => {
  test('are segments, heads and compaction up to the exit, as shares of plain', () => {
    const expected = [2.1, 5.31, 8.63, 10.66].map((ms) => ms / 10);
    expectClose(pathCosts(TABLE, ['a', 'b', 'c'], 1), expected, { rel: 1e-12 });
  });

  test('charge only the heads of active exits', () => {
    expectClose(pathCosts(TABLE, ['b'], 1), [0.52, 1.022], { rel: 1e-12 });
    expect(pathCosts(TABLE, [], 1)).toEqual([1]);
  });

  test('are taken at the largest measured size not above the batch, else at the smallest', () => {
    // The plain backbone of the large batch takes twice as long as in TABLE, so its shares are half.
    const uneven = { ...TABLE, batchSizes: [4, 8], plainMs: [10, 80] };
    const [small, large] = [
      [0.21, 1.011],
      [0.105, 0.5055],
    ] as const;
    for (const batch of [1, 4, 7]) {
      expectClose(pathCosts(uneven, ['a'], batch), small, { rel: 1e-12 });
    }
    for (const batch of [8, 9]) expectClose(pathCosts(uneven, ['a'], batch), large, { rel: 1e-12 });
  });

  test('hold what an active exit runs from the input, and nothing of other cuts', () => {
    const table: CostTable = { ...TABLE, segmentMs: [[3, 6, 8, 10]], fromInput: true };
    expectClose(
      pathCosts(table, ['b'], 1),
      [6.2, 16.22].map((ms) => ms / 10),
      { rel: 1e-12 },
    );
    const both = [3.1, 3.1 + 0.01 + 6.2, 3.1 + 0.01 + 6.2 + 0.02 + 10].map((ms) => ms / 10);
    expectClose(pathCosts(table, ['a', 'b'], 1), both, { rel: 1e-12 });
    expect(pathCosts(table, [], 1)).toEqual([1]);
  });

  test('hold a companion that is an exit, and none that is not', () => {
    const table = {
      ...TABLE,
      cuts: ['sha256:1', ...TABLE.cuts],
      segmentMs: TABLE.segmentMs.map((row) => [1, ...row]),
      headMs: TABLE.headMs.map((row) => [0, ...row]),
      compactMs: TABLE.compactMs.map((row) => [0.5, ...row]),
      companions: 1,
    };
    expectClose(pathCosts(table, ['b'], 1), [0.52, 1.022], { rel: 1e-12 });
    expectClose(pathCosts(table, ['sha256:1', 'b'], 1), [0.1, 0.67, 1.172], { rel: 1e-12 });
  });

  test('of a cut that was not measured, or of an empty table, are refused', () => {
    expect(() => pathCosts(TABLE, ['d'], 1)).toThrow('no measured cost for the cut d');
    expect(() => pathCosts({ ...TABLE, batchSizes: [] }, ['a'], 1)).toThrow('a batch size');
  });
});

describe('the predicted saving', () => {
  const pathCost = [0.3, 0.6, 1.04];

  test('is one less the mean path cost', () => {
    const grid = aGrid(100, 0, { leaving: 50 });
    const saving = predictedSaving(grid, 60, { pathCost, activeExits: 2 });
    expectClose(saving, 1 - (50 * 0.3 + 50 * 1.04) / 100, { rel: 1e-12 });
  });

  test('of exits that are cut off is that of running to the end', () => {
    const grid = aGrid(100, 0, { leaving: 50 });
    expectClose(predictedSaving(grid, 60, { pathCost, activeExits: 0 }), -0.04, { rel: 1e-9 });
  });

  test('without rows is 0', () => {
    expect(predictedSaving(aGrid(0, 0), 60, { pathCost, activeExits: 2 })).toBe(0);
  });

  test('with costs of other exits is refused', () => {
    const grid = aGrid(100, 0);
    expect(() => predictedSaving(grid, 60, { pathCost: [1], activeExits: 2 })).toThrow('path cost');
  });
});

describe('the net saving', () => {
  const compute = {
    segment: 5,
    head: 0.5,
    companion: 0.25,
    compact: 0.125,
    audit: 0.125,
    plain: 10,
  };

  test('charges segments, heads, companions, compaction and audits', () => {
    expect(busySeconds(compute)).toEqual({ busy: 6, plain: 10 });
    expect(netSaving(busySeconds(compute))).toBeCloseTo(0.4, 12);
  });

  test('is below zero when exits cost more than they save, and unknown when nothing ran', () => {
    expect(netSaving({ busy: 11, plain: 10 })).toBeCloseTo(-0.1, 12);
    expect(netSaving({ busy: 0, plain: 0 })).toBeNull();
  });
});
