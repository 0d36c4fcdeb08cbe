import { expect, test } from 'vitest';

import { fieldTree, walkFields } from '../../../../crds/schema/field-tree.ts';
import { clusterOnlyFields, isClusterOnly } from '../../../../crds/schema/local-fields.ts';
import { aManifest } from '../v1alpha1/service.ts';

test('what a manifest sets for the cluster alone is named, each block once', () => {
  const spec = { replicas: 3, pod: { labels: { a: 'b' }, affinity: {} }, exitMode: 'Shadow' };
  expect(clusterOnlyFields(aManifest(spec))).toEqual(['spec.replicas', 'spec.pod']);
  expect(clusterOnlyFields(aManifest())).toEqual([]);
  for (const none of [null, undefined, 'x', []]) expect(clusterOnlyFields(none)).toEqual([]);
});

test('what decides about exits has an effect everywhere', () => {
  const paths: string[] = [];
  walkFields(fieldTree(), (path) => paths.push(path));
  const everywhere = paths.filter((path) => /^spec\.(accuracy|exits|tuning|exitMode)/.test(path));
  expect(everywhere.length).toBeGreaterThan(10);
  expect(everywhere.filter(isClusterOnly)).toEqual([]);
  expect(isClusterOnly('spec.pod.labels')).toBe(true);
  expect(isClusterOnly('spec.podTemplate')).toBe(true);
});
