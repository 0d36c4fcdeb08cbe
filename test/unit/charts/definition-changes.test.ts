import { expect, test } from 'vitest';
import { unnamedIn } from './change-log.ts';
import { definitionChanges } from './definition-changes.ts';
import type { ChartObject } from './helm.ts';
import type { Schema } from './schema-changes.ts';

function definition(spec: object): ChartObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things', shortNames: ['th'], categories: ['all'] },
      versions: [],
      ...spec,
    },
  };
}

function withField(field: Schema | undefined, more: object = {}): ChartObject {
  const properties = field === undefined ? {} : { size: field };
  const openAPIV3Schema = { type: 'object', properties, ...more };
  const version = { name: 'v1', served: true, subresources: { status: {} } };
  return definition({ versions: [{ ...version, schema: { openAPIV3Schema } }] });
}

const changesOf = (before: ChartObject, after: ChartObject): readonly string[] =>
  definitionChanges([before], [after]).map((line) =>
    line.replace('things.example.com ', '').replace('v1 size: ', ''),
  );

const TIGHTENED: readonly (readonly [string, Schema, Schema, string])[] = [
  ['another type', { type: 'string' }, { type: 'integer' }, 'type was "string" and is "integer"'],
  ['a new pattern', {}, { pattern: '^a$' }, 'pattern was open and is "^a$"'],
  ['another pattern', { pattern: 'a' }, { pattern: 'b' }, 'pattern was "a" and is "b"'],
  ['a new format', {}, { format: 'date' }, 'format was open and is "date"'],
  ['a new least', {}, { minimum: 1 }, 'minimum was open and is 1'],
  ['a higher least', { minLength: 1 }, { minLength: 2 }, 'minLength was 1 and is 2'],
  ['a new most', {}, { maxItems: 9 }, 'maxItems was open and is 9'],
  ['a lower most', { maximum: 9 }, { maximum: 8 }, 'maximum was 9 and is 8'],
  ['a new choice', {}, { enum: ['a'] }, 'only ["a"] are left'],
  ['a choice that goes', { enum: ['a', 'b'] }, { enum: ['a'] }, '"b" is gone'],
  ['no null', { nullable: true }, {}, 'nullable was true and is open'],
  ['another default', { default: 1 }, { default: 2 }, 'default was 1 and is 2'],
  ['no default', { default: 1 }, {}, 'default was 1 and is open'],
  [
    'a new rule',
    { 'x-kubernetes-validations': [{ rule: 'self > 0' }] },
    { 'x-kubernetes-validations': [{ rule: 'self > 0' }, { rule: 'self < 9' }] },
    'has the new rule self < 9',
  ],
  [
    'another way to merge',
    { 'x-kubernetes-list-type': 'map' },
    {},
    'x-kubernetes-list-type was "map" and is open',
  ],
  [
    'no unknown fields',
    { 'x-kubernetes-preserve-unknown-fields': true },
    {},
    'x-kubernetes-preserve-unknown-fields was true and is open',
  ],
  ['a keyword of tomorrow', {}, { oneOf: [{}] }, 'oneOf was open and is [{}]'],
];

test.each(TIGHTENED)('%s is a change', (_, before, after, what) => {
  expect(changesOf(withField(before), withField(after))).toEqual([what]);
});

const LOOSENED: readonly (readonly [string, Schema, Schema])[] = [
  ['other words', { description: 'a' }, { description: 'b' }],
  ['no pattern', { pattern: 'a' }, {}],
  ['a lower least', { minimum: 2 }, { minimum: 1 }],
  ['a higher most', { maxLength: 2 }, { maxLength: 3 }],
  ['no most', { maxLength: 2 }, {}],
  ['a further choice', { enum: ['a'] }, { enum: ['a', 'b'] }],
  ['any value', { enum: ['a'] }, {}],
  ['null', {}, { nullable: true }],
  ['a rule less', { 'x-kubernetes-validations': [{ rule: 'a' }] }, {}],
  [
    'a rule in other words',
    { 'x-kubernetes-validations': [{ rule: 'a', message: 'b' }] },
    { 'x-kubernetes-validations': [{ rule: 'a', message: 'c' }] },
  ],
];

