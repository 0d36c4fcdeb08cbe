// States that follow each other (A1 to A9 of the fault catalogue): wherever a service comes from, it ends as one that was
// created as it is now.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectReached, superviseWith, undisturbed, type Run } from './end-state-reached.ts';
import { OPTIONAL_FIELDS } from './optional-fields.ts';
import { expectNoTrace, walkSpecs } from './random-walks.ts';
import { aServiceObject, conditionOf, editSpec, expectServing, find, ref } from './services.ts';
import { createWorld, type World } from './world.ts';
import { countCases } from '../../promises/count-cases.ts';
import { openRecord } from '../../promises/open-record.ts';

const holdFields = countCases(openRecord('optional-fields'), {
  cases: 'fields',
  failures: 'traces',
});
const recordPairs = openRecord('bad-then-good');
let pairs = 0;
let secondsAtMost = 0;
const WITHIN_S = 60;

const plain = await undisturbed();
let world: World;
let run: Run;
beforeEach(() => {
  world = createWorld();
  run = superviseWith(world);
});
afterEach(() => {
  world.close();
});

const GROUPS = 4;

// Some at a time: one that leaves a trace fails all the same, and `npm run test:long` takes them one by one.
test.each(Array.from({ length: GROUPS }, (_, group) => group))(
  'optional fields that were set, changed and taken out again leave no trace, group %i',
  async (group) => {
    const fields = OPTIONAL_FIELDS.filter((_, i) => i % GROUPS === group);
    await holdFields(() => expectNoTrace(fields), fields.length);
  },
);

describe('a bad spec after a good one', () => {
  const bad = [
    { accuracy: { maxDisagreement: '0.01' } },
    { podTemplate: { spec: { containers: [{ name: 'server', ports: [] }] } } },
    { server: { warmup: { inputsConfigMapName: 'absent' } } },
    { pod: { labels: { 'layercache.io/service': 'other' } } },
  ];
  const good = {
    accuracy: { maxDisagreement: '1%' },
    ...{ podTemplate: null, server: null, pod: null },
  };

  /** Infinity: not within two minutes. */
  async function secondsUntilServing(): Promise<number> {
    const isServing = (): boolean =>
      ['Valid', 'Ready'].every((type) => conditionOf(world, type)?.startsWith('True ') === true);
    for (let seconds = 0; seconds <= 2 * WITHIN_S; seconds++) {
      if (isServing()) return seconds;
      await run.pass(1_000);
    }
    return Infinity;
  }

  test.each(bad.flatMap((first, i) => bad.slice(i + 1).map((second) => [first, second] as const)))(
    '%j, then %j: the good one is served within a minute, without hands',
    async (first, second) => {
      await world.user.create(aServiceObject());
      await run.pass(20_000);
      for (const spec of [first, second]) {
        await editSpec(world, spec);
        await run.pass(30_000);
        expect(conditionOf(world, 'Valid')).toMatch(/^False /);
      }
      await editSpec(world, good);
      const seconds = await secondsUntilServing();
      secondsAtMost = Math.max(secondsAtMost, seconds);
      pairs += 1;
      recordPairs({ pairs, secondsAtMost });
      expect(seconds).toBeLessThanOrEqual(WITHIN_S);
      await expectReached(run, plain.state, WITHIN_S * 1_000);
      expectServing(world);
    },
  );
});

test('a spec that changes at any moment of a first start ends as one that began so', async () => {
  const spec = { replicas: 2, server: { image: 'r.example/server:2' }, exitMode: 'Disabled' };
  const wanted = await undisturbed(spec);
  for (let n = 0; n <= 8; n++) {
    const own = createWorld();
    const started = superviseWith(own);
    await own.user.create(aServiceObject());
    await own.pass(n * 250);
    await editSpec(own, spec);
    await expectReached(started, wanted.state, 60_000);
    own.close();
  }
});

test('scaling to 1, 0, N and 1 holds each time, while an autoscaler writes the count too', async () => {
  const scaleTo = async (replicas: number): Promise<void> => {
    await world.user.mergePatch(ref('Deployment'), { spec: { replicas } });
    await editSpec(world, { accuracy: { auditRate: `${replicas + 2}%` } });
    await run.pass(20_000);
    expect(find(world, 'Deployment')?.spec).toMatchObject({ replicas });
  };
  await world.user.create(aServiceObject({ autoscaling: { maxReplicas: 5 } }));
  await run.pass(20_000);
  for (const replicas of [1, 0, 4, 1]) await scaleTo(replicas);
  // The autoscaler is taken away: the count of the spec holds from then on.
  await editSpec(world, { autoscaling: null, replicas: 3, accuracy: { auditRate: null } });
  await run.pass(20_000);
  expect(find(world, 'Deployment')?.spec).toMatchObject({ replicas: 3 });
  await editSpec(world, { replicas: null });
  await expectReached(run, plain.state, 60_000);
});

test.each([1, 2])(
  'a walk of twenty valid specs settles at each, and ends as a fresh install, seed %i',
  (seed) => walkSpecs(seed, 20),
);
