import { expect, test } from 'vitest';
import { groupOf, KINDS, pathOf } from '../../../../operator/kube/kinds.ts';

test.each([
  [KINDS.ConfigMap, { namespace: 'ns', name: 'a' }, '/api/v1/namespaces/ns/configmaps/a'],
  [KINDS.ConfigMap, {}, '/api/v1/configmaps'],
  [KINDS.Deployment, { namespace: 'ns' }, '/apis/apps/v1/namespaces/ns/deployments'],
  [
    KINDS.CachedModelService,
    { namespace: 'ns', name: 'm', subresource: 'status' },
    '/apis/layercache.io/v1alpha1/namespaces/ns/cachedmodelservices/m/status',
  ],
  [KINDS.TokenReview, { namespace: 'ns' }, '/apis/authentication.k8s.io/v1/tokenreviews'],
  [KINDS.Secret, { namespace: 'a/b', name: '../c' }, '/api/v1/namespaces/a%2Fb/secrets/..%2Fc'],
])('%o at %o is %s', (kind, at, path) => {
  expect(pathOf(kind, at)).toBe(path);
});

test('the group of a kind is what stands before the version, or nothing', () => {
  expect([groupOf(KINDS.Pod), groupOf(KINDS.Job), groupOf(KINDS.CachedModelService)]).toEqual([
    '',
    'batch',
    'layercache.io',
  ]);
});

test('every kind stands under its own name, so that an object names its row', () => {
  for (const [name, { kind, plural }] of Object.entries(KINDS)) {
    expect(kind).toBe(name);
    expect(plural).toMatch(/^[a-z]+$/);
  }
});
