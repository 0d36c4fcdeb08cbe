import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LAMBDA_COUNT } from '../../../../crds/wire/lambda-grid.ts';
import { AGREEMENTS } from '../../../../server/core/agreement.ts';
import { decideRow } from '../../../../server/core/decide.ts';
import { createEvidenceGrid } from '../../../../server/core/evidence.ts';
import { createLossGrid, unitGrid, type LossGrid } from '../../../../server/core/loss-evidence.ts';

const EXITS = 2;
const OPTIONS = { seed: 20_261_107, numRuns: 200 };

interface Row {
  readonly scores: readonly number[];
  readonly losses: readonly number[];
}

const aScore = fc.oneof(
  { weight: 5, arbitrary: fc.double({ min: -3.5, max: 0, noNaN: true }).map((x) => 1 - 10 ** x) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, NaN) },
);
const ofExits = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(one, { minLength: EXITS, maxLength: EXITS });
const rowsWith = (loss: fc.Arbitrary<number>): fc.Arbitrary<Row[]> =>
  fc.array(fc.record({ scores: ofExits(aScore), losses: ofExits(loss) }), { maxLength: 20 });

function gridOf(rows: readonly Row[]): LossGrid {
  const counter = createLossGrid(EXITS);
  for (const { scores, losses } of rows) counter.addRow(scores, losses);
  return counter.snapshot();
}

describe('the grid of losses', () => {
  test('has in each column what the decision at that lambda gives', () => {
    fc.assert(
      fc.property(rowsWith(fc.integer({ min: 0, max: 10 })), (rows) => {
        const grid = gridOf(rows);
        for (let j = 0; j < LAMBDA_COUNT; j += 7) {
          const left = rows.map(({ scores, losses }) => {
            const exit = decideRow(scores, j, EXITS);
            return { exit, loss: losses[exit] ?? 0 };
          });
          expect(grid.leave.map((column) => column[j])).toEqual(
            [0, 1].map((exit) => left.filter((row) => row.exit === exit).length),
          );
          expect(grid.losses.map((column) => column[j])).toEqual(
            Array.from({ length: 10 }, (_, i) => left.filter(({ loss }) => loss === i + 1).length),
          );
          const units = left.reduce((sum, { loss }) => sum + loss, 0);
          expect(unitGrid(grid, AGREEMENTS.F1).dis[j]).toBe(units);
        }
      }),
      OPTIONS,
    );
  });

  test('of rows that are right or wholly wrong is the grid of classes', () => {
    fc.assert(
      fc.property(rowsWith(fc.constantFrom(0, 10)), (rows) => {
        const classes = createEvidenceGrid(EXITS);
        for (const { scores, losses } of rows)
          classes.addRow(
            scores,
            losses.map((loss) => loss === 0),
          );
        const grid = gridOf(rows);
        expect(unitGrid(grid, AGREEMENTS.Strict)).toEqual(classes.snapshot());
        expect(unitGrid(grid, AGREEMENTS.F1).dis).toEqual(
          classes.snapshot().dis.map((rowsWrong) => 10 * rowsWrong),
        );
      }),
      OPTIONS,
    );
  });

  test('goes on after a snapshot', () => {
    const counter = createLossGrid(1);
    counter.addRow([1], [3]);
    expect(counter.snapshot()).toMatchObject({ n: 1 });
    counter.addRow([1], [3]);
    expect(counter.snapshot().losses[2]?.[119]).toBe(2);
  });

  test.each([-1, 11, 0.5, NaN])('a loss of %d tenths is a broken assumption', (loss) => {
    expect(() => {
      createLossGrid(1).addRow([1], [loss]);
    }).toThrow(`a loss of ${loss}`);
  });

  test('a missing score ends the row', () => {
    const counter = createLossGrid(2);
    counter.addRow([], [5, 5]);
    expect(
      counter
        .snapshot()
        .leave.flat()
        .every((rows) => rows === 0),
    ).toBe(true);
  });
});
