// What an operator has not heard yet, hears late or never hears (S4 to S8 and O7 of the fault catalogue), and schedules of
// everything at once. More seeds: schedules.test.ts, schedules-*.long.ts.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Faults } from '../../support/simulated-api-faults.ts';
import { expectReached, superviseWith, undisturbed } from './end-state-reached.ts';
import { runRestore } from './random-walks.ts';
import { expectHolds } from './run-schedule.ts';
import { aServiceObject, editSpec, expectServing, find, operatorWrites, ref } from './services.ts';
import { createWorld, type World } from './world.ts';
import { countCases } from '../../promises/count-cases.ts';
import { openRecord } from '../../promises/open-record.ts';

const holdStale = countCases(openRecord('stale-starts'), {
  cases: 'starts',
  failures: 'differences',
});
const holdLoss = countCases(openRecord('lost-events'), {
  cases: 'events',
  failures: 'differences',
});

const plain = await undisturbed();
/** A dropped event is only found by the next list, ten minutes later. */
const RELIST_MS = 800_000;
let world: World;
beforeEach(() => {
  world = createWorld();
});
afterEach(() => {
  world.close();
});

/** Events that come to a process while nothing is wrong. */
async function countEvents(): Promise<number> {
  let events = 0;
  const own = createWorld();
  const run = superviseWith(own, {
    first: {
      onEvent: () => {
        events += 1;
        return null;
      },
    },
  });
  await own.user.create(aServiceObject());
  await run.pass(30_000);
  own.close();
  return events;
}

test('a lagging API server that says of a new service that it is gone is not believed for ever, though no event follows', async () => {
  let isLagging = true;
  const run = superviseWith(world, {
    first: {
      onCall: ({ verb, kind }) => {
        if (!isLagging || kind === 'Lease') return null;
        if (verb === 'patch' || verb === 'create') {
          return { kind: 'Status', status: 409, reason: 'Conflict' };
        }
        if (verb !== 'get' || kind !== 'CachedModelService') return null;
        isLagging = false;
        return { kind: 'Stale', versions: 1_000 };
      },
    },
  });
  await world.user.create(aServiceObject());
  await run.pass(60_000);
  expect(isLagging).toBe(false);
  await expectReached(run, plain.state, 1_000);
});

test('one event that never comes, whichever, changes no end', async () => {
  const events = await countEvents();
  expect(events).toBeGreaterThan(10);
  for (let n = 1; n <= events; n++) {
    let seen = 0;
    const own = createWorld();
    const run = superviseWith(own, { first: { onEvent: () => (++seen === n ? 'Drop' : null) } });
    await own.user.create(aServiceObject());
    await run.pass(RELIST_MS);
    await holdLoss(() => expectReached(run, plain.state, 1_000));
    own.close();
  }
});

/** While it is on, a process is told of nothing. */
function blindfold(): { isOn: boolean; readonly faults: Faults } {
  const state = {
    isOn: false,
    faults: { onEvent: () => (state.isOn ? ('Drop' as const) : null) },
  };
  return state;
}

