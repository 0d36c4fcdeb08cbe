import { describe, expect, test } from 'vitest';
import { createAuditSpan } from '../../../../../server/core/drift/audit-span.ts';
import {
  areScoresOff,
  isMeanOff,
  isMixOff,
  isShareOff,
  stabilityIndex,
} from '../../../../../server/core/drift/comparisons.ts';
import { InvariantError } from '../../../../../server/core/invariant.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import { seededRandom } from '../../../../support/seeded-random.ts';

const share = (part: number, rows: number) => ({ part, rows });

describe('a share is off', () => {
  test.each([
    ['by a quarter and five errors', share(600, 1_000), share(440, 1_000), true],
    ['upwards too', share(600, 1_000), share(760, 1_000), true],
    ['not by less than a quarter', share(600, 1_000), share(460, 1_000), false],
    ['not within five errors', share(600, 1_000), share(4, 10), false],
    ['not by a few rows where there were none', share(0, 1_000), share(20, 1_000), false],
    ['by many rows where there were none', share(0, 1_000), share(40, 1_000), true],
    ['not when nothing left and nothing leaves', share(0, 1_000), share(0, 1_000), false],
    ['not without rows before', share(0, 0), share(5, 1_000), false],
    ['not without rows now', share(600, 1_000), share(0, 0), false],
  ])('%s', (_, before, now, isOff) => {
    expect(isShareOff(before, now)).toBe(isOff);
  });
});

describe('the stability index', () => {
  test('is the published sum, with half a row more in each bin', () => {
    // By hand: shares (30.5, 70.5)/101 against (50.5, 50.5)/101.
    const [a, b] = [30.5 / 101, 70.5 / 101];
    const expected = (a - 0.5) * Math.log(a / 0.5) + (b - 0.5) * Math.log(b / 0.5);
    expectClose(stabilityIndex([30, 70], [50, 50]), expected, { rel: 1e-12 });
  });

  test('is 0 for equal shapes and for no rows, and refuses other bins', () => {
    expect(stabilityIndex([5, 5], [5, 5])).toBe(0);
    expect(stabilityIndex([0, 0], [5, 5])).toBe(0);
    expect(stabilityIndex([5, 5], [0, 0])).toBe(0);
    expect(() => stabilityIndex([1], [1, 2])).toThrow(InvariantError);
  });

  test('of scores that moved by two bins is above 0.2, of the same law far below', () => {
    const source = seededRandom(11);
    const random = (): number => source.uniform();
    const spanOf = (shift: number) => {
      const span = createAuditSpan();
      for (let i = 0; i < 1_000; i++) {
        const logit = (random() + random() + random() - 1.5) * 4 + shift;
        const firstScore = 1 / (1 + Math.exp(-logit));
        span.add({ leaves: false, firstScore, backboneClass: 0, backboneConfidence: NaN });
      }
      return span;
    };
    expect(areScoresOff(spanOf(2), spanOf(2))).toBe(false);
    expect(areScoresOff(spanOf(2), spanOf(0))).toBe(true);
  });
});

describe('the mix of classes is off', () => {
  const mix = (...rows: number[]) => new Map(rows.map((count, classId) => [classId, count]));

  test('from the quantile of the chi-square law on', () => {
    // R: qchisq(1e-6, 1, lower.tail = FALSE) = 23.92813; the law as it is used here has 27.5.
    const chiSquare = (d: number): number => d ** 2 / (1_000 + d) + d ** 2 / (1_000 - d);
    expect(chiSquare(115)).toBeGreaterThan(23.92813);
    expect(chiSquare(115)).toBeLessThan(27.5);
    expect(isMixOff(mix(500, 500), mix(500 + 115, 500 - 115))).toBe(false);
    expect(chiSquare(118)).toBeGreaterThan(27.5);
    expect(isMixOff(mix(500, 500), mix(500 + 118, 500 - 118))).toBe(true);
  });

  test('when a common class is new, and not when rare ones are', () => {
    expect(isMixOff(mix(1_000), mix(900, 100))).toBe(true);
    const ones = (count: number): number[] => Array.from({ length: count }, () => 1);
    expect(isMixOff(mix(970, ...ones(30)), mix(930, ...ones(70)))).toBe(false);
  });

  test('never with one class, or without rows', () => {
    expect(isMixOff(mix(1_000), mix(1_000))).toBe(false);
    expect(isMixOff(mix(), mix(500, 500))).toBe(false);
    expect(isMixOff(mix(500, 500), mix())).toBe(false);
  });

  test('in no pair of 300 from one law of 20 classes', () => {
    const source = seededRandom(12);
    const random = (): number => source.uniform();
    const draw = () => {
      const classes = new Map<number, number>();
      for (let i = 0; i < 1_000; i++) {
        const classId = Math.floor(20 * random() ** 2);
        classes.set(classId, (classes.get(classId) ?? 0) + 1);
      }
      return classes;
    };
    const off = Array.from({ length: 300 }, () => isMixOff(draw(), draw())).filter(Boolean);
    expect(off).toEqual([]);
  });
});

describe('a mean is off', () => {
  const of = (...values: number[]) => ({
    count: values.length,
    sum: values.reduce((a, b) => a + b, 0),
    squares: values.reduce((a, b) => a + b * b, 0),
  });
  const spread = (mean: number) =>
    of(...Array.from({ length: 1_000 }, (_, i) => mean + (i % 2 === 0 ? 0.1 : -0.1)));

  test('beyond five standard errors of the difference', () => {
    // Each mean has an error of 0.1 / sqrt(1000); their difference 0.00447.
    expect(isMeanOff(spread(0.8), spread(0.778))).toBe(false);
    expect(isMeanOff(spread(0.8), spread(0.777))).toBe(true);
  });

  test('when values without any spread move, but not by rounding', () => {
    expect(isMeanOff(of(0.9, 0.9), of(0.8, 0.8))).toBe(true);
    expect(isMeanOff(of(0.9, 0.9), of(0.9, 0.9 + 1e-12))).toBe(false);
  });

  test('never with fewer than two values', () => {
    expect(isMeanOff(of(0.9), of(0.1, 0.1))).toBe(false);
    expect(isMeanOff(of(0.1, 0.1), of())).toBe(false);
  });
});
