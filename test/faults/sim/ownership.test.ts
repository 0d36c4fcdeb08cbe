import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { KubeObject } from '../../../operator/kube/api.ts';
import type { KindName } from '../../../operator/kube/kinds.ts';
import { storedPolicy } from '../../../operator/plan/policy-config-map.ts';
import { INSTALLATION } from '../../unit/operator/plan/builders.ts';
import { expectReached, superviseWith, undisturbed } from './end-state-reached.ts';
import {
  aServiceObject,
  conditionOf,
  describeWrites,
  expectServing,
  find,
  fullConditionOf,
  operatorWrites,
  ref,
} from './services.ts';
import { createWorld, NAMESPACE, type World } from './world.ts';

const plain = await undisturbed();
let world: World;
beforeEach(() => {
  world = createWorld();
});
afterEach(() => {
  world.close();
});

/** By type. */
function conditionsOf(at: World): Readonly<Record<string, Condition>> {
  const { conditions = [] } = find(at, 'CachedModelService')!.status as ServiceStatus;
  return Object.fromEntries(conditions.map((condition) => [condition.type, condition]));
}

function foreign(kind: KindName, name: string): KubeObject {
  const bodies: Readonly<Partial<Record<KindName, KubeObject>>> = {
    Service: {
      apiVersion: 'v1',
      kind,
      metadata: { name, namespace: NAMESPACE },
      spec: { selector: { app: 'other' }, ports: [{ name: 'http', port: 80 }] },
    },
    Deployment: {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, namespace: NAMESPACE },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'other' } },
        template: {
          metadata: { labels: { app: 'other' } },
          spec: { containers: [{ name: 'a', image: 'a' }] },
        },
      },
    },
  };
  const plainBody = { apiVersion: 'v1', kind, metadata: { name, namespace: NAMESPACE } };
  return bodies[kind] ?? plainBody;
}

describe('an object of another that has the name of a child', () => {
  test.each<readonly [KindName, string]>([
    ['Service', 'vision'],
    ['Deployment', 'vision'],
    ['ServiceAccount', 'vision'],
    ['ConfigMap', 'vision-policy'],
  ])(
    '%s %s is never written, is named, and its place is taken once it is gone',
    async (kind, name) => {
      await world.user.create(foreign(kind, name));
      const before = find(world, kind, name);
      const run = superviseWith(world);
      await world.user.create(aServiceObject());
      await run.pass(100_000);
      expect(find(world, kind, name)).toEqual(before);
      const valid = fullConditionOf(world, 'Valid');
      expect(valid).toMatchObject({ status: 'False', reason: 'NameConflict' });
      expect(valid?.message).toContain(`${kind} ${name} has no owner`);
      await world.user.delete(ref(kind, name));
      await expectReached(run, plain.state, 60_000);
    },
  );

  test('keeps pods away from a foreign policy, and nothing else from being made', async () => {
    await world.user.create(foreign('ConfigMap', 'vision-policy'));
    const run = superviseWith(world);
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    expect(find(world, 'Deployment')).toBeUndefined();
    expect(find(world, 'Service')).toBeDefined();
  });
});

describe('an operator of another installation', () => {
  const other = { ...INSTALLATION, namespace: 'other-system' };

  test('writes nothing but that the service is contested when it has one already', async () => {
    const run = superviseWith(world);
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    const second = world.startOperator({ deps: { installation: other } });
    await run.pass(300_000);
    const writes = operatorWrites(world).filter(({ client }) => client === second.name);
    expect(describeWrites(writes)).toEqual(['patch CachedModelService/vision status']);
    expect(conditionsOf(world)).toMatchObject({
      Ready: { status: 'True', reason: 'Serving' },
      Contested: { status: 'True', reason: 'ForeignOperator', observedGeneration: 1 },
    });
    const events = world.cluster
      .objects('Event')
      .filter(({ reason }) => reason === 'ForeignOperator');
    expect(events).toHaveLength(1);
    expectServing(world);
  });

  test('takes over once the mark of the first is removed', async () => {
    const run = superviseWith(world);
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    run.processes()[0]!.kill();
    const second = world.startOperator({ deps: { installation: other } });
    await world.pass(60_000);
    // Nobody follows the spec any more, so what the first one said of the service is wrong.
    await world.user.mergePatch(ref('CachedModelService'), { spec: { replicas: 2 } });
    await world.pass(90_000);
    const wrong = { reason: 'ForeignOperator', observedGeneration: 2 };
    expect(conditionsOf(world)).toMatchObject({
      Ready: { status: 'False', ...wrong },
      Valid: { status: 'False', ...wrong },
      Stalled: { status: 'True', ...wrong },
      Contested: { status: 'True', ...wrong },
    });
    const children = operatorWrites(world).filter(
      ({ client, kind }) => client === second.name && kind !== 'CachedModelService',
    );
    expect(children).toEqual([]);
    await world.user.mergePatch(ref('ConfigMap', 'vision-policy'), {
      metadata: { annotations: { 'layercache.io/installation': null } },
    });
    await world.pass(60_000);
    expectServing(world);
    expect(Object.keys(conditionsOf(world))).not.toContain('Contested');
    expect(Object.keys(conditionsOf(world))).not.toContain('Stalled');
    expect(find(world, 'ConfigMap', 'vision-policy')?.metadata.annotations).toMatchObject({
      'layercache.io/installation': 'other-system/layercache',
      'layercache.io/epoch': '2',
    });
  });
});

