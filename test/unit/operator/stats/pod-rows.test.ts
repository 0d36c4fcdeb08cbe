import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LAMBDA_COUNT } from '../../../../crds/wire/lambda-grid.ts';
import {
  addPodRows,
  columnOf,
  toPodRows,
  type PodRows,
  type RowColumn,
} from '../../../../operator/stats/pod-rows.ts';

/** Columns as heads give them: up and down. */
const columns: fc.Arbitrary<RowColumn> = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: LAMBDA_COUNT, maxLength: LAMBDA_COUNT })
  .map((dis) => ({ n: 10, dis }));

/** A pod whose column rises at so many places. */
function aPodOf(podUid: string, n: number, steps = 1): PodRows {
  return { podUid, n, steps: Array.from({ length: steps }, (_, j) => [j, 1]) };
}

const names = (pods: readonly PodRows[]): readonly string[] => pods.map(({ podUid }) => podUid);
const fleetOf = (count: number, n: number, steps = 1): PodRows[] =>
  Array.from({ length: count }, (_, i) => aPodOf(`pod-${String(i).padStart(4, '0')}`, n, steps));

describe('rows of a pod', () => {
  test('keep their column through any ups and downs', () => {
    fc.assert(
      fc.property(columns, (column) => {
        expect(columnOf(toPodRows('a', column))).toEqual(column);
      }),
      { seed: 20_261_125 },
    );
  });

  test('of a column without a disagreement are a number alone', () => {
    const dis = new Array<number>(LAMBDA_COUNT).fill(0);
    expect(toPodRows('a', { n: 7, dis })).toEqual({ podUid: 'a', n: 7, steps: [] });
  });
});

describe('rows of a tick', () => {
  test('add to those of their pod, in whatever order ticks and pods come', () => {
    const told = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), columns), { maxLength: 6 });
    fc.assert(
      fc.property(told, (rows) => {
        const pods = rows.map(([podUid, column]) => toPodRows(podUid, column));
        const oneByOne = pods.reduce<readonly PodRows[]>((sum, pod) => addPodRows(sum, [pod]), []);
        expect(addPodRows([], [...pods].reverse())).toEqual(oneByOne);
        const ownOf = (name: string): RowColumn[] =>
          rows.flatMap(([podUid, column]) => (podUid === name ? [column] : []));
        for (const pod of oneByOne) {
          const own = ownOf(pod.podUid);
          expect(columnOf(pod)).toEqual({
            n: 10 * own.length,
            dis: own[0]!.dis.map((_, j) => own.reduce((sum, { dis }) => sum + dis[j]!, 0)),
          });
        }
        expect(oneByOne).toHaveLength(new Set(rows.map(([podUid]) => podUid)).size);
      }),
      { seed: 20_261_126, numRuns: 50 },
    );
  });

  test('of more than 64 pods are told apart for those with most rows', () => {
    const many = fleetOf(1_000, 10);
    const large = aPodOf('zzz', 11);
    const kept = addPodRows(many, [large]);
    expect(kept).toHaveLength(64);
    expect(names(kept)).toEqual([...names(many).slice(0, 63), 'zzz']);
  });

  test('that change at more than 2,000 places are told apart for those with most rows', () => {
    const dense = fleetOf(20, 100, LAMBDA_COUNT);
    const kept = addPodRows(dense, [aPodOf('a-small', 1), aPodOf('z-large', 101)]);
    // 16 columns of 120 places and the one of the largest.
    expect(names(kept)).toEqual([...names(dense).slice(0, 16), 'z-large']);
  });

  test('that change at exactly 2,000 places are all told apart, and with one more the smallest is not', () => {
    const full = fleetOf(19, 100, 100);
    expect(addPodRows(full, [aPodOf('small', 1, 100)])).toHaveLength(20);
    const kept = addPodRows(full, [aPodOf('small', 1, 101)]);
    expect(names(kept)).toEqual(names(full));
  });

  test('of more pods of one size than 64 are those of the first names, in whatever order they tell', () => {
    const many = fleetOf(70, 10);
    expect(names(addPodRows([], [...many].reverse()))).toEqual(names(many).slice(0, 64));
  });

  test('of a pod that was not kept begin anew', () => {
    const kept = addPodRows(fleetOf(64, 10), [aPodOf('small', 5)]);
    expect(names(kept)).not.toContain('small');
    const later = addPodRows(kept, [aPodOf('small', 11)]);
    expect(later.find(({ podUid }) => podUid === 'small')?.n).toBe(11);
  });
});
