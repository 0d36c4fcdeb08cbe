import { describe, expect, test } from 'vitest';
import {
  hasStarted,
  mayMissVolume,
  toFleetPods,
} from '../../../../operator/controllers/cached-model-service/fleet-pods.ts';
import type { KubeObject } from '../../../../operator/kube/api.ts';

function aPod(status: object, secretName = 'vision-admin-g3'): KubeObject {
  const volumes = [
    { name: 'tmp', emptyDir: {} },
    { name: 'admin', secret: { secretName } },
  ];
  const metadata = { name: 'vision-a', uid: 'a' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { volumes }, status };
}

const RUNNING = { phase: 'Running', podIP: '10.0.0.1' };

describe('a pod is asked', () => {
  test('when it runs, has an address and mounts keys of this service, by that generation', () => {
    expect(toFleetPods([aPod(RUNNING)], 'vision')).toEqual([
      { uid: 'a', name: 'vision-a', ip: '10.0.0.1', adminGeneration: 3 },
    ]);
  });

  test.each<readonly [string, KubeObject]>([
    ['while it has no address', aPod({ phase: 'Running' })],
    ['before it runs', aPod({ phase: 'Pending', podIP: '10.0.0.1' })],
    ['once it has ended', aPod({ phase: 'Failed', podIP: '10.0.0.1' })],
    ['with keys of another service', aPod(RUNNING, 'vision-2-admin-g1')],
  ])('never %s', (_, pod) => {
    expect(toFleetPods([pod], 'vision')).toEqual([]);
  });
});

describe('a pod may miss its keys', () => {
  const conditions = [{ type: 'PodScheduled', status: 'True' }];
  const waiting = (reason: string): object => ({
    phase: 'Pending',
    conditions,
    containerStatuses: [{ state: { waiting: { reason } } }],
  });

  test.each<readonly [string, object, boolean]>([
    ['with a node and no container yet', { phase: 'Pending', conditions }, true],
    ['while its containers are being created', waiting('ContainerCreating'), true],
    ['not once an image is pulled for it: volumes come first', waiting('ErrImagePull'), false],
    ['not while it waits for a node', { phase: 'Pending' }, false],
    ['not when it runs', RUNNING, false],
  ])('%s', (_, status, expected) => {
    expect(mayMissVolume(aPod(status))).toBe(expected);
    expect(hasStarted(aPod(status))).toBe(status === RUNNING);
  });
});
