import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { judgePromise, type Measured, type Promised } from './judge-promise.ts';

const PROMISED: Promised = {
  promise: 'quiet',
  records: { rest: { periods: { min: 100 }, writes: { max: 0 } } },
  mutation: ['plans'],
};
const measured = (
  figures: Readonly<Record<string, number>> | null,
  isEnough: boolean | null = true,
): Measured => ({
  record: () => (figures === null ? null : { figures, when: 'today' }),
  mutation: () =>
    isEnough === null ? null : { isEnough, killed: 9, mutants: 10, date: '2026-01-02' },
});

test('a promise is kept by figures that are just within its bounds', () => {
  expect(judgePromise(PROMISED, measured({ periods: 100, writes: 0 }))).toEqual({
    promise: 'quiet',
    verdict: 'kept',
    said: [
      'rest: periods 100, at least 100, writes 0, at most 0 (today)',
      'plans: 9 of 10 killed (2026-01-02)',
    ],
  });
});

test.each([
  ['a figure below its bound', { periods: 99, writes: 0 }, true],
  ['a figure above its bound', { periods: 100, writes: 1 }, true],
  ['a figure that is missing', { periods: 100 }, true],
  ['a figure that is no number', { periods: NaN, writes: 0 }, true],
  ['mutants that nobody noticed', { periods: 100, writes: 0 }, false],
])('%s breaks it', (_, figures, isEnough) => {
  expect(judgePromise(PROMISED, measured(figures, isEnough)).verdict).toBe('BROKEN');
});

test('what was not measured is no promise that is kept, and says which run measures it', () => {
  const none = judgePromise(PROMISED, measured(null, null));
  expect(none.verdict).toBe('NO RECORD');
  expect(none.said).toEqual([
    'rest: nothing was measured; run npm test',
    'plans: not mutated yet; run npm run mutation -- "plans"',
  ]);
  const long = judgePromise({ ...PROMISED, long: true }, measured(null));
  expect(long.said[0]).toContain('run npm run test:long, then npm run promises -- --keep');
  const bench = judgePromise({ ...PROMISED, long: true, command: 'npm run bench' }, measured(null));
  expect(bench.said[0]).toContain('run npm run bench, then npm run promises -- --keep');
  // What is broken is worse than what is not known.
  expect(judgePromise(PROMISED, measured(null, false)).verdict).toBe('BROKEN');
});

/** Names of the records that tests and benches open, with the file of each. */
function openedRecords(): readonly (readonly [name: string, file: string])[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:test|long)\.ts$|^bench\/.*\.ts$/.test(file))
    .flatMap((file) =>
      [...readFileSync(`test/${file}`, 'utf8').matchAll(/openRecord\('([\w-]+)'\)/g)].map(
        ([, name = '']) => [name, file] as const,
      ),
    );
}

test('every short record of the table is written by a short test, and what a test writes is promised', () => {
  const promises = JSON.parse(
    readFileSync('test/promises/promises.json', 'utf8'),
  ) as readonly Promised[];
  const namesOf = (some: readonly Promised[]): string[] =>
    some.flatMap(({ records = {} }) => Object.keys(records));
  const opened = openedRecords();
  const short = opened.filter(([, file]) => file.endsWith('.test.ts')).map(([name]) => name);
  expect(short.toSorted()).toEqual(
    namesOf(promises.filter(({ long }) => long !== true)).toSorted(),
  );
  const all = namesOf(promises);
  expect(opened.map(([name]) => name).filter((name) => !all.includes(name))).toEqual([]);
});
