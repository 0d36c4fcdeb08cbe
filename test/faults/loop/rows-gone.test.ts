import { expect, test } from 'vitest';
import { find } from '../sim/services.ts';
import { annotate } from './loop-service.ts';
import type { LoopWorld } from './loop-world.ts';
import { rampingLoop } from './ramping-loop.ts';

const HOUR = 3_600_000;

/** Rows that a trainer would find on the pods now. */
const recorded = ({ pods }: LoopWorld): number =>
  [...pods.values()].reduce((sum, { seen }) => sum + seen, 0);

test('first heads that are aborted in their ramp: the next training waits for rows, since servers forget theirs as exits go off', async () => {
  const loop = await rampingLoop();
  const [revision] = loop.world.cluster.objects('CacheHeadRevision');
  await annotate(loop, { request: `abort:${revision!.metadata.name}` });
  const hasJob = (): boolean => find(loop.world, 'Job', 'vision-train-2') !== undefined;
  await loop.until('the next Job', hasJob, HOUR);
  expect(recorded(loop)).toBeGreaterThanOrEqual(10_000);
  loop.world.close();
}, 60_000);

test('a training that found too few rows is tried again when its cooldown is over', async () => {
  const loop = await rampingLoop();
  loop.trainer.outcome = 'TooFewRows';
  const [revision] = loop.world.cluster.objects('CacheHeadRevision');
  await annotate(loop, { request: `abort:${revision!.metadata.name}` });
  await loop.until('failed', () => loop.events().some((e) => e.startsWith('TooFewRows')), HOUR);
  const before = loop.ledger()!.training.count;
  loop.trainer.outcome = 'Trained';
  await loop.until('tried again', () => loop.ledger()!.candidate !== null, HOUR);
  expect(loop.ledger()!.training.count).toBe(before + 1);
  loop.world.close();
}, 60_000);
