import { describe, expect, test } from 'vitest';
import { LAMBDA_COUNT } from '../../../../crds/wire/lambda-grid.ts';
import { disagreesTooSeldom, flagPods } from '../../../../operator/stats/flagged-pods.ts';
import { toPodRows, type PodRows, type RowColumn } from '../../../../operator/stats/pod-rows.ts';

/** Rows that disagree so often from `from` on, and never below. */
function aColumn(n: number, disagreements: number, from = 0): RowColumn {
  const dis = Array.from({ length: LAMBDA_COUNT }, (_, j) => (j >= from ? disagreements : 0));
  return { n, dis };
}

const AT = { lambdaIndex: 60, dispersion: 1 };

/** Pods `a`, `b`, ... with these rows and disagreements, and all of them together. */
function fleet(...counts: readonly (readonly [n: number, k: number])[]): {
  readonly pods: readonly PodRows[];
  readonly total: RowColumn;
} {
  const pods = counts.map(([n, k], i) => toPodRows('abcdefghijklm'[i]!, aColumn(n, k)));
  const sum = (of: 0 | 1): number => counts.reduce((all, count) => all + count[of], 0);
  return { pods, total: aColumn(sum(0), sum(1)) };
}

describe('a pod is compared with the rest', () => {
  test('one that never disagrees while the others do stands out, with the figures of both sides', () => {
    const { pods, total } = fleet([2_000, 22], [2_000, 24], [2_000, 0], [2_000, 20], [2_000, 22]);
    expect(flagPods(pods, total, AT)).toEqual({
      count: 1,
      pods: [
        {
          podUid: 'c',
          audits: 2_000,
          disagreements: 0,
          otherAudits: 8_000,
          otherDisagreements: 88,
        },
      ],
      without: aColumn(8_000, 88),
    });
  });

  test('one that disagrees far more often stands out as well', () => {
    const { pods, total } = fleet([2_000, 20], [2_000, 60], [4_000, 40], [4_000, 40]);
    expect(flagPods(pods, total, AT)?.pods).toMatchObject([{ podUid: 'b', disagreements: 60 }]);
  });

  test('pods that differ as much as chance has it do not', () => {
    const { pods, total } = fleet([2_000, 22], [2_000, 9], [2_000, 25], [2_000, 20], [2_000, 22]);
    expect(flagPods(pods, total, AT)).toBeNull();
  });

  // Fisher's tails 0.99943e-4 and 1.00023e-4 of these tables, from whole numbers.
  test('stands out at a probability of 1e-4, and just above does not', () => {
    const below = fleet([910, 5], [4_500, 106]);
    const above = fleet([760, 1], [5_250, 92]);
    expect(flagPods(below.pods.slice(0, 1), below.total, AT)?.pods).toMatchObject([
      { podUid: 'a' },
    ]);
    expect(flagPods(above.pods.slice(0, 1), above.total, AT)).toBeNull();
  });

  test('by how often it disagrees, not by how many rows do: few of few may be too many', () => {
    const { pods, total } = fleet([500, 25], [10_000, 60]);
    const flagged = flagPods(pods.slice(0, 1), total, AT);
    expect(flagged).toMatchObject({ count: 1, without: null });
    expect(flagged!.pods.map(disagreesTooSeldom)).toEqual([false]);
  });

  test('at the lambda that is asked for, and at no other', () => {
    const late = toPodRows('late', aColumn(2_000, 60, 61));
    const other = toPodRows('other', aColumn(8_000, 40, 0));
    const total = {
      n: 10_000,
      dis: Array.from({ length: LAMBDA_COUNT }, (_, j) => (j > 60 ? 100 : 40)),
    };
    const flagged = (lambdaIndex: number): unknown =>
      flagPods([late, other], total, { ...AT, lambdaIndex });
    expect(flagged(60)).toBeNull();
    expect(flagged(61)).not.toBeNull();
  });

  test('rows that come in bursts are fewer: what stands out at D = 1 need not at D = 3', () => {
    const { pods, total } = fleet([2_000, 5], [2_000, 22], [2_000, 25], [2_000, 20], [2_000, 27]);
    expect(flagPods(pods, total, AT)).not.toBeNull();
    expect(flagPods(pods, total, { ...AT, dispersion: 3 })).toBeNull();
  });

  test('rows of both sides are fewer: with those of one side alone this pod would stand out', () => {
    const { pods, total } = fleet([4_000, 5], [2_000, 30]);
    expect(flagPods(pods.slice(0, 1), total, { ...AT, dispersion: 3 })).toBeNull();
  });

  test('one that tells the very rate of the rest does not disagree too seldom', () => {
    const rest = { otherAudits: 200, otherDisagreements: 2 };
    expect(disagreesTooSeldom({ podUid: 'a', audits: 100, disagreements: 1, ...rest })).toBe(false);
  });

  test('all of whose few rows disagree is judged on whole rows', () => {
    const { pods, total } = fleet([3, 3], [2_000, 20], [2_000, 20]);
    expect(flagPods(pods, total, { ...AT, dispersion: 2 })).toBeNull();
    expect(flagPods(pods, total, AT)?.pods).toMatchObject([{ podUid: 'a' }]);
  });

  test('without any pod that is told apart none stands out', () => {
    expect(flagPods([], aColumn(10_000, 88), AT)).toBeNull();
  });

  test('rows of pods that are not told apart are part of the rest', () => {
    const { pods } = fleet([2_000, 0]);
    expect(flagPods(pods, aColumn(10_000, 88), AT)).toMatchObject({
      pods: [{ podUid: 'a', otherAudits: 8_000 }],
      without: aColumn(8_000, 88),
    });
  });

  test('one with more rows than all pods together have stands out, whatever it tells', () => {
    const { pods } = fleet([2_000, 40]);
    expect(flagPods(pods, aColumn(1_000, 10), AT)?.count).toBe(1);
  });
});

