import { expect, test } from 'vitest';
import { reassessLook } from '../../../operator/stats/looks.ts';
import { conditionOf, fullConditionOf } from '../sim/services.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';
import { rampingLoop } from './ramping-loop.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordWrongPod = openRecord('wrong-pod');
const recordRollback = openRecord('rollback');

const HOUR = 3_600_000;
/** Between two polls of a pod whose service serves. */
const POLL_SECONDS = 30;
/** Of the pod that denies; NaN, which keeps no promise, until that test has passed. */
let certifiedForIt = NaN;

/** Seconds until it holds, with traffic going on. */
async function secondsUntil(
  loop: LoopWorld,
  holds: () => boolean,
  within: number,
): Promise<number> {
  for (let second = 0; second < within; second++) {
    if (holds()) return second;
    if (second % 10 === 0) loop.serve();
    await loop.run.pass(1_000);
  }
  throw new Error(`not within ${String(within)} s\n${loop.events().join('\n')}`);
}

test('a pod that denies every disagreement is named, and lambda is what the other pods prove', async () => {
  const loop = await createLoop({ rowsPerSecond: 100, spec: { replicas: 3 } });
  await loop.until('three pods', () => loop.pods.size === 3, HOUR);
  const [liar] = [...loop.pods.values()];
  liar!.isDenying = true;
  await loop.until('a ramp', () => loop.ledger()?.stage === 'Ramping', HOUR);
  const { evidence, lambdaIndex } = loop.ledger()!.candidate!;
  const look = evidence!.looks.at(-1)!;
  expect(look.flagged?.pods[0]).toMatchObject({ podUid: liar!.fake.pod.uid, disagreements: 0 });
  const blind = reassessLook({ ...look, flagged: null }, evidence!);
  certifiedForIt = lambdaIndex! < blind! ? 0 : 1;
  expect(lambdaIndex).toBeLessThan(blind!);
  // What the liar hides: at the lambda of all rows the others are above the budget.
  const { n, dis } = look.flagged!.without!;
  expect(dis[blind!]! / n).toBeGreaterThan(0.01);
  expect(dis[lambdaIndex!]! / n).toBeLessThan(0.01);
  const told = loop.events().find((event) => event.startsWith('PodDeviates'));
  expect(told).toContain(liar!.fake.pod.uid);
  loop.world.close();
}, 120_000);

test('a pod whose heads begin to answer otherwise than their bundle is named within three polls', async () => {
  const loop = await createLoop({ rowsPerSecond: 100, spec: { replicas: 3 } });
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  await loop.pass(120_000);
  const [wrong] = [...loop.pods.values()];
  const { fake } = wrong!;
  const { podUid } = fake.acknowledgement;
  wrong!.isLying = true;
  fake.acknowledgement = {
    ...fake.acknowledgement,
    knownAnswers: fake.acknowledgement.knownAnswers.map((told) => ({
      ...told,
      classes: told.classes.map((classes) => classes.map((one) => 1 - one)),
    })),
  };
  const isNamed = (): boolean =>
    loop
      .events()
      .some((event) => event.startsWith('KnownAnswerMismatch') && event.includes(podUid));
  const seconds = await secondsUntil(loop, isNamed, 600);
  expect(conditionOf(loop.world, 'PolicyApplied')).toBe('False KnownAnswerMismatch');
  expect(fullConditionOf(loop.world, 'PolicyApplied')?.message).toContain(fake.pod.name);
  const periods = Math.ceil(seconds / POLL_SECONDS);
  expect(periods).toBeLessThanOrEqual(3);
  recordWrongPod({ certifiedForIt, periods });
  loop.world.close();
}, 120_000);

test('a step that fails is taken back on every pod within ten seconds of the verdict', async () => {
  const loop = await rampingLoop();
  loop.drift = { shift: 0, noise: 0.3 };
  const shares = (): (number | undefined)[] =>
    [...loop.pods.values()].map(({ policy }) => policy?.candidate?.share);
  expect(shares()).toEqual([0.25, 0.25]);
  const isAborted = (): boolean =>
    loop.events().some((event) => event.startsWith('RolloutAborted'));
  await secondsUntil(loop, isAborted, 900);
  const seconds = await secondsUntil(
    loop,
    () => shares().every((share) => share === undefined),
    60,
  );
  expect(seconds).toBeLessThanOrEqual(10);
  recordRollback({ seconds });
  expect(loop.ledger()?.failed).toMatchObject([{ reason: 'RolloutAborted' }]);
  loop.world.close();
}, 120_000);
