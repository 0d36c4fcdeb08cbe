import { expect, test } from 'vitest';
import { SILENT } from '../../support/fake-pod.ts';
import { storedPolicy } from '../../../operator/plan/policy-config-map.ts';
import {
  aServiceObject,
  conditionOf,
  describeWrites,
  editSpec,
  expectServing,
  find,
} from './services.ts';
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

  // One pod misses the first calls, as happens while an operator asks thousands.
  const [slow] = world.pods.values();
  slow!.override = () => Promise.resolve(SILENT);
  const second = world.startOperator();
  await world.pass(20_000);
  slow!.override = null;
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

test('a pod that stays silent after the start is told a minute later', async () => {
  const world = createWorld();
  const first = world.startOperator();
  await world.user.create(aServiceObject({ replicas: 2 }));
  await world.pass(200_000);
  first.kill();
  const [silent] = world.pods.values();
  silent!.override = () => Promise.resolve(SILENT);
  world.startOperator();
  await world.pass(55_000);
  expectServing(world);
  await world.pass(15_000);
  expect(conditionOf(world, 'PolicyApplied')).toBe('False ReplicaUnreachable');
  world.close();
});
