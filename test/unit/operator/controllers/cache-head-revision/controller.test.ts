import { beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../../operator/kube/api.ts';
import { serializePolicy } from '../../../../../crds/wire/policy.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../../support/kube-clock.ts';
import { seededRandom } from '../../../../support/seeded-random.ts';
import {
  createSimulatedCluster,
  type SimulatedClient,
  type SimulatedCluster,
} from '../../../../support/simulated-api.ts';
import { CALM, seededFaults } from '../../../../support/simulated-api-faults.ts';
import { aPolicy, aTrack, digestOf, fakeBundle } from '../../../../support/test-server.ts';
import { availableIn, runController, type ControllerRun } from './controller-run.ts';
import {
  aBundleConfigMap,
  aPolicyConfigMap,
  aRevisionObject,
  aServiceObject,
  bundleOf,
} from './revisions.ts';

const namespace = 'ml';
const MINUTE = 60_000;

let clock: FakeKubeClock;
let cluster: SimulatedCluster;
let user: SimulatedClient;
let service: KubeObject;

beforeEach(async () => {
  clock = fakeKubeClock();
  cluster = createSimulatedCluster({ clock });
  cluster.addNamespace(namespace);
  user = cluster.client('user');
  service = await user.create(aServiceObject(namespace, { heads: { historyLimit: 2 } }));
});

/** With its bundle, by the operator; a second apart, so that they have an order. */
async function addRevision(name: string, mark: number, owner: KubeObject | null = service) {
  const made = await user.create(aRevisionObject({ name, mark, namespace, owner }));
  await user.create(aBundleConfigMap({ name, namespace }, bundleOf(mark)));
  await clock.pass(1_000);
  return made;
}

async function addRevisions(count: number): Promise<void> {
  for (let i = 1; i <= count; i++) await addRevision(`r${i}`, i);
}

function start(client: SimulatedClient = cluster.client('operator')): ControllerRun {
  return runController(client, clock);
}

function available(name: string): string | null {
  return availableIn(cluster.objects('CacheHeadRevision'), name);
}

function names(): string[] {
  return cluster
    .objects('CacheHeadRevision')
    .map(({ metadata }) => metadata.name)
    .toSorted();
}

function deletes(): string[] {
  return cluster.writes
    .filter(({ verb, client }) => verb === 'delete' && client !== 'user')
    .map(({ name }) => String(name));
}

async function setStatus(name: string, status: object, kind = 'CacheHeadRevision'): Promise<void> {
  await user.mergePatch(
    { kind: kind as 'CacheHeadRevision', namespace, name },
    { status: status },
    { subresource: 'status' },
  );
}

describe('Available', () => {
  test('is True once the bundle is there, and then nothing is written or read again', async () => {
    const run = start();
    await user.create(aRevisionObject({ name: 'r1', mark: 1, namespace, owner: service }));
    await clock.pass(2_000);
    expect(available('r1')).toBeNull();
    await user.create(aBundleConfigMap({ name: 'r1', namespace }, bundleOf(1)));
    await clock.pass(1_000);
    expect(available('r1')).toBe('True Verified');
    const calls = cluster.calls.filter(({ verb }) => verb !== 'watch').length;
    await clock.pass(5 * MINUTE);
    expect(cluster.calls.filter(({ verb }) => verb !== 'watch')).toHaveLength(calls);
    expect(run.events).toEqual([]);
  });

  test('names what is wrong with a bundle, once, and is True when it is put right', async () => {
    await user.create(aRevisionObject({ name: 'r1', mark: 1, namespace, owner: null }));
    await user.create(aBundleConfigMap({ name: 'r1', namespace }, bundleOf(2)));
    const run = start();
    await clock.pass(1_000);
    expect(available('r1')).toBe('False DigestMismatch');
    await clock.pass(3 * MINUTE);
    expect(run.events).toEqual(['r1 DigestMismatch']);
    await user.delete({ kind: 'ConfigMap', namespace, name: 'r1' });
    await clock.pass(1_000);
    expect(available('r1')).toBe('False BundleMissing');
    await user.create(aBundleConfigMap({ name: 'r1', namespace }, bundleOf(1)));
    await clock.pass(1_000);
    expect(available('r1')).toBe('True Verified');
  });

  test("looks at a person's ConfigMap without our label every 30 s", async () => {
    const wish = { name: 'own', mark: 1, namespace, owner: null, configMapName: 'mine' };
    await user.create(aRevisionObject(wish));
    start();
    await clock.pass(40_000);
    expect(available('own')).toBe('False BundleMissing');
    await user.create(aBundleConfigMap({ name: 'mine', namespace }, bundleOf(1), {}));
    await clock.pass(31_000);
    expect(available('own')).toBe('True Verified');
  });

  test('finds the users of a labelled bundle of another name', async () => {
    const wish = { name: 'own', mark: 1, namespace, owner: null, configMapName: 'mine' };
    await user.create(aRevisionObject(wish));
    start();
    await clock.pass(40_000);
    await user.create(aBundleConfigMap({ name: 'mine', namespace }, bundleOf(1)));
    await clock.pass(1_000);
    expect(available('own')).toBe('True Verified');
  });

  test('says which key is missing in a ConfigMap without a bundle', async () => {
    await user.create(aRevisionObject({ name: 'r1', mark: 1, namespace, owner: null }));
    const { binaryData, ...empty } = aBundleConfigMap({ name: 'r1', namespace }, bundleOf(1));
    expect(binaryData).toBeDefined();
    await user.create(empty);
    start();
    await clock.pass(40_000);
    expect(JSON.stringify(cluster.objects('CacheHeadRevision')[0]!.status)).toContain(
      'has no key bundle under binaryData',
    );
  });

  test('is False for a revision that no rule would let in, and nothing of it is served', async () => {
    const { spec, ...rest } = aRevisionObject({ name: 'r1', mark: 1, namespace, owner: null });
    const [early, late] = (spec as { exits: object[] }).exits;
    const exits = [{ ...early, pool: 3 }, late];
    await user.create({ ...rest, spec: { ...(spec as object), exits } });
    start();
    await clock.pass(1_000);
    expect(available('r1')).toBe('False Malformed');
  });

  describe('of a bundle in a remote store', () => {
    async function addRemote(change: object = {}): Promise<string> {
      const { spec, ...rest } = aRevisionObject({ name: 'r1', mark: 1, namespace, owner: null });
      const { bundle } = spec as { bundle: { digest: string; sizeBytes: number } };
      const { digest, sizeBytes } = bundle;
      const remote = { digest, sizeBytes, uri: 's3://heads/vision/1' };
      await user.create({ ...rest, spec: { ...(spec as object), bundle: remote, ...change } });
      return digest;
    }

    test('waits for pods, takes their word at once, and keeps it when nobody needs the heads', async () => {
      const digest = await addRemote();
      const run = start();
      await clock.pass(1_000);
      expect(available('r1')).toBe('Unknown WaitingForReplicas');
      run.acknowledged.add(digest);
      run.changed('ml/vision');
      await clock.pass(1_000);
      expect(available('r1')).toBe('True Verified');
      run.acknowledged.clear();
      run.changed('ml/vision');
      await clock.pass(1_000);
      expect(available('r1')).toBe('True Verified');
    });

    test('one pod that cannot have it is heard before those that have it', async () => {
      const run = start();
      run.acknowledged.add(await addRemote());
      for (const reason of [
        'BundleMissing',
        'DigestMismatch',
        'Malformed',
        'HeadTooLarge',
      ] as const) {
        run.said.missing = { reason, message: 'Pod a: it is not there.' };
        run.changed('ml/vision');
        await clock.pass(1_000);
        expect(available('r1')).toBe(`False ${reason}`);
      }
      expect(run.events).toContain('r1 DigestMismatch');
      run.said.missing = null;
      run.changed('ml/vision');
      await clock.pass(1_000);
      expect(available('r1')).toBe('True Verified');
    });

    test('what nobody could bring is missing, and what was brought is held against the revision', async () => {
      const digest = await addRemote({ classCount: 7 });
      const run = start();
      run.said.brought = { reason: 'BundleMissing', message: 'Pod a: it answers 404.' };
      run.changed('ml/vision');
      await clock.pass(1_000);
      expect(available('r1')).toBe('False BundleMissing');
      const bytes = bundleOf(1);
      run.said.brought = { headRevision: digest, bytes, bundle: fakeBundle(1) };
      run.changed('ml/vision');
      await clock.pass(1_000);
      expect(available('r1')).toBe('False Malformed');
    });
  });

  test('leaves the conditions of the lifecycle alone', async () => {
    await addRevision('r1', 1);
    const certified = {
      type: 'Certified',
      status: 'True',
      reason: 'Passed',
      message: '',
      lastTransitionTime: '2026-11-25T10:00:00Z',
    };
    await user.apply(
      {
        apiVersion: 'layercache.io/v1alpha1',
        kind: 'CacheHeadRevision',
        metadata: { name: 'r1', namespace },
        status: { conditions: [certified] },
      },
      { fieldManager: 'layercache-operator', subresource: 'status' },
    );
    start();
    await clock.pass(1_000);
    const [revision] = cluster.objects('CacheHeadRevision');
    const { conditions } = revision!.status as { conditions: { type: string }[] };
    expect(conditions.map(({ type }) => type).toSorted()).toEqual(['Available', 'Certified']);
  });
});

describe('retention', () => {
  beforeEach(async () => {
    await user.create(aPolicyConfigMap(namespace, null));
  });

  test('keeps the newest of the history limit', async () => {
    await addRevisions(4);
    start();
    await clock.pass(5_000);
    expect(names()).toEqual(['r3', 'r4']);
    expect(cluster.objects('CacheHeadRevision').map(({ metadata }) => metadata.uid)).toHaveLength(
      2,
    );
  });

  test('never deletes stable, candidate, previous, recommended, pinned and those of people', async () => {
    await addRevisions(6);
    await addRevision('own', 7, null);
    await addRevision('r8', 8);
    await setStatus(
      'vision',
      {
        heads: {
          stable: { revision: 'r1' },
          candidate: { revision: 'r2' },
          previous: { revision: 'r3' },
        },
        tuning: { recommendedRevision: 'r4' },
      },
      'CachedModelService',
    );
    await user.mergePatch(
      { kind: 'CachedModelService', namespace, name: 'vision' },
      { spec: { heads: { revision: 'r5', historyLimit: 1 } } },
    );
    start();
    await clock.pass(5_000);
    expect(names()).toEqual(['own', 'r1', 'r2', 'r3', 'r4', 'r5', 'r8']);
  });

  test('never deletes what the stored policy names, or a pod acknowledges', async () => {
    await addRevisions(4);
    const policy = aPolicy({ stable: aTrack(digestOf(bundleOf(1))) });
    await user.mergePatch(
      { kind: 'ConfigMap', namespace, name: 'vision-policy' },
      { data: { 'policy.json': serializePolicy(policy) } },
    );
    const run = start();
    run.acknowledged.add(digestOf(bundleOf(2)));
    await clock.pass(5_000);
    expect(names()).toEqual(['r1', 'r2', 'r3', 'r4']);
    run.acknowledged.clear();
    await clock.pass(11 * MINUTE);
    expect(names()).toEqual(['r1', 'r3', 'r4']);
  });

  test.each([
    ['cannot be read', (): object => ({ data: { 'policy.json': '{"schemaVersion":9}' } })],
    ['is missing', () => null],
  ])('deletes nothing while the policy %s', async (_, change) => {
    await addRevisions(4);
    const ref = { kind: 'ConfigMap', namespace, name: 'vision-policy' } as const;
    const patch = change();
    if (patch === null) await user.delete(ref);
    else await user.mergePatch(ref, patch as Record<string, unknown>);
    start();
    await clock.pass(MINUTE);
    expect(names()).toHaveLength(4);
  });

  test('lets failed revisions go first', async () => {
    await addRevisions(3);
    await setStatus('r3', {
      conditions: [
        {
          type: 'Failed',
          status: 'True',
          reason: 'Aborted',
          message: '',
          lastTransitionTime: '2026-11-25T10:00:00Z',
        },
      ],
    });
    start();
    await clock.pass(5_000);
    expect(names()).toEqual(['r1', 'r2']);
  });

  test('follows a smaller limit at once', async () => {
    await addRevisions(2);
    start();
    await clock.pass(5_000);
    expect(names()).toEqual(['r1', 'r2']);
    await user.mergePatch(
      { kind: 'CachedModelService', namespace, name: 'vision' },
      { spec: { heads: { historyLimit: 1 } } },
    );
    await clock.pass(5_000);
    expect(names()).toEqual(['r2']);
  });

  test('is of no service that is gone, going, or another one by now', async () => {
    await addRevisions(4);
    await user.delete({ kind: 'CachedModelService', namespace, name: 'vision' });
    await user.create(aServiceObject(namespace, { heads: { historyLimit: 1 } }));
    start();
    await clock.pass(MINUTE);
    expect(deletes()).toEqual([]);
  });
});

describe('a revision whose bundle never comes', () => {
  beforeEach(async () => {
    await user.create(aPolicyConfigMap(namespace, null));
  });

  async function addLonely(name: string, owner: KubeObject | null): Promise<void> {
    await user.create(aRevisionObject({ name, mark: 1, namespace, owner }));
  }

  test('is removed after ten minutes, no sooner', async () => {
    await addLonely('lost', service);
    start();
    await clock.pass(9 * MINUTE);
    expect(available('lost')).toBe('False BundleMissing');
    await clock.pass(3 * MINUTE);
    expect(names()).toEqual([]);
  });

  test('stays when it is pinned, or belongs to a person', async () => {
    await addLonely('pinned', service);
    await addLonely('own', null);
    await user.mergePatch(
      { kind: 'CachedModelService', namespace, name: 'vision' },
      { spec: { heads: { revision: 'pinned' } } },
    );
    start();
    await clock.pass(30 * MINUTE);
    expect(names()).toEqual(['own', 'pinned']);
  });

  test('stays when its bundle came just before it would be removed', async () => {
    await addLonely('late', service);
    start();
    await clock.pass(9 * MINUTE);
    await user.create(aBundleConfigMap({ name: 'late', namespace }, bundleOf(1)));
    await clock.pass(30 * MINUTE);
    expect(available('late')).toBe('True Verified');
  });
});

describe('a call that fails', () => {
  test('a read that is forbidden is tried again after five minutes', async () => {
    await addRevision('r1', 1);
    let isForbidden = true;
    const client = cluster.client('operator', {
      onCall: ({ kind, verb }) =>
        isForbidden && kind === 'ConfigMap' && verb === 'get'
          ? { kind: 'Status', status: 403, reason: 'Forbidden' }
          : null,
    });
    start(client);
    await clock.pass(4 * MINUTE);
    const gets = (): number =>
      cluster.calls.filter(({ verb, kind }) => verb === 'get' && kind === 'ConfigMap').length;
    const before = gets();
    expect(available('r1')).toBeNull();
    isForbidden = false;
    await clock.pass(2 * MINUTE);
    expect(available('r1')).toBe('True Verified');
    expect(gets() - before).toBeLessThanOrEqual(2);
  });

  test('a status that the API server finds invalid is not written again and again', async () => {
    await addRevision('r1', 1);
    const client = cluster.client('operator', {
      onCall: ({ subresource }) =>
        subresource === 'status' ? { kind: 'Status', status: 422, reason: 'Invalid' } : null,
    });
    const run = start(client);
    await clock.pass(5 * MINUTE);
    expect(run.outcomes).toContain('Terminal');
    expect(run.outcomes.length).toBeLessThan(4);
  });

  test.each([1, 2, 3, 4, 5, 6])('ends where a calm run ends, seed %i', async (seed) => {
    await user.create(aPolicyConfigMap(namespace, null));
    await addRevisions(5);
    await addRevision('own', 9, null);
    await setStatus('vision', { heads: { stable: { revision: 'r1' } } }, 'CachedModelService');
    const random = seededRandom(seed);
    const rates = { ...CALM, delay: 0.2, refuse: 0.2, lose: 0.2, silence: 0.02, event: 0.1 };
    start(cluster.client('operator', seededFaults(random, rates)));
    await clock.pass(40 * MINUTE);
    expect(names()).toEqual(['own', 'r1', 'r4', 'r5']);
    for (const name of names()) expect(available(name)).toBe('True Verified');
    expect(new Set(deletes())).toEqual(new Set(['r2', 'r3']));
  });
});
