import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/kube/api.ts';
import type { Faults } from '../../support/simulated-api-faults.ts';
import { endState } from './end-state.ts';
import { expectReached, superviseWith, undisturbed, type Run } from './end-state-reached.ts';
import {
  aServiceObject,
  conditionOf,
  describeWrites,
  editSpec,
  expectServing,
  find,
  fullConditionOf,
  operatorWrites,
  ref,
} from './services.ts';
import { createWorld, NAMESPACE, NO_LOG, type World } from './world.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordRefused = openRecord('refused-writes');
const recordRepairs = openRecord('repairs');
let edits = 0;
let secondsAtMost = 0;

const plain = await undisturbed();
let world: World;
let run: Run;

function begin(
  options: Parameters<typeof createWorld>[0] = {},
  first: Faults = {},
  log = NO_LOG,
): void {
  world = createWorld(options);
  run = superviseWith(world, { first, deps: { log } });
}

beforeEach(() => {
  begin();
});
afterEach(() => {
  world.close();
});

describe('an edit by hand', () => {
  test.each<readonly [string, Parameters<World['user']['mergePatch']>]>([
    ['the replicas of the Deployment', [ref('Deployment'), { spec: { replicas: 5 } }]],
    [
      'the labels of the Service',
      [ref('Service'), { metadata: { labels: { 'app.kubernetes.io/managed-by': 'me' } } }],
    ],
    [
      'the owner of the ServiceAccount',
      [ref('ServiceAccount'), { metadata: { labels: { 'layercache.io/service': null } } }],
    ],
    ['an atomic map of the Service', [ref('Service'), { spec: { selector: { app: 'mine' } } }]],
  ])('of %s is put right within 10 s', async (_, edit) => {
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    const foreign = { metadata: { annotations: { 'example.com/kept': 'yes' } } };
    await world.user.mergePatch(edit[0], foreign);
    await world.user.mergePatch(...edit);
    const seconds = await secondsUntilRight(edit[0]);
    edits += 1;
    secondsAtMost = Math.max(secondsAtMost, seconds);
    recordRepairs({ edits, secondsAtMost });
    expect(seconds).toBeLessThanOrEqual(10);
    const object = find(world, edit[0].kind, edit[0].name);
    expect(object?.metadata.annotations).toMatchObject({ 'example.com/kept': 'yes' });
    await world.user.mergePatch(edit[0], {
      metadata: { annotations: { 'example.com/kept': null } },
    });
    expect(await ownedPart(edit[0])).toEqual(wantedPart(edit[0]));
  });

  test('again and again is put right five times, then told and left for five minutes', async () => {
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    const before = operatorWrites(world).length;
    for (let i = 0; i < 20; i++) {
      await world.user.mergePatch(ref('Service'), { spec: { selector: { app: `mine-${i}` } } });
      await run.pass(5_000);
    }
    const repairs = operatorWrites(world).slice(before);
    expect(describeWrites(repairs)).toEqual(Array(5).fill('patch Service/vision'));
    await run.pass(300_000);
    expect(operatorWrites(world).length).toBe(before + 6);
    expect(reasonsOfEvents()).toContain('ChildEditedRepeatedly');
    // What the spec asks for goes out all the same.
    await world.user.mergePatch(ref('Deployment'), { spec: { replicas: 2 } });
    await editSpec(world, { replicas: 3 });
    await run.pass(5_000);
    expect(find(world, 'Deployment')?.spec).toMatchObject({ replicas: 3 });
  });
});

