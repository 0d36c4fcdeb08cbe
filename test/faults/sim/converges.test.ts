import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../support/seeded-random.ts';
import {
  CALM,
  faultsUntil,
  seededFaults,
  type Fault,
  type Faults,
} from '../../support/simulated-api-faults.ts';
import { expectReached, superviseWith, undisturbed } from './end-state-reached.ts';
import { aServiceObject, CHILDREN, expectServing, ref } from './services.ts';
import { createWorld } from './world.ts';
import { countCases } from '../../promises/count-cases.ts';
import { openRecord } from '../../promises/open-record.ts';

const holdCrash = countCases(openRecord('crash-points'), {
  cases: 'points',
  failures: 'differences',
});
const recordQuiet = openRecord('quiet');
/** In which pods are asked. */
const PERIOD_MS = 30_000;
const PERIODS = 100;

const AUTOSCALED = {
  autoscaling: { minReplicas: 2, maxReplicas: 4 },
  networkPolicy: { mode: 'Enabled' },
};
const plain = await undisturbed();
const everyChild = await undisturbed(AUTOSCALED);

test('a service gets its policy first, then keys, then the rest, each by one write, and is Ready', async () => {
  const world = createWorld();
  const run = superviseWith(world);
  await world.user.create(aServiceObject());
  await run.pass(60_000);
  expectServing(world);
  expect(plain.writes).toEqual([
    'patch ConfigMap/vision-policy',
    'create Secret/vision-admin-g1',
    'patch ServiceAccount/vision',
    'patch ServiceAccount/vision-trainer',
    'patch Service/vision',
    'patch Deployment/vision',
    'patch CachedModelService/vision status',
    'patch ConfigMap/vision-policy',
    'patch CachedModelService/vision status',
    'patch CachedModelService/vision status',
  ]);
  world.close();
});

test('a healthy service without traffic costs no write in a hundred periods, at two, three or four replicas', async () => {
  const world = createWorld();
  const run = superviseWith(world);
  for (const [index, replicas] of [2, 3, 4].entries()) {
    const object = aServiceObject({ replicas });
    await world.user.create({
      ...object,
      metadata: { ...object.metadata, name: `vision-${index}` },
    });
  }
  await run.pass(60_000);
  const before = world.cluster.writes.length;
  await run.pass(PERIODS * PERIOD_MS);
  recordQuiet({ periods: PERIODS, writes: world.cluster.writes.length - before });
  expect(world.cluster.writes.slice(before)).toEqual([]);
  world.close();
});

/** The n-th call of a process, from 1. */
function atCall(n: number, fault: Fault, isCounted: (call: { verb: string }) => boolean): Faults {
  let calls = 0;
  return {
    onCall: (call) => {
      if (isCounted(call)) calls += 1;
      return isCounted(call) && calls === n ? fault : null;
    },
  };
}

const everyCall = (): boolean => true;
const everyWrite = (call: { verb: string }): boolean => ['create', 'patch'].includes(call.verb);
const status = (code: number, reason: string, retryAfterSeconds?: number): Fault => ({
  kind: 'Status',
  status: code,
  reason,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});

describe('the end is the same', () => {
  const crashes: readonly (readonly [string, Fault])[] = [
    ['the process dies before it', { kind: 'Crash', when: 'Before' }],
    ['the process dies after it', { kind: 'Crash', when: 'After' }],
  ];
  const faults: readonly (readonly [string, Fault])[] = [
    ['it is answered 409', status(409, 'Conflict')],
    ['it is answered 500', status(500, 'InternalError')],
    ['it is answered 429', status(429, 'TooManyRequests', 3)],
    ['it is done and answered 504', { kind: 'LostAnswer', status: 504 }],
    ['it is done and not answered', { kind: 'LostAnswer', status: 0 }],
    ['it is not answered', { kind: 'Silence' }],
  ];

  async function expectSameEnd(first: Faults, seed: number): Promise<void> {
    const world = createWorld();
    const run = superviseWith(world, { first, seed });
    await world.user.create(aServiceObject());
    await expectReached(run, plain.state);
    world.close();
  }

  test.each(crashes)('whichever call: %s', async (_, fault) => {
    for (let n = 1; n <= plain.calls; n++)
      await holdCrash(() => expectSameEnd(atCall(n, fault, everyCall), n));
  });

  // Three of the writes are events.
  test.each(faults)('whichever write: %s', async (_, fault) => {
    for (let n = 1; n <= plain.writes.length + 3; n++) {
      await expectSameEnd(atCall(n, fault, everyWrite), n);
    }
  });

  test.each(Array.from({ length: 16 }, (_, seed) => seed))(
    'under faults of all kinds for a minute, seed %i',
    async (seed) => {
      const random = seededRandom(seed);
      const rates = { ...CALM, delay: 0.2, refuse: 0.1, lose: 0.1, crash: 0.02, event: 0.1 };
      const world = createWorld();
      const isOver = (): boolean => world.clock.monotonicMs() > 60_000;
      const faults = faultsUntil(isOver, seededFaults(random, rates));
      const run = superviseWith(world, { first: faults, later: faults, seed });
      await world.user.create(aServiceObject(AUTOSCALED));
      await run.pass(60_000);
      // A dropped event is only found by the next list, ten minutes later.
      await expectReached(run, everyChild.state, 800_000);
      world.close();
    },
  );

  test.each(Array.from({ length: 8 }, (_, seed) => seed))(
    'from a half-made state, with the operator there or away, seed %i',
    async (seed) => {
      const random = seededRandom(1_000 + seed);
      const world = createWorld();
      const run = superviseWith(world);
      await world.user.create(aServiceObject(AUTOSCALED));
      await run.pass(30_000);
      if (seed % 2 === 0) run.processes().at(-1)!.client.crash();
      for (const [kind, name] of CHILDREN) {
        if (random.chance(0.5)) await world.user.delete(ref(kind, name));
      }
      if (random.chance(0.5)) await world.user.delete(ref('Secret', 'vision-admin-g1'));
      await run.pass(10_000);
      // What is neither read nor watched is made again for pods that wait for it, not for those that run.
      const { 'Secret/vision-admin-g1': made, ...state } = everyChild.state;
      expect(made).toBeDefined();
      if (world.cluster.objects('Secret').length > 0) await expectReached(run, everyChild.state);
      else await expectReached(run, state);
      world.close();
    },
  );
});
