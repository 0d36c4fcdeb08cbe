// What conditions say of heads that do not come into force, each provoked by its cause.
import { expect, test } from 'vitest';
import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';
import { conditionOf, find, fullConditionOf } from '../sim/services.ts';
import { changeWindows } from './loop-pod.ts';
import { annotate, eventsOf, statusOf } from './loop-service.ts';
import { endJob, killTrainer } from './loop-trainer.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';
import { rampingLoop } from './ramping-loop.ts';

const HOUR = 3_600_000;
/** What is said stands until the next training: nobody waits for that here. */
const ONCE = { heads: { training: { cooldown: '6h' } } };

const says = (loop: LoopWorld, type: string, wanted: string, withinMs = HOUR): Promise<void> =>
  loop.until(`${type} ${wanted}`, () => conditionOf(loop.world, type) === wanted, withinMs);

test('a service without heads waits for rows', async () => {
  const loop = await createLoop();
  await says(loop, 'ExitsActive', 'False CollectingSamples');
  await says(loop, 'Trained', 'Unknown WaitingForSamples');
  loop.world.close();
});

test('a training that fails: exits say so, and that one waits', async () => {
  const loop = await createLoop({ spec: ONCE });
  loop.trainer.outcome = 'Failed';
  await says(loop, 'Trained', 'False Failed');
  await says(loop, 'ExitsActive', 'False TrainingFailed');
  expect(conditionOf(loop.world, 'Ready')).toBe('True Serving');
  loop.world.close();
}, 60_000);

test('a trainer that never ends: the deadline of its Job ends it', async () => {
  const loop = await createLoop({ spec: ONCE });
  loop.trainer.outcome = 'Silent';
  await says(loop, 'Trained', 'Unknown Running');
  await endJob(loop.world, 'vision-train-1', 'DeadlineExceeded');
  await says(loop, 'Trained', 'False DeadlineExceeded');
  await says(loop, 'ExitsActive', 'False TrainingFailed');
  loop.world.close();
}, 60_000);

test('a trainer that is killed for memory writes no last words: its pod says why', async () => {
  const loop = await createLoop({ spec: ONCE });
  loop.trainer.outcome = 'Silent';
  await loop.until(
    'a trainer',
    () => find(loop.world, 'Pod', 'vision-train-1-x') !== undefined,
    HOUR,
  );
  await killTrainer(loop.world, 'vision-train-1');
  await says(loop, 'Trained', 'False Failed');
  expect(fullConditionOf(loop.world, 'Trained')?.message).toContain(
    'Pod vision-train-1-x: container trainer was killed for memory (OOMKilled); raise the memory limit in spec.heads.training.resources.',
  );
  loop.world.close();
}, 60_000);

test('a training whose heads are no better than none', async () => {
  const loop = await createLoop({ spec: ONCE });
  loop.trainer.outcome = 'NotBetter';
  await says(loop, 'Trained', 'False NotBetter');
  await says(loop, 'ExitsActive', 'False TrainingFailed');
  loop.world.close();
}, 60_000);

test('a training with too few rows to tell anything', async () => {
  const loop = await createLoop({ spec: ONCE });
  loop.trainer.outcome = 'TooFewRows';
  await says(loop, 'Trained', 'False TooFewRows');
  await says(loop, 'ExitsActive', 'False TrainingFailed');
  expect(eventsOf(loop, 'TooFewRows')).not.toEqual([]);
  expect(statusOf(loop).training).toMatchObject({
    lastFailureReason: 'TooFewRows',
  });
  loop.world.close();
}, 60_000);

test('a training that is wanted again while the last one is young waits for its cooldown', async () => {
  const loop = await createLoop({ spec: ONCE });
  await loop.until('a shadow', () => loop.ledger()?.stage === 'Shadowing', HOUR);
  expect(conditionOf(loop.world, 'Trained')).toBe('True Completed');
  const [revision] = loop.world.cluster.objects('CacheHeadRevision');
  await annotate(loop, { request: `abort:${revision!.metadata.name}` });
  await says(loop, 'Trained', 'Unknown Cooldown', 60_000);
  expect(fullConditionOf(loop.world, 'Trained')?.message).toMatch(
    /^The next training waits [\d,]+ s for its cooldown/,
  );
  // It is the cooldown that it waits for: asked for, it starts.
  await annotate(loop, { request: 'retrain' });
  await says(loop, 'Trained', 'Unknown Running', 60_000);
  loop.world.close();
}, 60_000);

test('heads that keep no budget on live rows are not certified', async () => {
  const loop = await createLoop({ rowsPerSecond: 100, spec: ONCE });
  await loop.until('a shadow', () => loop.ledger()?.stage === 'Shadowing', HOUR);
  loop.drift = { shift: 0, noise: 0.5 };
  await says(loop, 'RolloutSucceeded', 'False NotCertified', 3 * HOUR);
  await says(loop, 'ExitsActive', 'False NotCertified');
  expect(conditionOf(loop.world, 'Ready')).toBe('True Serving');
  loop.world.close();
}, 120_000);

test('heads that save less than they have to are not worthwhile', async () => {
  const loop = await createLoop({ spec: { ...ONCE, tuning: { minSaving: '50%' } } });
  await says(loop, 'RolloutSucceeded', 'False NotWorthwhile', 3 * HOUR);
  await says(loop, 'ExitsActive', 'False NotWorthwhile');
  loop.world.close();
}, 120_000);

test('a candidate that a person aborts', async () => {
  const loop = await rampingLoop({ spec: ONCE });
  const [revision] = loop.world.cluster.objects('CacheHeadRevision');
  await annotate(loop, { request: `abort:${revision!.metadata.name}` });
  await says(loop, 'RolloutSucceeded', 'False AbortedByUser');
  await says(loop, 'ExitsActive', 'False RolloutAborted');
  expect(loop.events().some((event) => event.startsWith('RequestHandled'))).toBe(true);
  loop.world.close();
}, 120_000);

test('a step that gets no verdict in time holds, and says so', async () => {
  const rollout = { minRequests: 1_000_000, stepDeadline: '1m' };
  const loop = await createLoop({ spec: { rollout } });
  await says(loop, 'RolloutSucceeded', 'Unknown Inconclusive', 3 * HOUR);
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('True Ramping');
  loop.world.close();
}, 120_000);

/** One audit in ten. */
function loseAudits(window: EvidenceWindow): EvidenceWindow {
  const auditsLost = Math.ceil(window.auditsChosen / 10);
  return { ...window, auditsLost, auditsChosen: window.auditsChosen + auditsLost };
}

test('audits that got lost void the evidence, and exits are off', async () => {
  const loop = await createLoop();
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  await loop.pass(120_000);
  for (const pod of loop.pods.values()) changeWindows(pod, loseAudits);
  await says(loop, 'WithinBudget', 'Unknown EvidenceVoid');
  await says(loop, 'ExitsActive', 'False EvidenceVoid');
  expect(loop.events().some((event) => event.startsWith('ExitsDisabled'))).toBe(true);
  loop.world.close();
}, 120_000);
