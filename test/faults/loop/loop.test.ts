import { expect, test } from 'vitest';
import { readHeadRevisionStatus } from '../../../crds/v1alpha1/head-revision-status.ts';
import type { Ledger } from '../../../operator/lifecycle/ledger.ts';
import { conditionOf, describeWrites, find, operatorWrites } from '../sim/services.ts';
import { statusOf } from './loop-service.ts';
import { aLoopBundle } from './loop-trainer.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';

const HOUR = 3_600_000;

/** Reasons of events in their order, without their texts. */
const reasonsOf = (events: readonly string[]): string[] => [
  ...new Set(events.map((event) => event.split(':')[0]!)),
];

const percentOf = (text = ''): number => Number.parseFloat(text);

const stableOf = (loop: LoopWorld): NonNullable<Ledger['stable']> => loop.ledger()!.stable!;

const isServing = (loop: LoopWorld): boolean => loop.ledger()?.stage === 'Serving';

test('kserve/kserve#3085 heads promote themselves: traffic alone leads from a backbone to certified exits on every pod', async () => {
  const loop = await createLoop();
  const { world } = loop;
  await loop.until('a Job', () => find(world, 'Job', 'vision-train-1') !== undefined, HOUR);
  expect(conditionOf(world, 'ExitsActive')).toBe('False Training');
  expect(conditionOf(world, 'Trained')).toBe('Unknown Running');
  await loop.until('heads', () => world.cluster.objects('CacheHeadRevision').length > 0, 300_000);
  await loop.until('a shadow', () => loop.ledger()?.stage === 'Shadowing', 300_000);
  await loop.pass(10_000);
  expect(conditionOf(world, 'RolloutSucceeded')).toBe('Unknown Shadowing');
  await loop.until('promoted', () => isServing(loop), 2 * HOUR);
  await loop.pass(60_000);
  for (const { policy } of loop.pods.values()) {
    const stable = { activeExits: ['a', 'b', 'c', 'd'] };
    expect(policy).toMatchObject({ exitsEnabled: true, candidate: null, stable });
  }
  expect(reasonsOf(loop.events())).toEqual([
    'BackboneNotPinned',
    'BackboneLoaded',
    'PolicyPublished',
    'TrainingStarted',
    'TrainingSucceeded',
    'Staging',
    'Shadowing',
    'Certified',
    'RolloutStarted',
    'ExitsEnabled',
    'RolloutStepAdvanced',
    'RolloutPromoted',
  ]);
  const { digest } = aLoopBundle(1);
  const revision = `vision-${digest.slice(7, 19)}`;
  const status = statusOf(loop);
  expect(status.heads?.stable).toMatchObject({ revision, id: digest.slice(7, 19) });
  expect(status.rollout).toBeUndefined();
  expect(status.training).toMatchObject({ attempt: 1, jobName: 'vision-train-1' });
  expect(percentOf(status.accuracy?.upperBound)).toBeLessThan(1);
  const shares = status.exits?.map(({ exitedShare }) => percentOf(exitedShare)) ?? [];
  expect(shares.every((share) => share > 0)).toBe(true);
  expect(
    ['ExitsActive', 'WithinBudget', 'RolloutSucceeded', 'Trained', 'Ready'].map((type) =>
      conditionOf(world, type),
    ),
  ).toEqual(['True Serving', 'True Certified', 'True Promoted', 'True Completed', 'True Serving']);
  const heads = readHeadRevisionStatus(find(world, 'CacheHeadRevision', revision)?.status);
  expect(heads.conditions).toMatchObject([
    { type: 'Available', status: 'True', reason: 'Verified' },
    { type: 'Certified', status: 'True', reason: 'Passed' },
  ]);
  expect(heads.certificate).toMatchObject({ lambdaIndex: stableOf(loop).lambdaIndex });

  // Traffic that stops costs nothing more, once its figures are told.
  loop.rowsPerSecond = 0;
  await loop.pass(400_000);
  const before = operatorWrites(world).length;
  await loop.pass(600_000);
  expect(describeWrites(operatorWrites(world).slice(before))).toEqual([]);

  // Nor does an operator that takes over: it goes on with what the one before it stored and proved.
  loop.run.processes().at(-1)?.kill();
  await loop.pass(600_000);
  expect(loop.run.processes()).toHaveLength(2);
  expect(describeWrites(operatorWrites(world).slice(before))).toEqual([]);
  world.close();
}, 120_000);
