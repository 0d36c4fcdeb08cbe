import { expect, test } from 'vitest';
import { LAMBDA_COUNT } from '../../../../crds/wire/lambda-grid.ts';
import {
  auditsByLoss,
  gridIn,
  lostRowsAt,
  lostRowsOfExit,
} from '../../../../operator/stats/window-losses.ts';
import { AGREEMENTS } from '../../../../server/core/agreement.ts';
import { aGrid } from '../../../support/builders.ts';

const { F1, Strict } = AGREEMENTS;
const LAMBDA = 60;

/** Of 50 rows two lose three tenths and one loses all. */
const losses = Array.from({ length: 10 }, (_, i) =>
  new Array<number>(LAMBDA_COUNT).fill(i === 2 ? 2 : i === 9 ? 1 : 0),
);
const told = { grid: aGrid(50, 3), losses };
const untold = { grid: aGrid(50, 3) };

test('a grid is in units of the agreement', () => {
  expect(gridIn(told, F1)).toEqual({ ...told.grid, dis: new Array(LAMBDA_COUNT).fill(16) });
  expect(gridIn(told, Strict)).toEqual(told.grid);
  expect(gridIn(untold, Strict)).toEqual(untold.grid);
});

test('what a server does not tell is wholly wrong', () => {
  expect(gridIn(untold, F1).dis[LAMBDA]).toBe(30);
  expect(lostRowsAt(untold, LAMBDA)).toBe(3);
  expect(auditsByLoss([untold], LAMBDA)).toEqual([47, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
});

test('audited rows fall by their loss, of all windows together', () => {
  expect(auditsByLoss([], LAMBDA)).toEqual(new Array(11).fill(0));
  expect(auditsByLoss([told, untold], LAMBDA)).toEqual([94, 0, 0, 2, 0, 0, 0, 0, 0, 0, 4]);
  expect(lostRowsAt(told, LAMBDA)).toBe(1.6);
});

test('an exit loses what it tells in tenths, or wholly what disagrees', () => {
  const strata = [
    { exit: 'early', classId: 0, audits: 9, disagreements: 2 },
    { exit: 'late', classId: 0, audits: 9, disagreements: 5 },
    { exit: 'late', classId: 1, audits: 9, disagreements: 1 },
  ];
  const window = { exits: ['early', 'late'], strata };
  expect(['early', 'late'].map((exit) => lostRowsOfExit(window, exit))).toEqual([2, 6]);
  const tells = { ...window, exitLossTenths: [4, 35] };
  expect(['early', 'late'].map((exit) => lostRowsOfExit(tells, exit))).toEqual([0.4, 3.5]);
});
