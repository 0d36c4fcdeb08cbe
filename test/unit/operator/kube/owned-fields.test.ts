import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import { ownsExactly, saysOwned } from '../../../../operator/kube/owned-fields.ts';

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

describe('what lies in places of ours', () => {
  const conditions = {
    'f:status': {
      'f:conditions': {
        'k:{"type":"A"}': { '.': {}, 'f:type': {}, 'f:status': {} },
        'k:{"type":"C"}': { '.': {}, 'f:type': {}, 'f:status': {} },
      },
      'f:labels': {},
      'f:names': { 'v:"x"': {} },
    },
  };
  const item = (type: string, status: string) => ({ type, status });
  const says = (live: object, wanted: object): boolean =>
    saysOwned({ ...owned(conditions), status: live }, { status: wanted }, OWNER);

  test('is ours although others have items of the same list', () => {
    const live = { conditions: [item('A', 'True'), item('B', 'False'), item('C', 'True')] };
    expect(says(live, { conditions: [item('A', 'True'), item('C', 'True')] })).toBe(true);
    expect(says({ names: ['w', 'x'] }, { names: ['x'] })).toBe(true);
  });

  test.each<readonly [string, object, object]>([
    [
      'an item says something else',
      { conditions: [item('A', 'No')] },
      { conditions: [item('A', 'True')] },
    ],
    ['an item is gone', { conditions: [] }, { conditions: [item('A', 'True')] }],
    [
      'an item was never ours',
      { conditions: [item('B', 'True')] },
      { conditions: [item('B', 'True')] },
    ],
    [
      'the order is another',
      { conditions: [item('C', 'True'), item('A', 'True')] },
      { conditions: [item('A', 'True'), item('C', 'True')] },
    ],
    ['the list is none', { conditions: 'A' }, { conditions: [item('A', 'True')] }],
    ['the map is none', { labels: 'a' }, { labels: { a: 'b' } }],
    ['a value of a map is another', { labels: { a: 'c' } }, { labels: { a: 'b' } }],
    ['a value of a set is gone', { names: ['w'] }, { names: ['x'] }],
  ])('differs where %s', (_, live, wanted) => {
    expect(says(live, wanted)).toBe(false);
  });

  test('is compared whole where nobody says whose it is', () => {
    const object = { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, a: 1 } as KubeObject;
    expect(saysOwned(object, { a: 1 }, OWNER)).toBe(true);
    expect(saysOwned(object, { a: 2 }, OWNER)).toBe(false);
  });
});
