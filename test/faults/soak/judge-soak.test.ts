import { expect, test } from 'vitest';
import { growthOf, leaksOf, type Sample } from './judge-soak.ts';

const samples = (of: (i: number) => Partial<Sample>, count = 12): Sample[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ atMs: i * 60_000, mebibytes: 100, handles: 30, series: 400 },
    ...of(i),
  }));

test('what grows while it warms up and is flat after it leaks nothing', () => {
  const warm = samples((i) => ({ mebibytes: Math.min(i, 6) * 50, series: Math.min(i, 5) * 100 }));
  expect(growthOf(warm)).toEqual({ mebibytes: 0, handles: 0, series: 0 });
  expect(leaksOf(warm)).toEqual([]);
});

test('one sample that stands out is no leak, and steps to both sides are none', () => {
  const uneven = (i: number) => ({ mebibytes: i === 20 ? 900 : 100 + (i % 2) * 14 });
  expect(leaksOf(samples(uneven, 24))).toEqual([]);
});

test.each([
  ['memory', { mebibytes: 4 }, 'mebibytes'],
  ['handles', { handles: 1 }, 'handles'],
  ['series', { series: 3 }, 'series'],
] as const)('%s that grows from cycle to cycle is a leak', (_, more, leaking) => {
  const grown = samples((i) =>
    Object.fromEntries(Object.entries(more).map(([key, each]) => [key, 100 + each * i])),
  );
  expect(leaksOf(grown)).toEqual([leaking]);
});

test('a process of which too little was seen is not called flat', () => {
  expect(leaksOf([])).toEqual(['mebibytes', 'handles', 'series']);
  expect(leaksOf(samples(() => ({}), 1))).toEqual(['mebibytes', 'handles', 'series']);
});