describe('a bad spec', () => {
  test.each<readonly [string, object, object, string]>([
    [
      'that breaks a rule which came later',
      { accuracy: { maxDisagreement: '0.01' } },
      { accuracy: { maxDisagreement: '1%' } },
      'InvalidSpec',
    ],
    [
      'of the pod template',
      { podTemplate: { spec: { containers: [{ name: 'server', ports: [] }] } } },
      { podTemplate: null },
      'PodTemplateRejected',
    ],
    [
      'that names a ConfigMap which is not there',
      { backbone: { caBundleConfigMapName: 'corp-ca' } },
      { backbone: { caBundleConfigMapName: null } },
      'ConfigMapNotFound',
    ],
  ])(
    '%s leaves what runs alone, says why, and the good one recovers',
    async (_, bad, good, reason) => {
      await world.user.create(aServiceObject());
      await run.pass(60_000);
      const deployment = find(world, 'Deployment');
      await editSpec(world, bad as Readonly<Record<string, unknown>>);
      await run.pass(60_000);
      expect(conditionOf(world, 'Valid')).toBe(`False ${reason}`);
      expect(conditionOf(world, 'Ready')).toBe(`False ${reason}`);
      expect(conditionOf(world, 'Stalled')).toBe(`True ${reason}`);
      expect(find(world, 'Deployment')?.spec).toEqual(deployment?.spec);
      const writes = operatorWrites(world).length;
      await run.pass(300_000);
      expect(operatorWrites(world).length).toBe(writes);
      await editSpec(world, good as Readonly<Record<string, unknown>>);
      await expectReached(run, plain.state, 60_000);
      expectServing(world);
    },
  );

  test('that the API server refuses in a child is told in its words and not sent again', async () => {
    const causes = ({ kind, spec }: KubeObject): readonly string[] => {
      const { template } = (spec ?? {}) as { template?: { spec: { nodeSelector?: object } } };
      const isBad = kind === 'Deployment' && template?.spec.nodeSelector !== undefined;
      return isBad ? ['spec.template: bad selector'] : [];
    };
    begin({ validate: causes });
    await world.user.create(aServiceObject({ pod: { nodeSelector: { a: 'b' } } }));
    await run.pass(60_000);
    expect(conditionOf(world, 'Valid')).toBe('False PodTemplateRejected');
    expect(find(world, 'Service')).toBeDefined();
    const tries = world.cluster.calls.filter(
      ({ verb, kind }) => `${verb} ${kind}` === 'patch Deployment',
    );
    expect(tries.length).toBe(1);
    await editSpec(world, { pod: null });
    await expectReached(run, plain.state, 60_000);
  });

  test('that names a ConfigMap recovers within 40 s once that is there', async () => {
    await world.user.create(
      aServiceObject({ server: { warmup: { inputsConfigMapName: 'warm' } } }),
    );
    await run.pass(60_000);
    expect(conditionOf(world, 'Valid')).toBe('False ConfigMapNotFound');
    expect(find(world, 'Deployment')).toBeUndefined();
    await world.user.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'warm', namespace: NAMESPACE },
      data: {},
    });
    await run.pass(40_000);
    expectServing(world);
  });
});

describe('an API server that refuses', () => {
  test('one kind stops nothing else, is named, and is asked again every five minutes', async () => {
    let isForbidden = true;
    const warnings: unknown[] = [];
    begin(
      {},
      {
        onCall: ({ verb, kind }) =>
          isForbidden && verb === 'patch' && kind === 'Service'
            ? { kind: 'Status', status: 403, reason: 'Forbidden' }
            : null,
      },
      { ...NO_LOG, warn: (facts, message) => warnings.push({ ...facts, message }) },
    );
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    expect(warnings).toMatchObject([
      { message: 'call refused', key: 'ml/vision', verb: 'patch', kind: 'Service', name: 'vision' },
    ]);
    expect(find(world, 'Deployment')).toBeDefined();
    const available = fullConditionOf(world, 'Available');
    expect(available).toMatchObject({ reason: 'Forbidden' });
    expect(available?.message).toContain('may not patch services');
    isForbidden = false;
    await run.pass(280_000);
    await expectReached(run, plain.state, 60_000);
  });

  test('for being busy is left alone for as long as it asks', async () => {
    let refused = 0;
    begin(
      {},
      {
        onCall: ({ verb }) => {
          if (verb !== 'patch' || refused > 0) return null;
          refused += 1;
          return { kind: 'Status', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 20 };
        },
      },
    );
    await world.user.create(aServiceObject());
    await run.pass(19_000);
    expect(operatorWrites(world)).toEqual([]);
    await expectReached(run, plain.state, 60_000);
  });

  test('every write with 409 for a minute is not asked more than once a second', async () => {
    const isOver = (): boolean => world.clock.monotonicMs() > 60_000;
    let tries = 0;
    begin(
      {},
      {
        onCall: ({ verb }) => {
          if (verb !== 'patch' || isOver()) return null;
          tries += 1;
          return { kind: 'Status', status: 409, reason: 'Conflict' };
        },
      },
    );
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    expect(tries).toBeLessThan(60);
    recordRefused({ perSecond: tries / 60 });
    await expectReached(run, plain.state, 120_000);
  });

  test('the status as invalid is told by an event and not asked again', async () => {
    begin(
      {},
      {
        onCall: ({ subresource }) =>
          subresource === 'status' ? { kind: 'Status', status: 422, reason: 'Invalid' } : null,
      },
    );
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    expect(reasonsOfEvents()).toContain('InvalidSpec');
    const tries = world.cluster.calls.length;
    await run.pass(200_000);
    expect(world.cluster.calls.slice(tries).filter(({ verb }) => verb === 'patch')).toEqual([]);
    expect(run.processes()[0]!.crashes).toEqual([]);
  });
});