describe('an installation that was removed', () => {
  test('is forgotten after ten minutes, and one that is there says it again', async () => {
    const run = superviseWith(world);
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    const installation = { ...INSTALLATION, namespace: 'other-system' };
    const second = world.startOperator({ deps: { installation } });
    await run.pass(900_000);
    expect(Object.keys(conditionsOf(world))).toContain('Contested');
    second.kill();
    await run.pass(900_000);
    expect(Object.keys(conditionsOf(world))).not.toContain('Contested');
    expectServing(world);
  });
});

describe('two processes without an election', () => {
  test('end with one policy: one stores a change, the other goes on with it or steps back', async () => {
    const first = world.startOperator();
    await world.user.create(aServiceObject());
    await world.pass(30_000);
    const second = world.startOperator({ seed: 2 });
    await world.pass(60_000);
    const settled = operatorWrites(world).length;
    await world.user.mergePatch(ref('CachedModelService'), {
      spec: { server: { policyMaxAge: '7m' } },
    });
    await world.pass(60_000);
    const after = operatorWrites(world).slice(settled);
    const stored = after.filter(({ name, isRefused }) => name === 'vision-policy' && !isRefused);
    // Once each at most: whoever comes second claims a later epoch, and the other steps back.
    expect(stored.length).toBeGreaterThan(0);
    expect(new Set(stored.map(({ client }) => client)).size).toBe(stored.length);
    expect([...first.crashes, ...second.crashes]).toEqual([]);
    const { epoch, revision, maxAgeSeconds } = storedPolicy(
      find(world, 'ConfigMap', 'vision-policy') ?? null,
    )!;
    expect(maxAgeSeconds).toBe(420);
    const [pod] = [...world.pods.values()];
    expect(pod?.acknowledgement).toMatchObject({ epoch, revision });
    expectServing(world);
    await world.pass(60_000);
    expect(operatorWrites(world).length).toBe(settled + after.length);
  });
});

describe('the policy', () => {
  test('stood in the API server before any pod saw it', async () => {
    const stored = new Set<string>();
    const unstored: string[] = [];
    const look = (): void => {
      const { data } = (find(world, 'ConfigMap', 'vision-policy') ?? {}) as {
        readonly data?: Readonly<Record<string, string>>;
      };
      if (data?.['policy.json'] !== undefined) stored.add(data['policy.json']);
    };
    const run = superviseWith(world);
    await world.user.create(aServiceObject({ replicas: 3 }));
    await run.pass(1_500);
    expect(world.pods.size).toBe(3);
    for (const pod of world.pods.values()) {
      pod.override = ({ method, path, body }) => {
        look();
        if (method === 'PUT' && path === '/v1/policy' && !stored.has(String(body))) {
          unstored.push(String(body));
        }
        return undefined;
      };
    }
    for (const policyMaxAge of ['3m', '4m', '6m']) {
      await world.user.mergePatch(ref('CachedModelService'), {
        spec: { server: { policyMaxAge } },
      });
      await run.pass(7_000);
    }
    expect(stored.size).toBeGreaterThanOrEqual(3);
    expect(unstored).toEqual([]);
    expectServing(world);
  });

  test.each([
    ['deleted', null],
    ['garbled', { data: { 'policy.json': '{' } }],
    ['claimed by nobody', { metadata: { annotations: { 'layercache.io/writer': 'me' } } }],
  ])('is stored again when it was %s, never below what pods have', async (_, patch) => {
    const run = superviseWith(world);
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    const [pod] = [...world.pods.values()];
    const { epoch, revision } = pod!.acknowledgement;
    if (patch === null) await world.user.delete(ref('ConfigMap', 'vision-policy'));
    else await world.user.mergePatch(ref('ConfigMap', 'vision-policy'), patch);
    await expectReached(run, plain.state, 40_000);
    const next = pod!.acknowledgement;
    expect(next.epoch > epoch || (next.epoch === epoch && next.revision >= revision)).toBe(true);
  });

  test('goes above what a pod acknowledges when the store went back in time', async () => {
    const run = superviseWith(world);
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    const [pod] = [...world.pods.values()];
    pod!.acknowledgement = { ...pod!.acknowledgement, epoch: 9, revision: 4 };
    pod!.closeWindows(1);
    await expectReached(run, plain.state, 90_000);
    expect(pod!.acknowledgement).toMatchObject({ epoch: 10, revision: 1 });
  });
});

