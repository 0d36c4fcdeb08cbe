import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, documents, textOf, withoutBlocks } from './documents.ts';

interface Link {
  readonly target: string;
  readonly anchor: string;
}

/** Links into the repository, by path from its root; those to the web are not followed. */
function linksOf(path: string): readonly Link[] {
  const text = withoutBlocks(textOf(path)).replaceAll(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [file = '', anchor = ''] = link.split('#');
      return { target: file === '' ? path : join(dirname(path), file), anchor };
    });
}

test.each(documents())('links of %s lead to files and headings that are there', (path) => {
  const broken = linksOf(path).filter(({ target, anchor }) => {
    if (!existsSync(target)) return true;
    if (anchor === '') return false;
    return statSync(target).isDirectory() || !anchorsOf(textOf(target)).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('a reader of the chart finds every page from its README, in at most two steps', () => {
  const start = 'charts/layercache/README.md';
  const first = linksOf(start).map(({ target }) => target);
  const second = first
    .filter((target) => target.endsWith('.md'))
    .flatMap((target) => linksOf(target).map((link) => link.target));
  const pages = documents().filter((path) => path.startsWith('charts/layercache/'));
  const lost = pages.filter((path) => path !== start && ![...first, ...second].includes(path));
  expect(lost).toEqual([]);
});
