import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createDetector,
  detectorRatios,
  isAlarm,
  meanS,
  thinnedDispersion,
  updateDetector,
  updateLossDetector,
  type DetectorState,
} from '../../../../server/core/detector.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { expectClose } from '../../../support/expect-close.ts';

const BUDGET = 0.01;
const OPTIONS = { seed: 20_260_107, numRuns: 200 };

type Counts = readonly [audits: number, disagreements: number];

function add(state: DetectorState, [audits, disagreements]: Counts, dispersion = 1): DetectorState {
  return updateDetector(state, { budget: BUDGET, audits, disagreements, dispersion });
}

describe('alternatives', () => {
  test('they are 1.5, 2, 3, 5, 10 and 20 times the budget', () => {
    expectClose(detectorRatios(0.01), [0.015, 0.02, 0.03, 0.05, 0.1, 0.2], { rel: 1e-15 });
  });

  test('they stop at 0.9 and stay distinct', () => {
    expectClose(detectorRatios(0.1), [0.15, 0.2, 0.3, 0.5, 0.9], { rel: 1e-15 });
    expectClose(detectorRatios(0.5), [0.75, 0.9], { rel: 1e-15 });
  });

  test.each([0, -0.01, 0.9, 1, NaN])('a budget of %s has no detector', (budget) => {
    expect(() => createDetector(budget)).toThrow(InvariantError);
    expect(() => createDetector(budget)).toThrow(`no detector for a budget of ${budget}`);
  });
});

describe('references of exits.md 8.1', () => {
  test('mean S after each window, independent rows', () => {
    const windows: Counts[] = [
      [1, 0],
      [1, 1],
      [30, 0],
      [30, 2],
      [100, 5],
    ];
    let state = createDetector(BUDGET);
    const means = windows.map((window) => meanS((state = add(state, window))));
    const expected = [0.9402356902, 12.99368687, 14.55945702, 186.1459402, 7818.082168];
    expectClose(means, expected, { rel: 1e-9 });
  });

  test('mean S after each window, dispersion 1.8', () => {
    let state = add(createDetector(BUDGET), [30, 1], 1.8);
    expectClose(meanS(state), 16.47283674, { rel: 1e-9 });
    state = add(state, [30, 2], 1.8);
    expectClose(meanS(state), 73.62594608, { rel: 1e-9 });
  });
});

describe('windows', () => {
  test('a new detector has seen nothing and does not alarm', () => {
    expect(meanS(createDetector(BUDGET))).toBe(0);
    expect(isAlarm(createDetector(BUDGET), 1000, 1)).toBe(false);
  });

  test('an empty window changes nothing', () => {
    const state = add(createDetector(BUDGET), [30, 1]);
    expect(add(state, [0, 0])).toEqual(state);
  });

  test('a window of one row is the classic recursion (S + 1) x likelihood ratio', () => {
    const ratios = detectorRatios(BUDGET);
    let state = createDetector(BUDGET);
    let expected = ratios.map(() => 0);
    for (const disagreements of [0, 0, 1, 0, 1, 1, 0]) {
      state = add(state, [1, disagreements]);
      expected = expected.map((s, i) => {
        const ratio = ratios[i]!;
        return (s + 1) * (disagreements ? ratio / BUDGET : (1 - ratio) / (1 - BUDGET));
      });
    }
    expectClose(state.s, expected, { rel: 1e-12 });
  });

  test('one start point per window, (S + 1) x ratio, never exceeds the row-by-row value in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (rows) => {
        let state = createDetector(BUDGET);
        for (const disagrees of rows) state = add(state, [1, disagrees ? 1 : 0]);
        const disagreements = rows.filter(Boolean).length;
        detectorRatios(BUDGET).forEach((ratio, i) => {
          const agreements = rows.length - disagreements;
          const single =
            (ratio / BUDGET) ** disagreements * ((1 - ratio) / (1 - BUDGET)) ** agreements;
          expect(single).toBeLessThanOrEqual(state.s[i]! * (1 + 1e-9));
        });
      }),
      OPTIONS,
    );
  });

  test('start points at the front: the expectation of S under the budget is at most the audits so far', () => {
    // Exact: E[(S + n) x LR] = S + n, summed over the binomial law of one window.
    const n = 5;
    const before = add(createDetector(BUDGET), [30, 1]);
    const expected = before.s.map(() => 0);
    let probability = (1 - BUDGET) ** n;
    for (let k = 0; k <= n; k++) {
      add(before, [n, k]).s.forEach((s, i) => (expected[i]! += probability * s));
      probability *= (((n - k) / (k + 1)) * BUDGET) / (1 - BUDGET);
    }
    expectClose(
      expected,
      before.s.map((s) => s + n),
      { rel: 1e-9 },
    );
  });

  test('S never passes 1e300 and stays finite when everything disagrees', () => {
    let state = createDetector(BUDGET);
    for (let i = 0; i < 5; i++) state = add(state, [1000, 1000]);
    expectClose(state.s, Array<number>(6).fill(1e300), { rel: 1e-12 });
    expectClose(meanS(state), 1e300, { rel: 1e-12 });
    expect(isAlarm(state, 20_000, 1)).toBe(true);
  });

  test('a long time without disagreements leaves S small but able to grow', () => {
    let state = add(createDetector(BUDGET), [1_000_000, 0]);
    expect(meanS(state)).toBeLessThan(1);
    state = add(state, [10, 10]);
    expect(isAlarm(state, 20_000, 1)).toBe(true);
  });

  test('the state survives JSON', () => {
    const state = add(createDetector(BUDGET), [30, 2]);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  test.each<[string, number, number, number]>([
    ['more disagreements than audits', 10, 11, 1],
    ['negative disagreements', 10, -1, 1],
    ['a fraction of audits', 1.5, 1, 1],
    ['a fraction of disagreements', 10, 0.5, 1],
    ['counts that are not numbers', NaN, 0, 1],
    ['a dispersion below 1', 10, 1, 0.9],
    ['a dispersion that is not a number', 10, 1, NaN],
    ['an infinite dispersion', 10, 1, Infinity],
  ])('%s is a broken assumption', (_, audits, disagreements, dispersion) => {
    expect(() => add(createDetector(BUDGET), [audits, disagreements], dispersion)).toThrow(
      InvariantError,
    );
  });

  test('a broken assumption is told with its numbers', () => {
    const state = createDetector(BUDGET);
    expect(() => add(state, [10, 11])).toThrow('detector window of 10 audits, 11 disagreements');
    expect(() => add(state, [10, 1], 0.5)).toThrow('detector with dispersion 0.5');
  });

  test('a window without audits leaves the very state that was there', () => {
    const seen = add(createDetector(BUDGET), [300, 4]);
    expect(add(seen, [0, 0])).toBe(seen);
  });

  test('a state of another budget is a broken assumption', () => {
    expect(() => add(createDetector(0.5), [1, 0])).toThrow(InvariantError);
    expect(() => add(createDetector(0.5), [1, 0])).toThrow(
      `detector state of another budget than ${BUDGET}`,
    );
  });
});

