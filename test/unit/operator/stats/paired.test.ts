import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  comparePaired,
  savingLimits,
  savingLook,
  savingMoments,
  worseEvidence,
  type SavingLimits,
} from '../../../../operator/stats/paired.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

describe('faithfulness', () => {
  // exits.md 9.1.
  test.each([
    [5, 0, 9.312],
    [7, 0, 25.54752],
    [8, 1, 12.878595],
    [20, 8, 7.1835518],
  ])('e(%i, %i) is the reference', (b, a, e) => {
    expectClose(worseEvidence(b, a), e, { rel: 1e-7 });
  });

  test.each([
    [0, 7],
    [1, 9],
    [5, 18],
    [20, 43],
  ])('against %i the smallest failing count is %i', (a, b) => {
    expect(worseEvidence(b, a)).toBeGreaterThanOrEqual(20);
    expect(worseEvidence(b - 1, a)).toBeLessThan(20);
  });

  test('is 1 without discordant rows', () => {
    expect(worseEvidence(0, 0)).toBe(1);
  });

  test('calls an equal candidate worse within 5,000 discordant rows in at most 5 %', () => {
    const random = seededRandom(4_010);
    let worse = 0;
    for (let run = 0; run < 400; run++) {
      let [a, b] = [0, 0];
      for (let row = 0; row < 5_000; row++) {
        if (random.chance(0.5)) a++;
        else b++;
        if (worseEvidence(b, a) >= 20) {
          worse++;
          break;
        }
      }
    }
    expect(worse / 400).toBeLessThanOrEqual(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 400));
  });
});

describe('saving', () => {
  const COSTS = { stable: [0.4, 1], candidate: [0.3, 1] };

  test('moments are those of the rows of the joint table', () => {
    // 2 x 0.1, 1 x -0.6, 1 x 0.7, 4 x 0.
    const { rows, mean, variance, range } = savingMoments(
      [
        [2, 1],
        [1, 4],
      ],
      COSTS,
    );
    expect(rows).toBe(8);
    expectClose([mean, range], [0.3 / 8, 1.3], { rel: 1e-12 });
    const squares = 2 * 0.01 + 0.36 + 0.49 - 8 * mean ** 2;
    expectClose(variance, squares / 7, { rel: 1e-12 });
  });

  test('moments of no and of one row have no variance', () => {
    expect(
      savingMoments(
        [
          [0, 0],
          [0, 0],
        ],
        COSTS,
      ),
    ).toMatchObject({ rows: 0, mean: 0, variance: 0 });
    expect(
      savingMoments(
        [
          [1, 0],
          [0, 0],
        ],
        COSTS,
      ),
    ).toMatchObject({ rows: 1, variance: 0 });
  });

  test('moments of two rows have the variance of two', () => {
    const joint = [
      [1, 0],
      [1, 0],
    ];
    // d is 0.1 and 0.7.
    const { rows, variance } = savingMoments(joint, COSTS);
    expect(rows).toBe(2);
    expectClose(variance, 2 * 0.3 ** 2, { rel: 1e-12 });
  });

  test('a joint table of another shape is refused', () => {
    expect(() => savingMoments([[1, 0]], COSTS)).toThrow('stable');
    expect(() => savingMoments([[1], [0]], COSTS)).toThrow('candidate');
  });

  test('looks come at 500, 1,000, 2,000, ... rows', () => {
    expect([0, 499, 500, 999, 1_000, 1_999, 2_000, 8_000].map(savingLook)).toEqual([
      -1, -1, 0, 0, 1, 1, 2, 4,
    ]);
  });

  // exits.md 9.1: half-width for a range of 1.66 and a deviation of 0.25.
  test.each([
    [500, 0.067],
    [1_000, 0.047],
    [2_000, 0.032],
    [4_000, 0.021],
    [8_000, 0.014],
  ])('at %i rows the half-width is that of the design', (rows, halfWidth) => {
    const moments = { rows, mean: 0, variance: 0.25 ** 2, range: 1.66 };
    const { upper, lower } = savingLimits(moments, savingLook(rows));
    expectClose(upper, halfWidth, { abs: 0.004 });
    expect(lower).toBe(-upper);
  });

  // 7 r ln(2/a) / (3 (n-1)) alone, a = 0.05 / 2 at the first look.
  test.each([2, 500])(
    'without variance the half-width at %i rows is the term of the range',
    (rows) => {
      const { upper } = savingLimits({ rows, mean: 0, variance: 0, range: 1.66 }, 0);
      expectClose(upper, (7 * 1.66 * Math.log(80)) / (3 * (rows - 1)), { rel: 1e-12 });
    },
  );

  test('a look on fewer than two rows is refused', () => {
    expect(() => savingLimits({ rows: 1, mean: 0, variance: 0, range: 1 }, 0)).toThrow(
      'saving look',
    );
    expect(() => savingLimits({ rows: 500, mean: 0, variance: 0, range: 1 }, -1)).toThrow(
      'saving look',
    );
  });

  test('the lower limit covers the true saving in at least 95 % of runs, at all looks together', () => {
    const random = seededRandom(4_011);
    let missed = 0;
    for (let run = 0; run < 300; run++) {
      const joint = [
        [0, 0],
        [0, 0],
      ];
      let isMissed = false;
      for (let rows = 1; rows <= 2_000; rows++) {
        const cell = Math.floor(4 * random.uniform());
        joint[cell >> 1]![cell & 1]! += 1;
        if (rows !== 500 && rows !== 1_000 && rows !== 2_000) continue;
        const { lower } = savingLimits(savingMoments(joint, COSTS), savingLook(rows));
        isMissed ||= lower > (0.1 - 0.6 + 0.7) / 4;
      }
      if (isMissed) missed++;
    }
    expect(missed / 300).toBeLessThanOrEqual(0.05);
  });
});

