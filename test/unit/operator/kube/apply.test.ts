import { beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import { createApplier, toKubeObject, type Applier } from '../../../../operator/kube/apply.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { fakeKubeClock } from '../../../support/kube-clock.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../../support/simulated-api.ts';

let cluster: SimulatedCluster;
let applier: Applier;

beforeEach(() => {
  cluster = createSimulatedCluster({ clock: fakeKubeClock() });
  cluster.addNamespace('ns');
  applier = restarted();
});

/** An applier without memory, as after a restart of the process. */
const restarted = (): Applier => createApplier(cluster.client('operator'), 'layercache-operator');
const live = (kind = 'ConfigMap'): KubeObject | null =>
  cluster.objects().find((object) => object.kind === kind) ?? null;
const writes = () => cluster.writes.filter(({ client }) => client === 'operator').length;
const byHand = (patch: Readonly<Record<string, unknown>>) =>
  cluster.client('kubectl').mergePatch({ kind: 'ConfigMap', namespace: 'ns', name: 'a' }, patch, {
    fieldManager: 'kubectl',
  });

function map(data: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'ns', labels: { l: '1' } },
    data,
  };
}

async function apply(body: KubeObject): Promise<string> {
  return (await applier.apply(body, { live: live(body.kind) })).outcome;
}

describe('an apply', () => {
  test('creates, then is skipped until the body or the object changes', async () => {
    expect(await apply(map({ x: '1' }))).toBe('Created');
    expect(await apply(map({ x: '1' }))).toBe('Skipped');
    expect(await apply(map({ x: '2' }))).toBe('Changed');
    expect(await apply(map({ x: '2' }))).toBe('Skipped');
    expect(writes()).toBe(2);
  });

  test('puts back what somebody edited, and says that it did', async () => {
    await apply(map({ x: '1' }));
    await byHand({ data: { x: '9' } });
    expect(await apply(map({ x: '1' }))).toBe('Reverted');
    expect(live()).toMatchObject({ data: { x: '1' } });
  });

  test('is skipped when somebody added what is not ours', async () => {
    await apply(map({ x: '1' }));
    await byHand({ data: { y: '9' }, metadata: { annotations: { n: '1' } } });
    expect(await apply(map({ x: '1' }))).toBe('Skipped');
    expect(live()).toMatchObject({ data: { x: '1', y: '9' } });
  });

  test('looks once at an object that the cache has not replaced', async () => {
    await apply(map({ x: '1' }));
    let looks = 0;
    const object = {
      ...live()!,
      get data() {
        looks += 1;
        return { x: '1' };
      },
    };
    expect((await applier.apply(map({ x: '1' }), { live: object })).outcome).toBe('Skipped');
    const looksOnce = looks;
    expect(looksOnce).toBeGreaterThan(0);
    expect((await applier.apply(map({ x: '1' }), { live: object })).outcome).toBe('Skipped');
    expect(looks).toBe(looksOnce);
    expect((await applier.apply(map({ x: '2' }), { live: object })).outcome).toBe('Changed');
  });

  test('removes a field that the body no longer names', async () => {
    await apply(map({ x: '1', y: '1' }));
    expect(await apply(map({ x: '1' }))).toBe('Changed');
    expect(live()!.data).toEqual({ x: '1' });
  });

  test('after a restart is skipped when every field is there and ours', async () => {
    await apply(map({ x: '1' }));
    applier = restarted();
    expect(await apply(map({ x: '1' }))).toBe('Skipped');
    expect(writes()).toBe(1);
  });

  test.each([
    ['a field is to go', { x: '1', y: '1' }, { x: '1' }],
    ['a field is to come', { x: '1' }, { x: '1', y: '1' }],
    ['a value differs', { x: '1' }, { x: '2' }],
  ])('after a restart is made when %s', async (_, before, after) => {
    await apply(map(before));
    applier = restarted();
    expect(await apply(map(after))).toBe('Changed');
    expect(live()!.data).toEqual(after);
  });

  test('after a restart is made when the same value is owned by somebody else alone', async () => {
    await cluster.client('other').apply(map({ x: '1' }), { fieldManager: 'other' });
    expect(await apply(map({ x: '1' }))).toBe('Changed');
    expect(await apply(map({ x: '1' }))).toBe('Skipped');
  });

  test('never takes an object over that the cache did not show', async () => {
    await cluster.client('user').create(map({ theirs: '1' }));
    await expect(applier.apply(map({ x: '1' }), { live: null })).rejects.toMatchObject({
      isConflict: true,
    });
    expect(live()!.data).toEqual({ theirs: '1' });
  });

  test('never brings an object back to life, nor touches its successor', async () => {
    await apply(map({ x: '1' }));
    const seen = live();
    await cluster.client('user').delete({ kind: 'ConfigMap', namespace: 'ns', name: 'a' });
    await expect(applier.apply(map({ x: '2' }), { live: seen })).rejects.toMatchObject({
      isConflict: true,
    });
    expect(live()).toBeNull();
    await cluster.client('user').create(map({ theirs: '1' }));
    await expect(applier.apply(map({ x: '2' }), { live: seen })).rejects.toMatchObject({
      status: 422,
    });
    expect(live()!.data).toEqual({ theirs: '1' });
  });

  test('under a condition loses to whoever wrote first', async () => {
    await apply(map({ x: '1' }));
    const seen = live();
    await byHand({ data: { y: '9' } });
    await expect(
      applier.apply(map({ x: '2' }), { live: seen, isConditional: true }),
    ).rejects.toMatchObject({ isConflict: true });
    expect(
      (await applier.apply(map({ x: '2' }), { live: live(), isConditional: true })).outcome,
    ).toBe('Changed');
  });

  test('to an object of the same name and another uid starts without memory', async () => {
    await apply(map({ x: '1' }));
    await cluster.client('user').delete({ kind: 'ConfigMap', namespace: 'ns', name: 'a' });
    expect(await apply(map({ x: '1' }))).toBe('Created');
    applier.forget('ns/a');
    expect(await apply(map({ x: '1' }))).toBe('Skipped');
  });

  test('is made when somebody put an equal object of their own in the place of ours', async () => {
    await apply(map({ x: '1' }));
    await cluster.client('user').delete({ kind: 'ConfigMap', namespace: 'ns', name: 'a' });
    await cluster.client('user').create(map({ x: '1' }), { fieldManager: 'user' });
    expect(await apply(map({ x: '1' }))).toBe('Changed');
  });

  test('that fails is made again the next time', async () => {
    await apply(map({ x: '1' }));
    const broken = { ...map({ x: '1' }), typo: 1 };
    await expect(apply(broken)).rejects.toMatchObject({ isSchemaMismatch: true });
    await expect(apply(broken)).rejects.toMatchObject({ isSchemaMismatch: true });
    expect(await apply(map({ x: '1' }))).toBe('Skipped');
  });

  test('whose write was done but not answered finds the object as it wanted it', async () => {
    let isLossy = true;
    const lossy = cluster.client('operator', {
      onCall: () => (isLossy ? { kind: 'LostAnswer', status: 504 } : null),
    });
    applier = createApplier(lossy, 'layercache-operator');
    await expect(apply(map({ x: '1' }))).rejects.toMatchObject({ isUncertain: true });
    isLossy = false;
    expect(await apply(map({ x: '1' }))).toBe('Skipped');
  });
});