describe('hot fields', () => {
  test('reach pods by a policy and restart none', async () => {
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    const pods = world.cluster.objects('Pod').map(({ metadata }) => metadata.uid);
    await editSpec(world, { server: { batching: { maxBatchSize: 7 } }, exitMode: 'Shadow' });
    await run.pass(20_000);
    expectServing(world);
    const [pod] = [...world.pods.values()];
    expect(pod?.acknowledgement.revision).toBe(2);
    expect(world.cluster.objects('Pod').map(({ metadata }) => metadata.uid)).toEqual(pods);
  });

  test('a request to rotate makes new keys once and rolls the pods to them', async () => {
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    await world.user.mergePatch(ref('CachedModelService'), {
      metadata: { annotations: { 'layercache.io/request': 'rotate:1' } },
    });
    await run.pass(60_000);
    expectServing(world);
    const names = world.cluster.objects('Secret').map(({ metadata }) => metadata.name);
    expect(names).toEqual(['vision-admin-g1', 'vision-admin-g2']);
    const writes = operatorWrites(world).length;
    await run.pass(120_000);
    expect(operatorWrites(world).length).toBe(writes);
  });
});

describe('a definition that is deleted', () => {
  test('and comes back neither ends the process nor keeps a new service from being served', async () => {
    await world.user.create(aServiceObject());
    await run.pass(60_000);
    world.cluster.removeKind('CachedModelService');
    await run.pass(60_000);
    world.cluster.restoreKind('CachedModelService');
    await world.user.create(aServiceObject());
    await expectReached(run, plain.state, 90_000);
    expect(run.processes()).toHaveLength(1);
  });
});

test.each([
  ['have no container yet', 'Creating'],
  ['run and never are ready', 'Silent'],
] as const)(
  'SeldonIO/seldon-core#4224 nothing stays Starting without a deadline: pods that %s are told after it',
  async (_, stuck) => {
    begin({ stuck });
    await world.user.create(aServiceObject({ server: { startupDeadline: '3m' } }));
    await run.pass(60_000);
    expect(conditionOf(world, 'Available')).toMatch(/^False /);
    expect(conditionOf(world, 'Stalled')).toBeUndefined();
    // The time to start, and five minutes for images.
    await run.pass(8 * 60_000);
    for (const type of ['Available', 'Ready']) {
      expect(conditionOf(world, type)).toBe('False ProgressDeadlineExceeded');
    }
    expect(conditionOf(world, 'Stalled')).toBe('True ProgressDeadlineExceeded');
    expect(fullConditionOf(world, 'Ready')?.message).not.toBe('');
    expect(find(world, 'Deployment')?.spec).toMatchObject({ progressDeadlineSeconds: 8 * 60 });
  },
);

type Json = Readonly<Record<string, unknown>>;

async function stateOf(): Promise<Json> {
  await run.pass(1_000);
  return endState(world.cluster);
}

type EditedRef = Parameters<World['user']['mergePatch']>[0];

/** What the operator answers for in an object. */
function partOf(state: Json, { kind, name }: EditedRef): Json {
  const { spec, metadata } = (state[`${kind}/${name}`] ?? {}) as {
    readonly spec?: Json;
    readonly metadata?: Json;
  };
  return { spec, labels: metadata?.labels, ownerReferences: metadata?.ownerReferences };
}

async function ownedPart(edited: EditedRef): Promise<Json> {
  return partOf(await stateOf(), edited);
}

const wantedPart = (edited: EditedRef): Json => partOf(plain.state, edited);

/** Infinity: not within half a minute. */
async function secondsUntilRight(edited: EditedRef): Promise<number> {
  for (let seconds = 1; seconds <= 30; seconds++) {
    if (isDeepStrictEqual(await ownedPart(edited), wantedPart(edited))) return seconds;
  }
  return Infinity;
}

function reasonsOfEvents(): unknown[] {
  return world.cluster.objects('Event').map(({ reason }) => reason);
}
