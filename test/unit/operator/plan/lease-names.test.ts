import { expect, test } from 'vitest';
import { allLeaseNames, leaseNames, MAX_SHARDS } from '../../../../operator/plan/lease-names.ts';

test('one leader has the plain name; of several each has a number', () => {
  expect(leaseNames('release-operator', 1)).toEqual(['release-operator']);
  expect(leaseNames('release-operator', 3)).toEqual([
    'release-operator-0',
    'release-operator-1',
    'release-operator-2',
  ]);
});

test('the names of all are those of every number of shards', () => {
  const all = new Set(allLeaseNames('o'));
  expect(all.size).toBe(MAX_SHARDS + 1);
  for (let shards = 1; shards <= MAX_SHARDS; shards++) {
    expect(leaseNames('o', shards).filter((name) => !all.has(name))).toEqual([]);
  }
});