describe('a status apply', () => {
  const service: KubeObject = {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name: 'm', namespace: 'ns' },
    spec: { backbone: { uri: 'https://m.example/m' }, accuracy: { maxDisagreement: '1%' } },
  };
  const applyStatus = async (status: Readonly<Record<string, unknown>>): Promise<string> => {
    const body = { ...service, spec: undefined, status };
    const to = { live: live('CachedModelService'), subresource: 'status' } as const;
    return (await applier.apply(body, to)).outcome;
  };

  beforeEach(async () => {
    await cluster.client('user').create(service);
  });

  test('is skipped when the status says the same, in this process and in the next', async () => {
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Serving',
      message: '',
      lastTransitionTime: '2026-11-25T10:00:00Z',
    };
    const status = { observedGeneration: 1, conditions: [condition], replicas: 2 };
    expect(await applyStatus(status)).toBe('Changed');
    expect(await applyStatus(status)).toBe('Skipped');
    applier = restarted();
    expect(await applyStatus(status)).toBe('Skipped');
    expect(await applyStatus({ ...status, replicas: 3 })).toBe('Changed');
    expect(writes()).toBe(2);
  });

  test('never lands on a successor of the same name', async () => {
    const seen = live('CachedModelService');
    await cluster.client('user').delete({ kind: 'CachedModelService', namespace: 'ns', name: 'm' });
    await cluster.client('user').create(service);
    const body = { ...service, spec: undefined, status: { replicas: 1 } };
    await expect(applier.apply(body, { live: seen, subresource: 'status' })).rejects.toMatchObject({
      isConflict: true,
    });
    expect(live('CachedModelService')).toMatchObject({ status: { observedGeneration: -1 } });
  });

  test('to a service that is gone is not found and creates nothing', async () => {
    const seen = live('CachedModelService');
    await cluster.client('user').delete({ kind: 'CachedModelService', namespace: 'ns', name: 'm' });
    const body = { ...service, spec: undefined, status: { replicas: 1 } };
    await expect(applier.apply(body, { live: seen, subresource: 'status' })).rejects.toMatchObject({
      isNotFound: true,
    });
    expect(cluster.objects('CachedModelService')).toEqual([]);
  });
});

test('a desired object without a name is a broken assumption', () => {
  expect(() => toKubeObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} })).toThrow(
    InvariantError,
  );
  expect(toKubeObject(map({}))).toEqual(map({}));
});
