import { describe, expect, test } from 'vitest';
import type { EvidenceStratum } from '../../../../crds/wire/evidence.ts';
import { createBreaker, exitsBeforeCut, isStratumOver } from '../../../../server/core/breaker.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';

function auditsUntilTrip(disagrees: (row: number) => boolean): number {
  const breaker = createBreaker(0.01);
  let row = 0;
  while (row < 100_000 && !breaker.addAudit(disagrees(row) ? 10 : 0)) row++;
  return row + 1;
}

describe('row by row', () => {
  test('it follows the recursion of exits.md 8.1 with q of 5, 10, 20 budgets and a level of 100,000', () => {
    const ratios = [0.05, 0.1, 0.2];
    const breaker = createBreaker(0.01);
    let s = [0, 0, 0];
    for (let row = 0; row < 500 && !breaker.isTripped; row++) {
      const disagrees = row % 12 === 11;
      const tripped = breaker.addAudit(disagrees ? 10 : 0);
      s = s.map((value, i) => {
        const ratio = ratios[i]!;
        return (value + 1) * (disagrees ? ratio / 0.01 : (1 - ratio) / 0.99);
      });
      expect(tripped).toBe((s[0]! + s[1]! + s[2]!) / 3 >= 100_000);
    }
    expect(breaker.isTripped).toBe(true);
  });

  test('when everything disagrees it trips after 5 audits, after calm traffic 4', () => {
    expect(auditsUntilTrip(() => true)).toBe(5);
    expect(auditsUntilTrip((row) => row >= 100)).toBe(104);
  });

  test('when nothing disagrees it never trips', () => {
    expect(auditsUntilTrip(() => false)).toBe(100_001);
  });

  test('it stays tripped however well the exits do afterwards', () => {
    const breaker = createBreaker(0.01);
    for (let row = 0; row < 5; row++) breaker.addAudit(10);
    for (let row = 0; row < 5000; row++) breaker.addAudit(0);
    expect(breaker.isTripped).toBe(true);
    expect(breaker.addAudit(0)).toBe(true);
  });

  test.each([
    [
      'a loss in between counts by its factor of exits.md 12, and trips later than a whole one',
      1,
      3,
      5,
    ],
    [
      'small losses among many rows without one trip it on the row that the recursion says',
      8,
      1,
      1_000,
    ],
  ])('%s', (_, every, tenths, atLeast) => {
    const ratios = [0.05, 0.1, 0.2];
    const breaker = createBreaker(0.01);
    let s = [0, 0, 0];
    let rows = 0;
    while (!breaker.isTripped) {
      rows += 1;
      const loss = rows % every === 0 ? tenths : 0;
      const tripped = breaker.addAudit(loss);
      const excess = loss / 10 - 0.01;
      s = s.map((value, i) => (value + 1) * (1 + ((ratios[i]! - 0.01) * excess) / 0.0099));
      expect(tripped).toBe((s[0]! + s[1]! + s[2]!) / 3 >= 100_000);
    }
    expect(rows).toBeGreaterThan(atLeast);
  });

  test.each([-1, 11, 0.5])('a loss of %s tenths is a broken assumption', (tenths) => {
    const add = (): boolean => createBreaker(0.01).addAudit(tenths);
    expect(add).toThrow(InvariantError);
    expect(add).toThrow(`a loss of ${tenths} tenths`);
  });

  test('a new breaker is not tripped', () => {
    expect(createBreaker(0.01).isTripped).toBe(false);
  });

  test.each([0, 0.9, NaN])('a budget of %s has no breaker', (budget) => {
    expect(() => createBreaker(budget)).toThrow(InvariantError);
  });

  test('a wide budget leaves at least one alternative', () => {
    const breaker = createBreaker(0.5);
    for (let row = 0; row < 40; row++) breaker.addAudit(10);
    expect(breaker.isTripped).toBe(true);
  });
});

describe('strata', () => {
  test.each([
    ['19 disagreements are too few whatever the share', 19, 19, 0.01, false],
    ['20 of 20 are over', 20, 20, 0.01, true],
    ['20 of 40 are over: lower limit 22 %', 40, 20, 0.01, true],
    ['20 of 45 are not: lower limit 19 %', 45, 20, 0.01, false],
    ['10 budgets count once they exceed 20 %', 40, 20, 0.05, false],
    ['far above 10 budgets is over', 100, 90, 0.05, true],
  ])('%s', (_, ...[audits, disagreements, budget, over]) => {
    expect(isStratumOver({ audits, disagreements }, budget)).toBe(over);
  });

  const stratum = (exit: string, disagreements: number, classId = 0): EvidenceStratum => ({
    exit,
    classId,
    audits: 40,
    disagreements,
  });

  test('exits are cut from the first one with a stratum over budget on', () => {
    const strata = [stratum('a', 2), stratum('b', 1, 3), stratum('b', 30, 4), stratum('c', 30)];
    expect(exitsBeforeCut(['a', 'b', 'c'], strata, 0.01)).toBe(1);
  });

  test('a stratum over budget at the first exit cuts all', () => {
    expect(exitsBeforeCut(['a', 'b'], [stratum('a', 30)], 0.01)).toBe(0);
  });

  test('without one all exits stay', () => {
    expect(exitsBeforeCut(['a', 'b'], [stratum('a', 19)], 0.01)).toBe(2);
    expect(exitsBeforeCut([], [], 0.01)).toBe(0);
  });

  test('a stratum of an exit that is not active cuts nothing', () => {
    expect(exitsBeforeCut(['a'], [stratum('z', 30)], 0.01)).toBe(1);
  });
});
