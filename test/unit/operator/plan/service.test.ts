import { expect, test } from 'vitest';

import { toServiceToPlan } from '../../../../operator/plan/service.ts';
import { aService } from '../../crds/v1alpha1/service.ts';
import { aServiceToPlan, UID } from './builders.ts';

test('a stored service has its identity and its parsed spec', () => {
  const service = aServiceToPlan({}, { annotations: { a: 'b' }, generation: 3 });
  expect(service).toMatchObject({
    name: 'vision',
    namespace: 'ml',
    uid: UID,
    generation: 3,
    isDeleted: false,
    annotations: { a: 'b' },
  });
  expect(service.spec.accuracy.maxDisagreement).toBe(0.01);
});

test('a service with a deletion timestamp is being deleted', () => {
  expect(aServiceToPlan({}, { deletionTimestamp: '2026-11-25T10:00:00Z' }).isDeleted).toBe(true);
});

test('a service that no API server stored is a broken assumption', () => {
  expect(() => toServiceToPlan(aService())).toThrow('service vision comes from the API server');
});