test('nothing is left of a deleted service, at whatever stage it goes', async () => {
  for (let n = 0; n <= 20; n++) {
    const own = createWorld();
    const run = superviseWith(own);
    await own.user.create(aServiceObject());
    // Half a second is about two writes here.
    await own.pass(n * 100);
    await own.user.delete(ref('CachedModelService'));
    await run.pass(30_000);
    const left = own.cluster.objects().filter(({ kind }) => kind !== 'Event');
    expect(left.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([]);
    expect(run.processes()[0]!.crashes).toEqual([]);
    own.close();
  }
});

test('a service that is being deleted is written no more, also while something holds it back', async () => {
  const run = superviseWith(world);
  const object = aServiceObject();
  await world.user.create({
    ...object,
    metadata: { ...object.metadata, finalizers: ['example.com/wait'] },
  });
  await run.pass(60_000);
  await world.user.delete(ref('CachedModelService'));
  const before = operatorWrites(world).length;
  await world.user.delete(ref('Service'));
  await run.pass(120_000);
  expect(operatorWrites(world).length).toBe(before);
});

test('in a namespace that ends the operator neither makes anything nor spins', async () => {
  for (let n = 0; n <= 10; n++) {
    const own = createWorld();
    const run = superviseWith(own);
    await own.user.create(aServiceObject());
    await own.pass(n * 200);
    own.cluster.terminateNamespace(NAMESPACE);
    const before = operatorWrites(own).length;
    await run.pass(60_000);
    expect(operatorWrites(own).length - before).toBeLessThan(5);
    expect(run.processes()[0]!.crashes).toEqual([]);
    own.close();
  }
});

test('a service of the same name made right after gets keys of its own', async () => {
  const run = superviseWith(world);
  await world.user.create(aServiceObject());
  await run.pass(60_000);
  await world.user.delete(ref('CachedModelService'));
  await world.user.create(aServiceObject());
  await expectReached(run, plain.state, 60_000);
  const uid = find(world, 'CachedModelService')?.metadata.uid;
  const [secret] = world.cluster.objects('Secret');
  expect(secret?.metadata.ownerReferences?.[0]?.uid).toBe(uid);
  expect(conditionOf(world, 'Ready')).toBe('True Serving');
});

describe('keys that a deleted service of the same name left behind', () => {
  const left = (): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'vision-admin-g1', namespace: NAMESPACE },
  });

  test('are waited for: no pod mounts them, and the service gets its own once they are collected', async () => {
    await world.user.create(left());
    const run = superviseWith(world);
    await world.user.create(aServiceObject());
    await run.pass(8_000);
    expect(find(world, 'Service')).toBeDefined();
    expect(find(world, 'Deployment')).toBeUndefined();
    await world.user.delete(ref('Secret', 'vision-admin-g1'));
    await expectReached(run, plain.state, 20_000);
    const owner = find(world, 'Secret', 'vision-admin-g1')?.metadata.ownerReferences?.[0];
    expect(owner?.uid).toBe(find(world, 'CachedModelService')?.metadata.uid);
  });

  test('are taken for its own when nobody collects them for ten seconds', async () => {
    await world.user.create(left());
    const run = superviseWith(world);
    await world.user.create(aServiceObject());
    await run.pass(16_000);
    expect(find(world, 'Deployment')).toBeDefined();
  });
});