describe('what has to pass as well', () => {
  test('of two pods that stand out from each other: the one that disagrees more often', () => {
    const { pods, total } = fleet([5_000, 0], [5_000, 80]);
    const flagged = flagPods(pods, total, AT);
    expect(flagged?.count).toBe(2);
    expect(flagged?.without).toEqual(aColumn(5_000, 80));
  });

  test('of pods of which one disagrees too often: nothing more', () => {
    const { pods, total } = fleet([2_000, 20], [2_000, 60], [4_000, 40], [4_000, 40]);
    expect(flagPods(pods, total, AT)).toMatchObject({ count: 1, without: null });
  });

  test('of pods most of which deny everything: the one that does not', () => {
    const { pods, total } = fleet([5_000, 0], [4_000, 0], [3_000, 100]);
    expect(flagPods(pods, total, AT)).toMatchObject({ count: 3, without: aColumn(3_000, 100) });
  });

  test('of two pods beside others: the others', () => {
    const { pods, total } = fleet([2_000, 0], [2_000, 0], [8_000, 80]);
    const two = flagPods(pods.slice(0, 2), total, AT);
    expect(two).toMatchObject({ count: 2, without: aColumn(8_000, 80) });
  });

  test('of more than eight pods: all of them, and the eight clearest are named', () => {
    const liars = Array.from({ length: 9 }, (_, i) => [1_000 + 200 * i, 0] as const);
    const { pods, total } = fleet(...liars, [20_000, 400], [20_000, 400]);
    const flagged = flagPods(pods.slice(0, 9), total, AT);
    expect(flagged?.count).toBe(9);
    expect(flagged?.pods.map(({ podUid }) => podUid).join('')).toBe('ihgfedcb');
    expect(flagged?.without).toEqual(aColumn(40_000, 800));
  });
});

test('a pod disagrees too seldom by shares, whichever side has more rows', () => {
  const pod = { podUid: 'a', audits: 100, disagreements: 2, otherAudits: 1_000 };
  expect(disagreesTooSeldom({ ...pod, otherDisagreements: 30 })).toBe(true);
  expect(disagreesTooSeldom({ ...pod, otherDisagreements: 20 })).toBe(false);
  expect(disagreesTooSeldom({ ...pod, otherDisagreements: 10 })).toBe(false);
});
