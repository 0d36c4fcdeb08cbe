import { expect, test } from 'vitest';
import { conditionOf, find } from '../sim/services.ts';
import { annotate, requestOf } from './loop-service.ts';
import { createLoop } from './loop-world.ts';
import { enabledOn } from './ramping-loop.ts';

const HOUR = 3_600_000;

test('argoproj/argo-rollouts#1292 an abort with nothing in progress does nothing, and says so', async () => {
  const loop = await createLoop();
  await loop.pass(60_000);
  await annotate(loop, { request: 'abort:vision-0123456789ab' });
  await loop.pass(20_000);
  expect(requestOf(loop)).toMatchObject({
    value: 'abort:vision-0123456789ab',
    result: 'NoOp',
    message: 'That revision is not the candidate.',
  });
  expect(loop.ledger()).toMatchObject({ stage: 'Collecting', failed: [] });
  await loop.until('a Job', () => find(loop.world, 'Job', 'vision-train-1') !== undefined, HOUR);
  loop.world.close();
}, 60_000);

test('fluxcd/flagger#45 an emergency promotion ends a paused ramp at once, and exits go off and on by annotation', async () => {
  const loop = await createLoop();
  await annotate(loop, { rollout: 'paused' });
  await loop.until('a ramp', () => loop.ledger()?.stage === 'Ramping', 2 * HOUR);
  await loop.pass(300_000);
  expect(loop.ledger()?.candidate?.ramp?.share).toBe(0.25);
  expect(conditionOf(loop.world, 'RolloutSucceeded')).toBe('Unknown Paused');

  const revision = loop.world.cluster.objects('CacheHeadRevision')[0]!.metadata.name;
  await annotate(loop, { request: `promote:${revision}` });
  await loop.pass(30_000);
  expect(loop.ledger()?.stage).toBe('Serving');
  expect(requestOf(loop)).toMatchObject({ value: `promote:${revision}`, result: 'Done' });

  await annotate(loop, { exits: 'off' });
  await loop.pass(30_000);
  expect(enabledOn(loop)).toEqual([false, false]);
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('False Disabled');
  // Withdrawn, the certificate that was in force is in force again.
  await annotate(loop, { exits: null });
  await loop.pass(30_000);
  expect(enabledOn(loop)).toEqual([true, true]);

  await annotate(loop, { request: `abort:${revision}` });
  await loop.pass(30_000);
  expect(requestOf(loop)).toMatchObject({ value: `abort:${revision}`, result: 'NoOp' });
  expect(enabledOn(loop)).toEqual([true, true]);
  loop.world.close();
}, 120_000);

test('an operator that is killed again and again ends the same way, and counts no row twice', async () => {
  const loop = await createLoop();
  for (let i = 0; i < 400 && loop.ledger()?.stage !== 'Serving'; i++) {
    await loop.pass(10_000);
    if (i % 12 === 11) loop.run.processes().at(-1)!.client.crash();
  }
  expect(loop.ledger()?.stage).toBe('Serving');
  const audits = loop.ledger()!.stable!.evidence;
  const counted = audits.blocks.closed.n + audits.blocks.open.n;
  const told = [...loop.pods.values()]
    .flatMap(({ fake }) => fake.windows)
    .filter(
      ({ headRevision, paired }) =>
        headRevision === loop.ledger()!.stable!.headRevision && paired === null,
    )
    .reduce((sum, { grid }) => sum + grid.n, 0);
  expect(counted).toBeLessThanOrEqual(told);
  expect(loop.run.processes().flatMap(({ crashes }) => crashes)).toEqual([]);
  expect(loop.world.cluster.objects('Job').length).toBe(1);
  loop.world.close();
}, 120_000);

test('a jump to five times the budget switches exits off on every pod within minutes, and the heads are tested again', async () => {
  const loop = await createLoop();
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  await loop.pass(60_000);
  loop.drift = { shift: 0, noise: 0.05 };
  loop.rowsPerSecond = 100;
  await loop.until('off', () => enabledOn(loop).every((isOn) => isOn === false), 300_000);
  expect(conditionOf(loop.world, 'WithinBudget')).toBe('False BudgetExceeded');
  expect(conditionOf(loop.world, 'Ready')).toBe('True Serving');
  expect(loop.ledger()).toMatchObject({ stage: 'Recertifying', stable: { off: 'Alarm' } });
  loop.world.close();
}, 120_000);

test('a pod that lies about its heads proves nothing: no candidate goes past staging', async () => {
  const loop = await createLoop();
  await loop.until('a Job', () => find(loop.world, 'Job', 'vision-train-1') !== undefined, HOUR);
  [...loop.pods.values()][0]!.isLying = true;
  await loop.until('staging', () => loop.ledger()?.stage === 'Staging', 300_000);
  await loop.pass(300_000);
  expect(loop.ledger()?.stage).toBe('Staging');
  expect(conditionOf(loop.world, 'RolloutSucceeded')).toBe('Unknown Staging');
  loop.world.close();
}, 120_000);

test('a training that fails is repeated by its Job, told, and asked for again after its cooldown', async () => {
  const loop = await createLoop();
  loop.trainer.outcome = 'Failed';
  await loop.until('told', () => conditionOf(loop.world, 'Trained') === 'False Failed', HOUR);
  loop.trainer.outcome = 'Trained';
  await loop.until(
    'heads',
    () => loop.ledger()?.candidate !== null && loop.ledger() !== null,
    HOUR,
  );
  expect(find(loop.world, 'Job', 'vision-train-2')).toBeDefined();
  loop.world.close();
}, 120_000);
