import { expect, test } from 'vitest';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import type { OwnerReference } from '../../../../operator/plan/live-object.ts';
import { isTerminating, ownerReferenceTo, ownershipOf } from '../../../../operator/kube/owner.ts';

const OWNER: KubeObject = {
  apiVersion: 'layercache.io/v1alpha1',
  kind: 'CachedModelService',
  metadata: { name: 'm', namespace: 'ns', uid: 'u-1' },
};

function child(...ownerReferences: OwnerReference[]): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'm', namespace: 'ns', ownerReferences },
  };
}

test('a child has one controller reference, by uid', () => {
  expect(ownerReferenceTo(OWNER)).toEqual({
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    name: 'm',
    uid: 'u-1',
    controller: true,
    blockOwnerDeletion: true,
  });
});

test('an object is ours by the uid of its controller and by nothing else', () => {
  const ours = ownerReferenceTo(OWNER);
  expect(ownershipOf(null, 'u-1')).toBe('Absent');
  expect(ownershipOf(undefined, 'u-1')).toBe('Absent');
  expect(ownershipOf(child(ours), 'u-1')).toBe('Ours');
  expect(ownershipOf(child(ours), 'u-2')).toBe('Foreign');
  expect(ownershipOf(child({ ...ours, controller: false }), 'u-1')).toBe('Foreign');
  expect(ownershipOf({ ...child(), metadata: { name: 'm' } }, 'u-1')).toBe('Foreign');
});

test('an object with a time of deletion is terminating', () => {
  expect(isTerminating(OWNER)).toBe(false);
  const deletionTimestamp = '2026-11-25T10:00:00Z';
  expect(isTerminating({ ...OWNER, metadata: { ...OWNER.metadata, deletionTimestamp } })).toBe(
    true,
  );
});
