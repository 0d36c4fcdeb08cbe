// What a certificate in force lives through: signs of drift, a budget that gets tighter, a day without traffic.
import { expect, test } from 'vitest';
import { conditionOf, editSpec } from '../sim/services.ts';
import { eventsOf, statusOf } from './loop-service.ts';
import { createLoop, type LoopOptions, type LoopWorld } from './loop-world.ts';
import { enabledOn } from './ramping-loop.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordStarved = openRecord('starved');

const HOUR = 3_600_000;

async function servingLoop(options: LoopOptions = {}): Promise<LoopWorld> {
  const loop = await createLoop(options);
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  return loop;
}

const policiesOf = ({ pods }: LoopWorld) => [...pods.values()].map(({ policy }) => policy);

test('clearly fewer rows that leave are a sign of drift: more are audited, and nothing else changes', async () => {
  const loop = await servingLoop();
  await loop.pass(60_000);
  const before = policiesOf(loop)[0]!;
  expect(before.auditRate).toBe(0.02);
  // Heads are less sure of everything and as right as before.
  loop.drift = { shift: -4, noise: 0 };
  await loop.until('a hint', () => eventsOf(loop, 'DriftHint').length > 0, 120_000);
  await loop.pass(20_000);
  expect(statusOf(loop).tuning?.reason).toBe('DriftHint');
  for (const policy of policiesOf(loop)) {
    const { stable, exitsEnabled } = before;
    expect(policy).toMatchObject({ auditRate: 0.1, exitsEnabled, stable });
  }
  expect(conditionOf(loop.world, 'WithinBudget')).toBe('True Certified');
  loop.world.close();
}, 120_000);

test('a budget that gets tighter has the largest lambda that the same evidence proves for it, at once', async () => {
  const loop = await servingLoop({
    rowsPerSecond: 100,
    spec: { accuracy: { maxDisagreement: '2%' } },
  });
  const { lambdaIndex: before } = loop.ledger()!.stable!;
  await editSpec(loop.world, { accuracy: { maxDisagreement: '1.2%' } });
  await loop.pass(20_000);
  expect(eventsOf(loop, 'LambdaTightened')).not.toEqual([]);
  expect(statusOf(loop).tuning?.reason).toBe('LambdaTightened');
  const { lambdaIndex } = loop.ledger()!.stable!;
  expect(lambdaIndex).toBeLessThan(before!);
  for (const policy of policiesOf(loop)) {
    expect(policy).toMatchObject({ exitsEnabled: true, budget: 0.012, stable: { lambdaIndex } });
  }
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('True Serving');
  loop.world.close();
}, 120_000);

/** Nothing happens for most of it; then pods are heard again. */
async function restForAnHour({ world, run }: LoopWorld): Promise<void> {
  world.clock.freeze(HOUR - 40_000);
  await run.pass(40_000);
}

test('after a day with too few audits exits are off until there are enough', async () => {
  const loop = await servingLoop();
  loop.rowsPerSecond = 0;
  await loop.pass(60_000);
  const isOff = (): boolean => enabledOn(loop).every((isOn) => isOn === false);
  for (let hour = 0; hour < 24; hour++) {
    expect(isOff(), `after ${hour} hours`).toBe(false);
    await restForAnHour(loop);
  }
  await loop.until('off', isOff, 120_000);
  recordStarved({ exitsOn: enabledOn(loop).filter((isOn) => isOn !== false).length });
  expect(conditionOf(loop.world, 'WithinBudget')).toBe('Unknown InsufficientSamples');
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('False InsufficientSamples');
  expect(eventsOf(loop, 'InsufficientSamples')).not.toEqual([]);
  expect(conditionOf(loop.world, 'Ready')).toBe('True Serving');
  loop.rowsPerSecond = 40;
  await loop.until('on', () => enabledOn(loop).every((isOn) => isOn === true), 120_000);
  expect(conditionOf(loop.world, 'WithinBudget')).toBe('True Certified');
  loop.world.close();
}, 120_000);