test.each(LOOSENED)('%s is none', (_, before, after) => {
  expect(changesOf(withField(before), withField(after))).toEqual([]);
});

test('a field that goes is a change, a new one is not, nor one that goes where all are kept', () => {
  expect(changesOf(withField({}), withField(undefined))).toEqual(['is gone']);
  expect(changesOf(withField(undefined), withField({}))).toEqual([]);
  const open = withField(undefined, { 'x-kubernetes-preserve-unknown-fields': true });
  expect(changesOf(withField({}), open)).toEqual([]);
});

test('a field that is demanded is a change, unless its default is there before', () => {
  const demanded = { required: ['size'] };
  expect(changesOf(withField({}), withField({}, demanded))).toEqual(['v1 .: size is required']);
  expect(changesOf(withField({ default: 1 }), withField({ default: 1 }, demanded))).toEqual([]);
  const both = [withField({ default: 1 }, demanded), withField({}, demanded)] as const;
  expect(changesOf(...both)).toContain('v1 .: size is required');
  expect(changesOf(withField({}, demanded), withField({}, demanded))).toEqual([]);
});

test('what lies in lists, maps and fields is compared too', () => {
  const deep = (of: Schema): Schema => ({
    items: { additionalProperties: { properties: { a: of } } },
  });
  expect(changesOf(withField(deep({})), withField(deep({ minimum: 1 })))).toEqual([
    'v1 size[].*.a: minimum was open and is 1',
  ]);
  expect(changesOf(withField({ items: {} }), withField({}))).toEqual(['v1 size[]: is gone']);
  const anything = { additionalProperties: true };
  expect(
    changesOf(withField(anything), withField({ additionalProperties: { type: 'string' } })),
  ).toEqual(['v1 size.*: type was open and is "string"']);
  expect(changesOf(withField({ additionalProperties: {} }), withField(anything))).toEqual([]);
});

test('a definition, a version, a name or a subresource that goes is a change', () => {
  const before = withField({});
  expect(definitionChanges([before], [])).toEqual(['things.example.com: is gone']);
  expect(changesOf(before, definition({}))).toEqual(['v1: is no longer served']);
  const [version] = (before.spec as { versions: object[] }).versions;
  const at = (changed: object) => definition({ versions: [{ ...version, ...changed }] });
  expect(changesOf(before, at({ served: false }))).toEqual(['v1: is no longer served']);
  expect(changesOf(at({ served: false }), definition({}))).toEqual([]);
  expect(changesOf(before, at({ subresources: {} }))).toEqual(['v1 status: is gone']);
  const renamed = definition({ names: { kind: 'Thing', plural: 'things' } });
  expect(changesOf(definition({}), renamed)).toEqual(['names: th is gone', 'names: all is gone']);
  expect(changesOf(definition({}), definition({ scope: 'Cluster' }))).toEqual([
    'names: is another kind',
  ]);
});

const LOG = `# Changes

## 0.3.0
- \`things.example.com v1 size\`: at most 8, since 9 was never run.

## 0.2.0
- \`things.example.com v1 colour\`: gone.
`;

test('a change is named by its field in the part of the change log for its version, or told', () => {
  const size = 'things.example.com v1 size: maximum was 9 and is 8';
  const colour = 'things.example.com v1 colour: is gone';
  expect(unnamedIn(LOG, '0.3.0', [size, colour])).toEqual([colour]);
  expect(unnamedIn(LOG, '0.2.0', [size, colour])).toEqual([size]);
  expect(unnamedIn(LOG, '0.4.0', [size])).toEqual([size]);
});
