import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fisherTail, type SideCounts } from '../../../../operator/stats/fisher-tail.ts';
import { expectClose } from '../../../support/expect-close.ts';

type Table = readonly [audits: number, disagreements: number, others: number, theirs: number];

const toSides = ([audits, disagreements, others, theirs]: Table): [SideCounts, SideCounts] => [
  { audits, disagreements },
  { audits: others, disagreements: theirs },
];
const tailOf = (table: Table): number => fisherTail(...toSides(table));

/** n over k, exactly. */
function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let product = 1n;
  for (let i = 1n; i <= BigInt(k); i++) product = (product * (BigInt(n - k) + i)) / i;
  return product;
}

/** The definition, in whole numbers: tables that are not likelier than this one, as a share of all with its sums. */
function exactTail([audits, disagreements, others, theirs]: Table): number {
  const both = disagreements + theirs;
  const weight = (x: number): bigint => choose(audits, x) * choose(others, both - x);
  const seen = weight(disagreements);
  let sum = 0n;
  for (let x = 0; x <= both; x++) if (weight(x) <= seen) sum += weight(x);
  const all = choose(audits + others, both);
  // 30 digits of the quotient: enough for a number far below 1e-15.
  return Number((sum * 10n ** 60n) / all) / 1e60;
}

describe('two sides are compared by the exact test', () => {
  // fisher.test of R, the examples of its help page: tea tasting, and convictions of twins.
  test.each<[Table, number]>([
    [[4, 3, 4, 1], 0.4857142857142857],
    [[17, 2, 13, 10], 0.0005367241],
  ])('%j gives the published probability', (table, expected) => {
    expectClose(tailOf(table), expected, { rel: 1e-7 });
  });

  test.each<Table>([
    [200, 0, 800, 3],
    [2_000, 0, 8_000, 88],
    [920, 0, 9_000, 90],
    [600, 19, 2_400, 2],
    [1_000, 10, 9_000, 90],
    [3, 3, 9_997, 78],
    [1, 1, 1, 1],
    [500, 250, 500, 251],
  ])('%j gives what whole numbers give', (...table) => {
    expectClose(tailOf(table), exactTail(table), { rel: 1e-11 });
  });

  test('any table gives what whole numbers give', () => {
    const side = fc
      .integer({ min: 0, max: 60 })
      .chain((audits) => fc.tuple(fc.constant(audits), fc.integer({ min: 0, max: audits })));
    fc.assert(
      fc.property(side, side, ([n, k], [m, l]) => {
        expectClose(tailOf([n, k, m, l]), exactTail([n, k, m, l]), { rel: 1e-11 });
      }),
      { seed: 20_261_125, numRuns: 400 },
    );
  });

  test('neither side has a name: swapped, the probability is the same', () => {
    expectClose(tailOf([2_000, 3, 8_000, 88]), tailOf([8_000, 88, 2_000, 3]), { rel: 1e-11 });
  });

  test.each<[string, Table]>([
    ['no rows', [0, 0, 0, 0]],
    ['rows of one side only', [100, 4, 0, 0]],
    ['no disagreement', [100, 0, 900, 0]],
    ['nothing but disagreement', [100, 100, 900, 900]],
  ])('%s tell nothing apart', (_what, table) => {
    expect(tailOf(table)).toBe(1);
  });

  test.each<[string, Table]>([
    ['more disagreements than rows', [10, 11, 90, 0]],
    ['more disagreements than rows on the other side', [10, 0, 90, 91]],
    ['a negative count', [10, -1, 90, 1]],
    ['a negative count on the other side', [10, 2, 90, -1]],
    ['negative rows', [20, 0, -10, 0]],
    ['negative rows that disagree', [20, 5, -10, 5]],
  ])('%s are explained by nothing', (_what, table) => {
    expect(tailOf(table)).toBe(0);
  });

  test('a million rows neither overflow nor come out as nothing', () => {
    const tail = tailOf([200_000, 1_900, 800_000, 8_100]);
    expect(tail).toBeGreaterThan(0.01);
    expect(tail).toBeLessThan(0.05);
    expect(tailOf([500_000, 0, 500_000, 10_000])).toBe(0);
  });
});
