import { expect, test } from 'vitest';
import { find } from '../sim/services.ts';
import { createLoop } from './loop-world.ts';

const HOUR = 3_600_000;

test('a training that nobody waits for any more is ended a minute later', async () => {
  const loop = await createLoop();
  const { world } = loop;
  const job = (): object | undefined => find(world, 'Job', 'vision-train-1');
  await loop.until('a Job', () => job() !== undefined, HOUR);
  const { namespace = '', name } = find(world, 'CachedModelService')!.metadata;
  await world.user.mergePatch(
    { kind: 'CachedModelService', namespace, name },
    { spec: { exits: [] } },
  );
  await loop.pass(30_000);
  expect(job()).toBeDefined();
  await loop.until('no Job', () => job() === undefined, 180_000);
  world.close();
}, 120_000);
