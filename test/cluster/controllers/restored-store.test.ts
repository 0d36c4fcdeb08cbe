// etcd restored from a backup under operator and pods that have gone on: as the guide of Kubernetes for it has it, the API servers
// and controllers are stopped first and started after it.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { comparePair, parsePolicy, type Policy } from '../../../crds/wire/policy.ts';
import { whyUnavailable } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { PARTS, startResnet, type Resnet } from './start-resnet.ts';

const unavailable = await whyUnavailable('control-plane');

describe.skipIf(unavailable !== null)('when etcd is restored from a backup', () => {
  let resnet: Resnet;
  let plane: Resnet['plane'];
  let namespace: string;
  let user: Resnet['user'];
  let kubectl: Resnet['kubectl'];

  beforeAll(async () => {
    resnet = await startResnet('PolicyApplied');
    ({ plane, namespace, user, kubectl } = resnet);
  }, 120_000);
  afterAll(() => resnet.stop());

  /** Does something with the files of etcd while nothing runs that would know better. */
  async function withStoreStopped(work: (data: string, backup: string) => void): Promise<void> {
    for (const part of [...PARTS].reverse()) await plane.kill(part);
    work(join(plane.folder, 'etcd'), join(plane.folder, 'backup'));
    for (const part of PARTS) await plane.start(part);
  }

  async function stored(): Promise<Policy> {
    const { data } = await user.get({ kind: 'ConfigMap', namespace, name: 'resnet-policy' });
    const parsed = parsePolicy((data as Readonly<Record<string, string>>)['policy.json'] ?? '');
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.value;
  }

  async function replicas(): Promise<unknown> {
    const { spec } = await user.get({ kind: 'Deployment', namespace, name: 'resnet' });
    return (spec as { readonly replicas?: number }).replicas;
  }

  /** One change without a roll and one of the count of pods, all the way to every pod. */
  async function change(maxQueueLength: number, count: number): Promise<Policy> {
    const spec = { replicas: count, server: { batching: { maxQueueLength } } };
    await eventually(
      () => user.mergePatch({ kind: 'CachedModelService', namespace, name: 'resnet' }, { spec }),
      60_000,
    );
    return await expectInForce(maxQueueLength, count);
  }

  async function expectInForce(maxQueueLength: number, count: number): Promise<Policy> {
    return await eventually(async () => {
      const policy = await stored();
      expect(policy.limits.maxQueueLength).toBe(maxQueueLength);
      expect(await replicas()).toBe(count);
      const labelSelector = 'layercache.io/service=resnet';
      const { items } = await user.list('Pod', { namespace, labelSelector });
      expect(items).toHaveLength(count);
      for (const { metadata } of items) {
        expect(resnet.pods.get(metadata.uid ?? '')?.acknowledgement).toMatchObject({
          epoch: policy.epoch,
          revision: policy.revision,
        });
      }
      return policy;
    }, 100_000);
  }

  test('the service is again what its restored spec says, by a policy above all that pods have, and what came later is gone', async () => {
    const before = await change(200, 2);
    await withStoreStopped((data, backup) => {
      cpSync(data, backup, { recursive: true });
    });
    await change(300, 1);
    await kubectl('create', 'configmap', 'of-later');
    const later = { backbone: { uri: 'https://m.example/m' }, accuracy: { maxDisagreement: '1%' } };
    await user.create({
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      metadata: { namespace, name: 'later' },
      spec: later,
    });
    await kubectl('wait', 'cms/later', '--for=condition=PolicyApplied', '--timeout=60s');
    const lost = await change(400, 1);
    expect(comparePair(lost, before)).toBeGreaterThan(0);

    await withStoreStopped((data, backup) => {
      rmSync(data, { recursive: true });
      cpSync(backup, data, { recursive: true });
    });
    const restored = await expectInForce(200, 2);
    expect(comparePair(restored, lost)).toBeGreaterThan(0);
    // A list that is read later than another may make a child anew once; its owner has a UID that is nobody's, so it is collected.
    const names = async (kind: 'CachedModelService' | 'Deployment' | 'ConfigMap') =>
      (await user.list(kind, { namespace })).items.map(({ metadata }) => metadata.name);
    await eventually(async () => {
      expect(await names('CachedModelService')).toEqual(['resnet']);
      expect(await names('Deployment')).toEqual(['resnet']);
      expect(await names('ConfigMap')).not.toContain('of-later');
      expect(await names('ConfigMap')).not.toContain('later-policy');
    }, 60_000);

    // And it is at work.
    const next = await change(500, 3);
    expect(comparePair(next, restored)).toBeGreaterThan(0);
  }, 300_000);
});