describe('the verdict', () => {
  const limits = (lower: number, mean: number, upper: number): SavingLimits => ({
    look: 0,
    rows: 500,
    mean,
    lower,
    upper,
  });
  const findings = { onlyStableWrong: 0, onlyCandidateWrong: 0, rows: 500, saving: null };

  test.each([
    ['a clear saving goes', { saving: limits(0.01, 0.03, 0.05) }, 'Go'],
    ['a saving of 2 % goes', { saving: limits(0.01, 0.02, 0.05) }, 'Go'],
    ['a saving below 2 % holds', { saving: limits(0.001, 0.019, 0.05) }, 'Hold'],
    ['a saving that may be none holds', { saving: limits(-0.001, 0.03, 0.05) }, 'Hold'],
    ['a saving that is none at its lower limit holds', { saving: limits(0, 0.03, 0.05) }, 'Hold'],
    [
      'a more faithful one goes though it costs 1 % more',
      { saving: limits(-0.03, -0.01, 0.01), onlyStableWrong: 7 },
      'Go',
    ],
    [
      'a more faithful one that costs 2 % more holds',
      { saving: limits(-0.03, -0.02, 0.01), onlyStableWrong: 7 },
      'Hold',
    ],
    ['a more faithful one waits for the first look at the saving', { onlyStableWrong: 7 }, 'Hold'],
    [
      'a less faithful one that does not clearly save is not better',
      { saving: limits(-0.01, 0.01, 0.05), onlyCandidateWrong: 7 },
      'NotBetter',
    ],
    [
      'a less faithful one that clearly saves goes: the budget is the contract',
      { saving: limits(0.01, 0.03, 0.05), onlyCandidateWrong: 30 },
      'Go',
    ],
    ['one that costs more is not better', { saving: limits(-0.05, -0.03, -0.001) }, 'NotBetter'],
    [
      'one that costs nothing more at its upper limit holds',
      { saving: limits(-0.05, -0.03, 0) },
      'Hold',
    ],
    ['20,000 rows without a verdict are enough', { rows: 20_000 }, 'NotBetter'],
    ['no rows hold', { rows: 0 }, 'Hold'],
  ])('%s', (_rule, fields, verdict) => {
    expect(comparePaired({ ...findings, ...fields })).toBe(verdict);
  });

  test('swaps with the tracks: what goes one way is never better the other way', () => {
    const swapped = ({ look, rows, mean, lower, upper }: SavingLimits): SavingLimits => ({
      look,
      rows,
      mean: -mean,
      lower: -upper,
      upper: -lower,
    });
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.nat(60),
        fc.double({ min: -0.2, max: 0.2, noNaN: true }),
        (a, b, mean) => {
          const saving = limits(mean - 0.02, mean, mean + 0.02);
          const one = comparePaired({
            ...findings,
            onlyStableWrong: a,
            onlyCandidateWrong: b,
            saving,
          });
          const other = comparePaired({
            ...findings,
            onlyStableWrong: b,
            onlyCandidateWrong: a,
            saving: swapped(saving),
          });
          expect(one === 'Go' && other === 'Go').toBe(false);
        },
      ),
      { seed: 4_012 },
    );
  });
});
