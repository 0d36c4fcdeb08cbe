import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readManifest } from '../../../crds/schema/manifest.ts';
import { BLOCK_RUNS } from './block-runs.ts';
import { blocksOf, blockText, documents, textOf } from './documents.ts';

/** Words on a screen, and code for those who work on the repository, which the compiler reads elsewhere. */
const NO_COMMANDS = ['text', 'ts'];
const blocks = documents().flatMap(blocksOf);
const commands = blocks.filter(({ language }) => !NO_COMMANDS.includes(language));
const entries = Object.entries(BLOCK_RUNS);

test('every command block of every document is accounted for, and no other', () => {
  expect(commands.map(({ id }) => id).sort()).toEqual(Object.keys(BLOCK_RUNS).sort());
});

test('blocks open and close, so that none is taken for text', () => {
  for (const path of documents()) {
    const fences = textOf(path).match(/^ *```/gm) ?? [];
    expect(fences.length, path).toBe(2 * blocksOf(path).length);
  }
});

describe('a block', () => {
  test.each(entries.flatMap(([id, run]) => ('runBy' in run ? [[id, run.runBy]] : [])))(
    '%s is read by the test that runs it, %s',
    (id, file) => {
      expect(file).toMatch(/\.(test|long)\.ts$/);
      const [path = '', anchor = ''] = id.split('#');
      const text = readFileSync(file, 'utf8');
      const named = [`'${path}`, `#${anchor}\``, `#${anchor}'`].map((part) => text.includes(part));
      expect(named[0], path).toBe(true);
      expect(named[1] === true || named[2] === true, anchor).toBe(true);
    },
  );

  test.each(entries.flatMap(([id, run]) => ('sameAs' in run ? [[id, run.sameAs]] : [])))(
    '%s says what %s says',
    (id, other) => {
      expect(BLOCK_RUNS[other]).toHaveProperty('runBy');
      expect(blockText(id)).toBe(blockText(other));
    },
  );
});

test('manifests in documents are what `layercache validate` accepts', () => {
  const manifests = blocks.flatMap(({ text }) =>
    [...text.matchAll(/^apiVersion: layercache\.io[\s\S]*?(?=^MANIFEST$|(?![\s\S]))/gm)].map(
      ([manifest]) => manifest,
    ),
  );
  expect(manifests.length).toBeGreaterThan(1);
  for (const manifest of manifests) {
    const local = manifest.includes('uri: "file:');
    expect(readManifest(manifest, 'block', { local })).toMatchObject({ problems: [] });
  }
});
