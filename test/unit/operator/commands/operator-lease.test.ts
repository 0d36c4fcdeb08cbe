import { expect, test } from 'vitest';
import { leaseOfOperator } from '../../../../operator/commands/doctor/operator-lease.ts';
import type { KubeObject } from '../../../../operator/kube/api.ts';

function lease(name: string, minute: number, shards: string | null, holder = 'a'): KubeObject {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, annotations: shards === null ? {} : { 'layercache.io/shards': shards } },
    spec: {
      ...(holder === '' ? {} : { holderIdentity: holder }),
      renewTime: `2027-01-15T08:0${minute}:00.000000Z`,
    },
  };
}

const nameOf = (...leases: readonly KubeObject[]): string | undefined =>
  leaseOfOperator(leases, 'demo-operator')?.metadata.name;

test('of one leader its Lease is looked at, whoever else has some', () => {
  expect(nameOf(lease('other', 1, null), lease('demo-operator', 2, '1'))).toBe('demo-operator');
  expect(nameOf(lease('demo-operator', 2, null))).toBe('demo-operator');
  expect(nameOf(lease('demo-operator', 2, '1', ''))).toBe('demo-operator');
  expect(nameOf(lease('other', 1, null))).toBeUndefined();
});

test('of several shards the one that was renewed longest ago is looked at', () => {
  const old = lease('demo-operator', 0, '1', '');
  const two = [lease('demo-operator-0', 5, '2'), lease('demo-operator-1', 3, '2')];
  expect(nameOf(old, ...two)).toBe('demo-operator-1');
});

test('a shard without a holder is a Lease that nobody has', () => {
  const held = lease('demo-operator-0', 5, '2');
  expect(nameOf(held)).toBeUndefined();
  expect(nameOf(held, lease('demo-operator-1', 6, '2', ''))).toBeUndefined();
});
