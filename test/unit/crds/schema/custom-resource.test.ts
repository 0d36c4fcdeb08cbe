import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { renderDefinition } from '../../../../crds/generate/definition-yaml.ts';
import {
  headRevisionDefinition,
  serviceDefinition,
  type CustomResourceDefinition,
} from '../../../../crds/schema/custom-resource.ts';
import { HEAD_REVISION_RULES } from '../../../../crds/v1alpha1/head-revision-rules.ts';
import { SERVICE_RULES } from '../../../../crds/v1alpha1/rules.ts';

const definitions: readonly (readonly [plural: string, definition: CustomResourceDefinition])[] = [
  ['cachedmodelservices', serviceDefinition()],
  ['cacheheadrevisions', headRevisionDefinition()],
];

describe.each(definitions)('the definition of %s', (plural, definition) => {
  const path = `crds/layercache.io_${plural}.yaml`;

  test('is committed as its source gives it', () => {
    expect(readFileSync(path, 'utf8')).toBe(renderDefinition(definition));
  });

  test('is read alike by a YAML 1.1 and a YAML 1.2 parser', () => {
    const text = readFileSync(path, 'utf8');
    const plain: unknown = JSON.parse(JSON.stringify(definition));
    expect(parse(text, { version: '1.1' })).toEqual(plain);
    expect(parse(text, { version: '1.2' })).toEqual(plain);
  });

  test('stays far below what client-side apply can carry', () => {
    expect(JSON.stringify(definition).length).toBeLessThan(100_000);
  });

  test('holds a message for each rule once', () => {
    const rules = plural === 'cachedmodelservices' ? SERVICE_RULES : HEAD_REVISION_RULES;
    const text = JSON.stringify(definition);
    for (const { message, path: place } of rules) {
      expect(text, `${place}: ${message}`).toContain(JSON.stringify(message).slice(1, -1));
    }
  });
});

test('kubectl applies the whole folder: to it the TypeScript project file is a list without objects', () => {
  expect(JSON.parse(readFileSync('crds/tsconfig.json', 'utf8'))).toMatchObject({
    apiVersion: 'v1',
    kind: 'List',
    items: [],
  });
});