describe('a deletion and a creation under the same name that are never told', () => {
  test('of the service: the new one gets children and keys of its own', async () => {
    const blind = blindfold();
    const run = superviseWith(world, { first: blind.faults });
    await world.user.create(aServiceObject());
    await run.pass(30_000);
    blind.isOn = true;
    await world.user.delete(ref('CachedModelService'));
    await run.pass(1_000);
    await world.user.create(aServiceObject());
    await run.pass(20_000);
    blind.isOn = false;
    const calls = world.cluster.calls.length;
    await expectReached(run, plain.state, RELIST_MS);
    // What it makes for the old one is collected at once: it must not go on as fast as that is told.
    expect(world.cluster.calls.length - calls).toBeLessThan(200);
    expectServing(world);
    const uid = find(world, 'CachedModelService')?.metadata.uid;
    for (const child of world.cluster.objects().filter(({ kind }) => !OTHERS.has(kind))) {
      expect(child.metadata.ownerReferences?.[0]?.uid, child.kind).toBe(uid);
    }
  });

  test.each(['Service', 'Deployment', 'ServiceAccount'] as const)(
    'of its %s: a stranger in its place is not written, and gives way when it goes',
    async (kind) => {
      const blind = blindfold();
      const run = superviseWith(world, { first: blind.faults });
      await world.user.create(aServiceObject());
      await run.pass(30_000);
      const { metadata, ...body } = find(world, kind)!;
      const { name, namespace } = metadata;
      blind.isOn = true;
      await world.user.delete(ref(kind));
      const stranger = { ...body, status: undefined, metadata: { name, namespace: namespace! } };
      const { metadata: made, ...own } = await world.user.create(stranger);
      const before = operatorWrites(world).length;
      await editSpec(world, { accuracy: { auditRate: '5%' }, pod: { labels: { team: 'a' } } });
      await run.pass(60_000);
      blind.isOn = false;
      await run.pass(RELIST_MS);
      const { metadata: still, ...kept } = find(world, kind)!;
      expect(still).toMatchObject({ uid: made.uid });
      expect(still.ownerReferences).toBeUndefined();
      expect({ ...kept, status: undefined }).toEqual({ ...own, status: undefined });
      // Refused ones count here too: less than one in ten seconds.
      expect(operatorWrites(world).length - before).toBeLessThan(RELIST_MS / 10_000);
      await world.user.delete(ref(kind));
      await editSpec(world, { accuracy: { auditRate: null }, pod: null });
      await expectReached(run, plain.state, RELIST_MS);
    },
  );
});

/** Kinds that no service owns directly, and the service. */
const OTHERS: ReadonlySet<string> = new Set(['CachedModelService', 'Pod', 'Event']);

test('a service that is deleted and made again while events come half a minute late ends as the new one', async () => {
  let isLate = false;
  const run = superviseWith(world, { first: { eventDelayMs: () => (isLate ? 30_000 : 0) } });
  await world.user.create(aServiceObject({ replicas: 3 }));
  await run.pass(30_000);
  isLate = true;
  await world.user.delete(ref('CachedModelService'));
  await run.pass(5_000);
  await world.user.create(aServiceObject());
  await run.pass(60_000);
  isLate = false;
  await run.pass(60_000);
  await expectReached(run, plain.state, RELIST_MS);
});

test.each(Array.from({ length: 6 }, (_, i) => i))(
  'a process that starts on an API server which lags %i writes behind, and may die there, ends the same',
  async (lag) => {
    const staleUntilMs = 60_000;
    const isStale = (): boolean => world.clock.monotonicMs() < staleUntilMs;
    let calls = 0;
    const stale: Faults = {
      onCall: ({ verb }) => {
        calls += 1;
        if (!isStale()) return null;
        if (calls === 20 + 7 * lag) return { kind: 'Crash', when: 'After' };
        if (verb === 'watch') return { kind: 'Silence' };
        return verb === 'list' || verb === 'get' ? { kind: 'Stale', versions: 2 * lag } : null;
      },
    };
    const first = superviseWith(world);
    await world.user.create(aServiceObject());
    await first.pass(1_000 + 400 * lag);
    first.processes().at(-1)!.kill();
    const run = superviseWith(world, { first: stale, later: stale, seed: 2 });
    // Silent watches end after 75 s.
    await holdStale(async () => {
      await run.pass(staleUntilMs + 120_000);
      await expectReached(run, plain.state, RELIST_MS);
    });
  },
);

test.each(Array.from({ length: 4 }, (_, seed) => seed))(
  'a store that goes back in time ends as its restored spec says, above what pods have, seed %i',
  (seed) => runRestore(seed),
);

test.each([0, 1])(
  'three minutes of edits, deletions, crashes and faults of all kinds end as the last spec says, seed %i',
  (seed) => expectHolds(seed, 180_000),
);
