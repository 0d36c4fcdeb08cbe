import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EvidenceGrid } from '../../../../crds/wire/evidence.ts';
import { LAMBDA_COUNT, LAMBDAS, THRESHOLDS } from '../../../../crds/wire/lambda-grid.ts';
import { decideRow } from '../../../../server/core/decide.ts';
import { createEvidenceGrid, emptyGrid, mergeGrids } from '../../../../server/core/evidence.ts';

interface AuditedScores {
  readonly scores: readonly number[];
  readonly agrees: readonly boolean[];
}

const OPTIONS = { seed: 20_260_104, numRuns: 200 };
const EXITS = 3;
const aScore = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -3.5, max: 0, noNaN: true }).map((x) => 1 - 10 ** x) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 119 }).map((j) => THRESHOLDS[j]!) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, NaN, Infinity) },
);
const aRow: fc.Arbitrary<AuditedScores> = fc.record({
  scores: fc.array(aScore, { minLength: EXITS, maxLength: EXITS }),
  agrees: fc.array(fc.boolean(), { minLength: EXITS, maxLength: EXITS }),
});
const someRows = fc.array(aRow, { maxLength: 25 });

function gridOf(rows: readonly AuditedScores[], exits = EXITS): EvidenceGrid {
  const counter = createEvidenceGrid(exits);
  for (const { scores, agrees } of rows) counter.addRow(scores, agrees);
  return counter.snapshot();
}

function eachColumn(check: (j: number) => void): void {
  for (let j = 0; j < LAMBDA_COUNT; j++) check(j);
}

function leavingBy(grid: EvidenceGrid, exit: number, j: number): number {
  return grid.leave.slice(0, exit + 1).reduce((sum, column) => sum + column[j]!, 0);
}

describe('laws of a grid', () => {
  test('1: at every lambda each exit lets 0 or more rows leave, all exits at most n', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const grid = gridOf(rows);
        expect(grid.n).toBe(rows.length);
        eachColumn((j) => {
          expect(grid.leave.every((column) => column[j]! >= 0)).toBe(true);
          expect(leavingBy(grid, EXITS - 1, j)).toBeLessThanOrEqual(grid.n);
        });
      }),
      OPTIONS,
    );
  });

  test('2: rows gone by an exit never become fewer as lambda grows', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const grid = gridOf(rows);
        for (let exit = 0; exit < EXITS; exit++)
          for (let j = 1; j < LAMBDA_COUNT; j++)
            expect(leavingBy(grid, exit, j)).toBeGreaterThanOrEqual(leavingBy(grid, exit, j - 1));
      }),
      OPTIONS,
    );
  });

  test('3: disagreements are 0 or more and at most the rows that left', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const grid = gridOf(rows);
        eachColumn((j) => {
          expect(grid.dis[j]).toBeGreaterThanOrEqual(0);
          expect(grid.dis[j]).toBeLessThanOrEqual(leavingBy(grid, EXITS - 1, j));
        });
      }),
      OPTIONS,
    );
  });

  test('4: a looser lambda may send a row to an earlier head that is right, so neither dis nor leave[e] is monotone', () => {
    // At lambda_60 the second head answers, wrongly; at lambda_100 the first one does, rightly.
    const scores = [1 - (LAMBDAS[99]! + LAMBDAS[100]!) / 2, 1 - (LAMBDAS[59]! + LAMBDAS[60]!) / 2];
    const grid = gridOf([{ scores, agrees: [true, false] }], 2);
    expect([59, 60, 99, 100, 119].map((j) => grid.dis[j])).toEqual([0, 1, 1, 0, 0]);
    expect([59, 60, 99, 100, 119].map((j) => grid.leave[1]![j])).toEqual([0, 1, 1, 0, 0]);
    expect([59, 60, 99, 100, 119].map((j) => grid.leave[0]![j])).toEqual([0, 0, 0, 1, 1]);
  });

  test('5: column j is the decision with lambda j on every row', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const grid = gridOf(rows);
        eachColumn((j) => {
          const exits = rows.map(({ scores }) => decideRow(scores, j, EXITS));
          for (let exit = 0; exit < EXITS; exit++)
            expect(grid.leave[exit]![j]).toBe(exits.filter((one) => one === exit).length);
          const wrong = rows.filter(({ agrees }, row) => agrees[exits[row]!] === false);
          expect(grid.dis[j]).toBe(wrong.length);
        });
      }),
      OPTIONS,
    );
  });

  test('6: merging is addition, whatever the split, the order and the grouping', () => {
    fc.assert(
      fc.property(someRows, someRows, someRows, (a, b, c) => {
        const [first, second, third] = [gridOf(a), gridOf(b), gridOf(c)];
        const whole = gridOf([...a, ...b, ...c]);
        expect(mergeGrids(mergeGrids(first, second), third)).toEqual(whole);
        expect(mergeGrids(first, mergeGrids(second, third))).toEqual(whole);
        expect(mergeGrids(second, first)).toEqual(mergeGrids(first, second));
        expect(mergeGrids(first, emptyGrid(EXITS))).toEqual(first);
      }),
      { ...OPTIONS, numRuns: 100 },
    );
  });

  test('7: for a prefix of the exits leave is unchanged and dis nowhere larger', () => {
    fc.assert(
      fc.property(someRows, fc.integer({ min: 0, max: EXITS }), (rows, prefix) => {
        const whole = gridOf(rows);
        const cut = gridOf(rows, prefix);
        expect(cut.leave).toEqual(whole.leave.slice(0, prefix));
        const alone = rows.map(({ scores, agrees }) => ({
          scores: scores.slice(0, prefix),
          agrees: agrees.slice(0, prefix),
        }));
        expect(cut).toEqual(gridOf(alone, prefix));
        eachColumn((j) => {
          expect(cut.dis[j]).toBeLessThanOrEqual(whole.dis[j]!);
        });
      }),
      OPTIONS,
    );
  });
});

describe('counting', () => {
  test('a tie runs on: the row leaves one column later', () => {
    const grid = gridOf([{ scores: [THRESHOLDS[60]!], agrees: [true] }], 1);
    expect(grid.leave[0]!.slice(59, 63)).toEqual([0, 0, 1, 1]);
  });

  test('agreement may come as numbers', () => {
    const counter = createEvidenceGrid(1);
    counter.addRow([1], Uint8Array.of(0));
    counter.addRow([1], Uint8Array.of(1));
    expect(counter.snapshot().dis[0]).toBe(1);
  });

  test('a missing score counts as not finite: the row is audited and runs to the end', () => {
    const grid = gridOf([{ scores: [], agrees: [] }], 1);
    expect(grid.n).toBe(1);
    expect(grid.leave[0]!.every((count) => count === 0)).toBe(true);
  });

  test('a snapshot does not stop the window', () => {
    const counter = createEvidenceGrid(1);
    counter.addRow([1], [true]);
    const early = counter.snapshot();
    counter.addRow([1], [false]);
    expect(early).toEqual(gridOf([{ scores: [1], agrees: [true] }], 1));
    expect(counter.snapshot().n).toBe(2);
  });

  test('the grid of no rows is all zeros with one column per lambda', () => {
    const grid = emptyGrid(2);
    expect(grid.n).toBe(0);
    expect([grid.dis, ...grid.leave].map((column) => column.length)).toEqual([120, 120, 120]);
    expect(Math.max(...grid.dis, ...grid.leave.flat())).toBe(0);
  });

  test('grids of different exits do not add', () => {
    expect(() => mergeGrids(emptyGrid(1), emptyGrid(2))).toThrow(
      'grids of 1 and of 2 exits do not add',
    );
  });
});
