import { describe, expect, test } from 'vitest';

import { placeRules } from '../../../../crds/schema/place-rules.ts';
import { toStructural, type JsonSchema } from '../../../../crds/schema/structural.ts';

function structural(schema: JsonSchema): unknown {
  return toStructural({ description: 'A field.', ...schema }, 'spec.field');
}

describe('what the API server does not take stops the generator', () => {
  const refused: readonly (readonly [what: string, schema: JsonSchema, says: string])[] = [
    ['a keyword off the list', { type: 'string', maxLength: 1, not: {} }, 'the keyword not'],
    ['an exclusive bound', { type: 'integer', exclusiveMinimum: true }, 'exclusiveMinimum'],
    ['a union of objects', { anyOf: [{ type: 'object' }, { type: 'string' }] }, 'union'],
    [
      'a union of three',
      { anyOf: [{ type: 'integer' }, { type: 'string' }, { type: 'string' }] },
      'union',
    ],
    ['a text without end', { type: 'string' }, 'no bound'],
    ['a list without end', { type: 'array', items: { type: 'boolean' } }, 'no bound'],
    ['a number without end', { type: 'integer', minimum: 0 }, 'no bound'],
    ['a number of any kind', { type: 'number', minimum: 0, maximum: 1 }, 'no bound'],
    [
      'a map without end',
      { type: 'object', additionalProperties: { type: 'string', maxLength: 1 } },
      'no bound',
    ],
    ['a value without type', {}, 'no bound'],
    ['an item without bound', { type: 'array', maxItems: 1, items: { type: 'string' } }, 'field[]'],
    [
      'a field without description',
      { type: 'object', properties: { a: { type: 'boolean' } } },
      'spec.field.a: the field has no description',
    ],
  ];
  test.each(refused)('%s', (_what, schema, says) => {
    expect(() => structural(schema)).toThrow(says);
  });

  test('a description without a full stop', () => {
    expect(() => structural({ description: 'No stop', type: 'boolean' })).toThrow('description');
  });
});

test('bounds, computed values and defaults stand in the description, which is all that kubectl shows', () => {
  expect(
    structural({ type: 'integer', minimum: 1, maximum: 3, default: 2, computed: 'guessed' }),
  ).toEqual({
    description: 'A field. Bounds: 1 to 3. When absent: guessed. Default: 2.',
    type: 'integer',
    minimum: 1,
    maximum: 3,
    default: 2,
  });
});

test('a block without defaults inside has no default, for an empty one would change nothing', () => {
  const flag = { description: 'A flag.', type: 'boolean' };
  expect(structural({ type: 'object', default: {}, properties: { flag } })).not.toHaveProperty(
    'default',
  );
});

test('the default of a block holds those of the blocks inside', () => {
  const flag = { description: 'A flag.', type: 'boolean', default: false };
  const inner = { description: 'Inner.', type: 'object', default: {}, properties: { flag } };
  const schema = structural({ type: 'object', default: {}, properties: { inner } });
  expect(schema).toMatchObject({ default: { inner: { flag: false } } });
});

test('an open object keeps fields that it does not know', () => {
  expect(structural({ type: 'object', additionalProperties: {} })).toEqual({
    description: 'A field.',
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  });
});

test('the long pattern of a time gives way to its format', () => {
  expect(structural({ type: 'string', format: 'date-time', pattern: '^x$' })).toEqual({
    description: 'A field.',
    type: 'string',
    format: 'date-time',
  });
});

test('a rule for a field that does not exist stops the generator', () => {
  const rule = { path: 'spec.nope', fieldPath: undefined, cel: 'true', message: 'm' };
  expect(() => {
    placeRules({ properties: { spec: {} } }, [rule]);
  }).toThrow('no field spec.nope');
});
