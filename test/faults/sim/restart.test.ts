import { expect, test } from 'vitest';
import { storedPolicy } from '../../../operator/plan/policy-config-map.ts';
import { aServiceObject, describeWrites, editSpec, expectServing, find } from './services.ts';
import { createWorld, type World } from './world.ts';

function callsOf({ cluster }: World, name: string): string[] {
  return describeWrites(cluster.writes.filter(({ client }) => client === name));
}

function pairOf(world: World): { readonly epoch: number; readonly revision: number } {
  const { epoch, revision } = storedPolicy(find(world, 'ConfigMap', 'vision-policy') ?? null)!;
  return { epoch, revision };
}

test('an operator that takes over a settled service writes nothing, not even an event', async () => {
  const world = createWorld();
  const first = world.startOperator();
  await world.user.create(aServiceObject({ replicas: 3 }));
  await world.pass(200_000);
  expectServing(world);
  const before = find(world, 'CachedModelService');
  first.kill();

  const second = world.startOperator();
  await world.pass(200_000);
  expect(second.crashes).toEqual([]);
  expect(callsOf(world, second.name)).toEqual([]);
  expect(find(world, 'CachedModelService')).toEqual(before);

  // With its first write it claims an epoch, so that a process before it has nothing more to say.
  expect(pairOf(world)).toMatchObject({ epoch: 1 });
  await editSpec(world, { server: { batching: { maxQueueLength: 77 } } });
  await world.pass(60_000);
  expectServing(world);
  expect(pairOf(world)).toEqual({ epoch: 2, revision: 1 });
  world.close();
});
