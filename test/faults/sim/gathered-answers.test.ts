import { afterEach, beforeEach, expect, test } from 'vitest';
import { aServiceObject, expectServing } from './services.ts';
import { createWorld, NO_METRICS, type World } from './world.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});
afterEach(() => {
  world.close();
});

const APART_MS = 100;
const GATHER_MS = 500;

test('windows of pods that answer one after the other are one pass, not one each', async () => {
  const passesMs: number[] = [];
  const pullsMs: number[] = [];
  world.startOperator({
    deps: {
      metrics: {
        ...NO_METRICS,
        passEnded: (controller) => {
          if (controller === 'cached-model-service') passesMs.push(world.clock.monotonicMs());
        },
        evidencePulled: () => pullsMs.push(world.clock.monotonicMs()),
      },
    },
  });
  await world.user.create(aServiceObject({ replicas: 4 }));
  await world.pass(120_000);
  expectServing(world);

  [...world.pods.values()].forEach((pod, index) => {
    pod.closeWindows(3);
    pod.override = ({ path }) => {
      if (!path.startsWith('/v1/evidence')) return undefined;
      pod.override = null;
      const answer = pod.client().call({ method: 'GET', path });
      return new Promise((resolve) => {
        world.clock.schedule(index * APART_MS, () => {
          resolve(answer);
        });
      });
    };
  });
  pullsMs.splice(0);
  passesMs.splice(0);
  await world.pass(40_000);
  const [firstMs = 0] = pullsMs;
  expect(pullsMs.slice(0, 4).map((atMs) => atMs - firstMs)).toEqual([0, 100, 200, 300]);
  const after = passesMs.filter((atMs) => atMs >= firstMs && atMs < firstMs + 2 * GATHER_MS);
  expect(after.map((atMs) => atMs - firstMs)).toEqual([GATHER_MS]);
});
