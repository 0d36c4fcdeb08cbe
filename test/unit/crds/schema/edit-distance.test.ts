import { expect, test } from 'vitest';

import { editDistance, nearestNames } from '../../../../crds/schema/edit-distance.ts';

test('insertions, deletions, replacements and swaps of neighbours are one edit each', () => {
  const table: readonly (readonly [string, string, number])[] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['backbone', 'bakbone', 1],
    ['mode', 'moed', 1],
    ['ca', 'abc', 3],
  ];
  for (const [a, b, distance] of table) {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  }
});

test('the nearest names come first, at most three, and far ones never', () => {
  const fields = ['backbone', 'mode', 'modelName', 'node', 'mods', 'more'];
  expect(nearestNames('BACKBONE', fields)).toEqual(['backbone']);
  expect(nearestNames('mode', fields)[0]).toBe('mode');
  expect(nearestNames('mode', fields)).toHaveLength(3);
  expect(nearestNames('xyzzyxyzzy', fields)).toEqual([]);
});
