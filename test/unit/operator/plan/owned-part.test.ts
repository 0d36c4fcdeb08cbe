import { expect, test } from 'vitest';

import { ownedPart } from '../../../../operator/plan/owned-part.ts';
import { ourFields, stored } from './builders.ts';

const OBJECT = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'vision', labels: { ours: 'a', theirs: 'b' }, finalizers: ['x', 'y'] },
  spec: {
    clusterIP: '10.0.0.1',
    type: 'ClusterIP',
    ports: [
      { port: 80, targetPort: 'http' },
      { port: 81, protocol: 'UDP', nodePort: 30000 },
    ],
  },
};

function partOf(fieldsV1: Readonly<Record<string, unknown>>, entry: object = {}): unknown {
  const managedFields = [
    { manager: 'kubectl', operation: 'Update' },
    { ...ourFields(fieldsV1), ...entry },
  ];
  return ownedPart(stored(OBJECT, { managedFields }));
}

test('of no object nothing is ours', () => {
  expect(ownedPart(null)).toEqual({});
});

test('fields are picked by name, what others own is left out', () => {
  const fields = {
    'f:metadata': { 'f:labels': { '.': {}, 'f:ours': {} } },
    'f:spec': { 'f:type': {} },
  };
  expect(partOf(fields)).toEqual({
    metadata: { labels: { ours: 'a' } },
    spec: { type: 'ClusterIP' },
  });
});

test('items are picked by key in the order of the list, where a port without a protocol is TCP', () => {
  const fields = {
    'f:spec': {
      'f:ports': {
        'k:{"name":"http"}': { 'f:port': {} },
        'k:{"port":81,"protocol":"UDP"}': { 'f:port': {} },
        'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:targetPort': {} },
        'k:{"port":82,"protocol":"TCP"}': { 'f:port': {} },
      },
    },
  };
  expect(partOf(fields)).toEqual({
    spec: { ports: [{ port: 80, targetPort: 'http' }, { port: 81 }] },
  });
});

test('members of a set are picked by value', () => {
  expect(
    partOf({ 'f:metadata': { 'f:finalizers': { '.': {}, 'k:{"a":1}': {}, 'v:"y"': {} } } }),
  ).toEqual({
    metadata: { finalizers: ['y'] },
  });
});

test('a field that is gone, or that is another thing by now, is no harm', () => {
  expect(partOf({ 'f:gone': {}, 'f:kind': { 'f:inner': {} }, 'f:apiVersion': 'odd' })).toEqual({
    kind: 'Service',
    apiVersion: 'v1',
  });
});

test('what we own through another subresource is not part of our apply', () => {
  expect(partOf({ 'f:kind': {} }, { subresource: 'status' })).toEqual(
    stored(OBJECT, {
      managedFields: [
        { manager: 'kubectl', operation: 'Update' },
        { ...ourFields({ 'f:kind': {} }), subresource: 'status' },
      ],
    }),
  );
});
