import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CATALOGUE } from './catalogue.ts';
import { renderCatalogue } from './render-catalogue.ts';
import { testTitles } from './test-titles.ts';

const rows = CATALOGUE.flatMap(({ rows }) => Object.entries(rows));
const named = rows.flatMap(([id, { tests = {} }]) =>
  Object.entries(tests).map(([file, titles]) => ({ id, file, titles })),
);
const titlesOf = new Map<string, ReadonlySet<string>>();

/** What is named by the row and is not there. */
function findMissing({ id, file, titles }: (typeof named)[number]): readonly string[] {
  const path = `test/${file}`;
  if (!existsSync(path)) return [`${id}: ${file}`];
  const known = titlesOf.get(file) ?? testTitles(path);
  titlesOf.set(file, known);
  return titles.filter((title) => !known.has(title)).map((title) => `${id}: ${file}: ${title}`);
}

describe('the catalogue of faults', () => {
  test.each(CATALOGUE)('$title has every row once and in order', ({ letter, last, rows: own }) => {
    const ids = Array.from({ length: last }, (_, i) => `${letter}${i + 1}`);
    expect(Object.keys(own)).toEqual(ids);
  });

  test('names no test that does not exist', () => {
    expect(named.flatMap(findMissing)).toEqual([]);
    // It would be told.
    const [first] = named;
    expect(findMissing({ ...first!, titles: ['nothing is called so'] })).toHaveLength(1);
    expect(findMissing({ ...first!, file: 'faults/absent.test.ts' })).toHaveLength(1);
  });

  test('a row has a test and says what holds, or says why it cannot happen', () => {
    for (const [id, { tests, holds, impossible, fault }] of rows) {
      expect(fault, id).not.toBe('');
      if (impossible === undefined) expect(Object.values(tests ?? {}).flat(), id).not.toEqual([]);
      expect(holds === '', id).toBe(impossible !== undefined);
      expect(tests === undefined, id).toBe(impossible !== undefined);
    }
  });

  test('a row is held by a short test, or its long one has a recorded run', () => {
    const isLong = (file: string): boolean => file.endsWith('.long.ts');
    const onlyLong = rows
      .filter(([, { tests = {} }]) => Object.keys(tests).length > 0)
      .filter(([, { tests = {} }]) => Object.keys(tests).every(isLong))
      .map(([id]) => id);
    expect(onlyLong).toEqual(['B2', 'T11']);
  });

  test('its verdicts are the page', async () => {
    await expect(renderCatalogue(CATALOGUE)).toMatchFileSnapshot('../README.md');
  });
});
