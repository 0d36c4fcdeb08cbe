import { expect, test } from 'vitest';
import { disagreementsAt, leavingAt } from '../../../../operator/stats/grid-column.ts';
import { aGrid } from '../../../support/builders.ts';

test('a column has its own disagreements and all rows that leave at any exit', () => {
  const grid = { ...aGrid(100, 3, { from: 60, leaving: 40 }) };
  const both = { ...grid, leave: [grid.leave[0]!, grid.leave[0]!.map((rows) => rows / 2)] };
  expect([disagreementsAt(both, 59), leavingAt(both, 59)]).toEqual([0, 0]);
  expect([disagreementsAt(both, 60), leavingAt(both, 60)]).toEqual([3, 60]);
});
