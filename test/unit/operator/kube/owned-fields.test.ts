import { expect, test } from 'vitest';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import { ownsExactly } from '../../../../operator/kube/owned-fields.ts';

const OWNER = { fieldManager: 'me', subresource: undefined } as const;

function owned(fieldsV1: Readonly<Record<string, unknown>>, entry: object = {}): KubeObject {
  const managed = { manager: 'me', operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1, ...entry };
  return { apiVersion: 'v1', kind: 'X', metadata: { name: 'x', managedFields: [managed] } };
}

test.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>, boolean]>([
  ['equal scalars', { 'f:a': {}, 'f:b': {} }, { a: 1, b: null }, true],
  ['one owned field too many', { 'f:a': {}, 'f:b': {} }, { a: 1 }, false],
  ['one wanted field too many', { 'f:a': {} }, { a: 1, b: 1 }, false],
  ['a field that is undefined counts as absent', { 'f:a': {} }, { a: 1, b: undefined }, true],
  ['nested maps', { 'f:a': { 'f:b': {} } }, { a: { b: 1 } }, true],
  ['a nested map with another key', { 'f:a': { 'f:b': {} } }, { a: { c: 1 } }, false],
  ['an atomic map is one field', { 'f:a': {} }, { a: { b: 1 } }, true],
  ['an empty map', { 'f:a': {} }, { a: {} }, true],
  [
    'a map that was emptied is not one that has a key',
    { 'f:a': { '.': {} } },
    { a: { b: 1 } },
    false,
  ],
  ['an atomic list', { 'f:a': {} }, { a: [1, 2] }, true],
  [
    'a list by keys',
    { 'f:a': { 'k:{"name":"x"}': { '.': {}, 'f:name': {}, 'f:v': {} } } },
    { a: [{ name: 'x', v: 1 }] },
    true,
  ],
  [
    'an item that is to go',
    { 'f:a': { 'k:{"name":"x"}': { '.': {}, 'f:name': {} } } },
    { a: [{ name: 'y' }] },
    false,
  ],
  [
    'items of which one is new',
    { 'f:a': { 'k:{"name":"x"}': { '.': {}, 'f:name': {} } } },
    { a: [{ name: 'x' }, { name: 'y' }] },
    false,
  ],
  [
    'a key that a default fills in',
    { 'f:a': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } },
    { a: [{ port: 80 }] },
    true,
  ],
  ['atomic items', { 'f:a': { 'k:{"uid":"u"}': {} } }, { a: [{ uid: 'u', name: 'n' }] }, true],
  ['a set', { 'f:a': { '.': {}, 'v:"x"': {}, 'v:"y"': {} } }, { a: ['y', 'x'] }, true],
  ['a set with another value', { 'f:a': { 'v:"x"': {} } }, { a: ['y'] }, false],
  ['a scalar where a map was', { 'f:a': { 'f:b': {} } }, { a: 1 }, false],
  ['a list known by position only', { 'f:a': { 'i:0': {} } }, { a: [1] }, false],
])('%s', (_, fields, body, isExact) => {
  expect(ownsExactly(owned(fields), body, OWNER)).toBe(isExact);
});

test('fields of another manager, of an update or of the status are not ours', () => {
  const fields = { 'f:a': {} };
  for (const entry of [
    { manager: 'you' },
    { operation: 'Update' },
    { subresource: 'status' },
    { fieldsV1: undefined },
  ]) {
    expect(ownsExactly(owned(fields, entry), { a: 1 }, OWNER)).toBe(false);
  }
  const object = { ...owned(fields), metadata: { name: 'x' } };
  expect(ownsExactly(object, { a: 1 }, OWNER)).toBe(false);
  const status = owned(fields, { subresource: 'status' });
  expect(ownsExactly(status, { a: 1 }, { fieldManager: 'me', subresource: 'status' })).toBe(true);
});
