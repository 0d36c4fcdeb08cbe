import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addTick,
  dispersionOf,
  emptyBlocks,
  risingDispersion,
  type BlockedEvidence,
} from '../../../../operator/stats/dispersion.ts';
import { AGREEMENTS } from '../../../../server/core/agreement.ts';
import { mergeGrids } from '../../../../server/core/evidence.ts';
import { aGrid } from '../../../support/builders.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const blocksOf = (...ticks: (readonly [rows: number, disagreements: number])[]): BlockedEvidence =>
  ticks.reduce((sum, [rows, k]) => addTick(sum, aGrid(rows, k)), emptyBlocks(2));

describe('blocks', () => {
  test('close at the end of the tick that brings 50 rows', () => {
    const open = blocksOf([30, 1], [19, 0]);
    expect(open).toMatchObject({ blocks: 0, open: { n: 49 }, closed: { n: 0 } });
    const closed = addTick(open, aGrid(1, 0));
    expect(closed).toMatchObject({ blocks: 1, open: { n: 0 }, closed: { n: 50 } });
  });

  test('keep the sum of k squared over n', () => {
    expect(blocksOf([50, 2], [100, 5]).squares[0]).toBeCloseTo(4 / 50 + 25 / 100, 12);
  });

  test('are the same whether one pod or two brought the rows of a tick', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { maxLength: 20 }), (ticks) => {
        const split = ticks.reduce(
          (sum, [a, b]) => addTick(sum, mergeGrids(aGrid(a, 0), aGrid(b, b))),
          emptyBlocks(2),
        );
        const joined = ticks.reduce(
          (sum, [a, b]) => addTick(sum, mergeGrids(aGrid(b, b), aGrid(a, 0))),
          emptyBlocks(2),
        );
        expect(split).toEqual(joined);
      }),
      { seed: 4_001 },
    );
  });
});

/** D of blocks of 50 rows in which every draw is repeated. */
function dispersionWith(multiplicity: number, ratio: number, draws: number): number {
  const random = seededRandom([4_002, multiplicity]);
  let sum = emptyBlocks(1);
  for (let i = 0; i < draws / 50; i++) {
    const k = multiplicity * random.binomial(50, ratio);
    sum = addTick(sum, aGrid(50 * multiplicity, k, { exits: 1 }));
  }
  return dispersionOf(sum);
}

describe('dispersion', () => {
  test.each([2, 3, 5, 10])(
    'of rows repeated %i times is that multiplicity, give or take a tenth',
    (multiplicity) => {
      expectClose(dispersionWith(multiplicity, 0.02, 200_000), multiplicity, { rel: 0.1 });
    },
  );

  test('of independent rows is 1', () => {
    expect(dispersionWith(1, 0.02, 100_000)).toBe(1);
  });

  // D = [(Q - K^2/N) / (r (1-r))] / (W-1) by hand: K = 40, N = 200, r = .2, Q = 900/100 + 100/100.
  test('follows the formula', () => {
    expectClose(dispersionOf(blocksOf([100, 30], [100, 10])), 12.5, { rel: 1e-12 });
  });

  // K = 100, N = 200, W = 11: (53.25 - 50) / (1/4) / 10.
  test('counts from 1.3 on', () => {
    const at = (square: number): BlockedEvidence => ({
      ...{ closed: aGrid(200, 100), blocks: 11, open: aGrid(0, 0) },
      squares: aGrid(200, 100).dis.map(() => square),
    });
    expect(dispersionOf(at(53.25))).toBe(1.3);
    expect(dispersionOf(at(53.24))).toBe(1);
  });

  test('of losses in tenths is that of the whole rows they make', () => {
    const tenths = (rows: number, units: number) => ({
      ...aGrid(rows, 0),
      dis: aGrid(rows, 0).dis.map(() => units),
    });
    const units = [300, 100].map((count) => tenths(100, count));
    const blocks = units.reduce(addTick, emptyBlocks(2));
    expectClose(dispersionOf(blocks, AGREEMENTS.F1), 12.5, { rel: 1e-12 });
    // 29.9 rows at the first lambda are too few to read it there.
    const late = [299, 0].map((count) => ({
      ...tenths(100, 400),
      dis: aGrid(100, 0).dis.map((_, j) => (j < 60 ? count : 400)),
    }));
    expect(dispersionOf(late.reduce(addTick, emptyBlocks(2)), AGREEMENTS.F1)).toBe(1);
  });

  test('is read at the smallest lambda with 30 disagreements, else at the largest', () => {
    const late = (k: number) => aGrid(100, k, { from: 60 });
    const quiet = addTick(addTick(emptyBlocks(2), late(20)), late(4));
    expect(dispersionOf(quiet)).toBeGreaterThan(1.3);
    const shown = addTick(addTick(quiet, late(30)), late(0));
    expect(dispersionOf(shown)).toBeGreaterThan(dispersionOf(quiet));
  });

  test('is 1 without rows, with one block, and where all or none disagree', () => {
    expect(dispersionOf(emptyBlocks(2))).toBe(1);
    expect(dispersionOf(blocksOf([100, 40]))).toBe(1);
    expect(dispersionOf(blocksOf([100, 0], [100, 0]))).toBe(1);
    expect(dispersionOf(blocksOf([100, 100], [100, 100]))).toBe(1);
  });
});

describe('dispersion of each lambda', () => {
  /** Two blocks of 100 rows with these disagreements below lambda 60 and from there on. */
  const twoBlocks = (...blocks: (readonly [before: number, after: number])[]) =>
    blocks
      .map(([before, after]) => ({
        ...aGrid(100, 0),
        dis: aGrid(100, 0).dis.map((_, j) => (j < 60 ? before : after)),
      }))
      .reduce(addTick, emptyBlocks(2));

  test('rises where bursts get longer', () => {
    const blocks = twoBlocks([20, 60], [10, 20]);
    const rising = risingDispersion(blocks, AGREEMENTS.Strict);
    expect(rising[0]).toBe(dispersionOf(blocks));
    expect(rising[59]).toBe(rising[0]);
    // K = 80, N = 200, r = .4, Q = 36 + 4.
    expectClose(rising[60]!, 8 / 0.24, { rel: 1e-12 });
    expect(rising[119]).toBe(rising[60]);
  });

  test('never falls', () => {
    const rising = risingDispersion(twoBlocks([40, 41], [0, 41]), AGREEMENTS.Strict);
    expect(rising[119]).toBe(rising[0]);
    expect(rising[0]).toBeGreaterThan(10);
  });

  test('up to where it is read is that of one for all', () => {
    const blocks = twoBlocks([1, 60], [0, 20]);
    const rising = risingDispersion(blocks, AGREEMENTS.Strict);
    expect(new Set(rising)).toEqual(new Set([dispersionOf(blocks)]));
  });

  test('up to where it is read does not hear of longer bursts of fewer rows', () => {
    // From lambda 60 on K = 50, N = 200, r = 1/4, Q = 9 + 4; below it K = 20 of one block alone.
    const rising = risingDispersion(twoBlocks([20, 30], [0, 20]), AGREEMENTS.Strict);
    expect(new Set(rising).size).toBe(1);
    expectClose(rising[0]!, 0.5 / 0.1875, { rel: 1e-12 });
  });
});