/** [11] audits by tenths of loss. */
function lossCounts(counts: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: 11 }, (_, tenths) => counts[tenths] ?? 0);
}

describe('windows of losses between 0 and 1', () => {
  const addLosses = (
    state: DetectorState,
    counts: Readonly<Record<number, number>>,
    dispersion = 1,
  ): DetectorState =>
    updateLossDetector(state, { budget: BUDGET, audits: lossCounts(counts), dispersion });

  test('of rows that are right or wholly wrong are those of disagreements', () => {
    const before = add(createDetector(BUDGET), [30, 1]);
    for (const [right, wrong] of [
      [30, 0],
      [28, 2],
      [0, 5],
    ] as const) {
      const expected = add(before, [right + wrong, wrong], 1.8);
      expectClose(addLosses(before, { 0: right, 10: wrong }, 1.8).s, expected.s, { rel: 1e-12 });
    }
  });

  // exits.md 12: 1 + (q - eps)(L - eps) / (eps (1 - eps)).
  test('a row of one tenth counts its factor', () => {
    const factors = detectorRatios(BUDGET).map(
      (q) => 1 + ((q - BUDGET) * (0.1 - BUDGET)) / (BUDGET * (1 - BUDGET)),
    );
    expectClose(addLosses(createDetector(BUDGET), { 1: 1 }).s, factors, { rel: 1e-12 });
  });

  test('the expectation of S at a mean loss of the budget is at most the audits so far', () => {
    // Losses of 0, 0.3 and 1 with mean 0.01: one row, all outcomes.
    const before = add(createDetector(BUDGET), [30, 1]);
    const law: readonly (readonly [tenths: number, probability: number])[] = [
      [3, 0.02],
      [10, 0.004],
      [0, 0.976],
    ];
    const expected = before.s.map((_, i) =>
      law.reduce((sum, [tenths, p]) => sum + p * addLosses(before, { [tenths]: 1 }).s[i]!, 0),
    );
    expectClose(
      expected,
      before.s.map((s) => s + 1),
      { rel: 1e-9 },
    );
  });

  test('without audits change nothing', () => {
    const before = add(createDetector(BUDGET), [30, 1]);
    expect(addLosses(before, {})).toBe(before);
  });

  test.each([
    ['too few bins', [1, 0]],
    ['a fraction', lossCounts({ 0: 0.5 })],
    ['less than none', lossCounts({ 0: 5, 3: -1 })],
  ])('of %s are a broken assumption', (_, audits) => {
    const window = { budget: BUDGET, audits, dispersion: 1 };
    expect(() => updateLossDetector(createDetector(BUDGET), window)).toThrow(
      `detector window of losses ${audits.join(', ')}`,
    );
  });
});

describe('alarm', () => {
  test('it is raised at the level itself', () => {
    expect(isAlarm({ s: [20_000, 20_000] }, 20_000, 1)).toBe(true);
    expect(isAlarm({ s: [20_000, 19_999] }, 20_000, 1)).toBe(false);
  });

  test('dispersion lowers the level by its factor', () => {
    expect(isAlarm({ s: [10_000] }, 20_000, 2)).toBe(true);
    expect(isAlarm({ s: [9999] }, 20_000, 2)).toBe(false);
  });
});

describe('dispersion at another audit rate', () => {
  test.each([
    ['the same rate keeps it', 3, 0.1, 0.1, 3],
    ['a tenth of the rate keeps a tenth of the excess', 3, 0.1, 1, 1.2],
    ['a higher rate never raises it', 3, 1, 0.1, 3],
    ['independent rows stay independent', 1, 0.02, 1, 1],
    ['below 1 counts as 1', 0.5, 1, 1, 1],
  ])('%s', (_, ...[dispersion, now, then, expected]) => {
    expectClose(thinnedDispersion(dispersion, now, then), expected, { rel: 1e-12 });
  });
});
