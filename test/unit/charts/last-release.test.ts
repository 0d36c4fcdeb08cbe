import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { unnamedIn } from './change-log.ts';
import { definitionChanges } from './definition-changes.ts';
import { CHART, helm, render, renderObjects, type ChartObject } from './helm.ts';
import { lastRelease, newestOf } from './last-release.ts';

const isDefinition = ({ kind }: ChartObject): boolean => kind === 'CustomResourceDefinition';

test('versions are compared as numbers', () => {
  const files = ['README.md', 'layercache-0.9.1.tgz', 'layercache-0.10.0.tgz', 'other-9.0.0.tgz'];
  expect(newestOf(files)).toBe('0.10.0');
  expect(() => newestOf([])).toThrow('no archive');
});

/** A change that is meant is named in CHANGELOG.md; before the first tag its archive may be frozen anew instead. */
test('since it no field, version or name of the definitions is gone or takes less, unless the change log says so', async () => {
  const { archive } = lastRelease();
  const [before, after] = await Promise.all([renderObjects({ chart: archive }), renderObjects()]);
  expect(before.filter(isDefinition)).toHaveLength(2);
  const changes = definitionChanges(before.filter(isDefinition), after.filter(isDefinition));
  const { version } = parse(readFileSync(`${CHART}/Chart.yaml`, 'utf8')) as { version: string };
  expect(unnamedIn(readFileSync(`${CHART}/CHANGELOG.md`, 'utf8'), version, changes)).toEqual([]);
});

test('all values that it had are taken still', async () => {
  const { stdout } = await helm(4, ['show', 'values', lastRelease().archive]);
  const values = parse(stdout) as object;
  expect(Object.keys(values).length).toBeGreaterThan(15);
  expect((await render({ values })).ok).toBe(true);
});
