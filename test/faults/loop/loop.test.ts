import { expect, test } from 'vitest';
import { find } from '../sim/services.ts';
import { createLoop } from './loop-world.ts';

const HOUR = 3_600_000;

/** Reasons of events in their order, without their texts. */
const reasonsOf = (events: readonly string[]): string[] => [
  ...new Set(events.map((event) => event.split(':')[0]!)),
];

test('traffic alone leads from a backbone to certified exits on every pod', async () => {
  const loop = await createLoop();
  const { world } = loop;
  await loop.until('a Job', () => find(world, 'Job', 'vision-train-1') !== undefined, HOUR);
  await loop.until('heads', () => world.cluster.objects('CacheHeadRevision').length > 0, 300_000);
  await loop.until('promoted', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  await loop.pass(60_000);
  for (const { policy } of loop.pods.values()) {
    expect(policy).toMatchObject({ exitsEnabled: true, candidate: null });
    expect(policy?.stable?.activeExits.length).toBeGreaterThan(0);
  }
  expect(reasonsOf(loop.events())).toEqual([
    'BackboneNotPinned',
    'BackboneLoaded',
    'PolicyPublished',
    'TrainingStarted',
    'TrainingSucceeded',
    'Shadowing',
    'Certified',
    'RolloutStarted',
    'ExitsEnabled',
    'RolloutStepAdvanced',
    'RolloutPromoted',
  ]);
  world.close();
}, 120_000);
