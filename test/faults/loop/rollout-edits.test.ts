import { expect, test } from 'vitest';
import { conditionOf, editSpec } from '../sim/services.ts';
import { statusOf } from './loop-service.ts';
import { enabledOn, rampingLoop, shareOf } from './ramping-loop.ts';

test.each([
  ['tighter budget', { maxDisagreement: '0.5%' }],
  ['higher confidence', { maxDisagreement: '1%', confidence: '99.9%' }],
])(
  'a %s in a ramp stands on the evidence that there is: a smaller lambda, or exits off',
  async (_, accuracy) => {
    const loop = await rampingLoop();
    const before = loop.ledger()!.candidate!.lambdaIndex!;
    await editSpec(loop.world, { accuracy });
    await loop.pass(30_000);
    const after = loop.ledger()!;
    expect(after.candidate?.lambdaIndex ?? -1).toBeLessThan(before);
    for (const { policy } of loop.pods.values()) {
      expect(policy?.candidate?.lambdaIndex ?? -1).toBeLessThan(before);
    }
    loop.world.close();
  },
  120_000,
);

test('a looser budget in a ramp changes nothing before there is a certificate for it', async () => {
  const loop = await rampingLoop();
  const { lambdaIndex } = loop.ledger()!.candidate!;
  await editSpec(loop.world, { accuracy: { maxDisagreement: '2%' } });
  await loop.pass(30_000);
  expect(loop.ledger()?.candidate).toMatchObject({ lambdaIndex, ramp: { share: 0.25 } });
  loop.world.close();
}, 120_000);

const exitsAt = (cuts: Readonly<Record<string, string>>): object[] =>
  Object.entries(cuts).map(([name, cut]) => ({ name, tensor: `${cut}_out` }));

test.each([
  ['fewer exits', exitsAt({ a: 'a', b: 'b' })],
  ['renamed exits', exitsAt({ first: 'a', second: 'b', third: 'c', fourth: 'd' })],
  ['exits whose cuts are swapped', exitsAt({ a: 'b', b: 'a', c: 'c', d: 'd' })],
])(
  '%s in a ramp supersede the candidate, which has not failed, and rows are collected anew',
  async (_, exits) => {
    const loop = await rampingLoop();
    await editSpec(loop.world, { exits });
    await loop.until('collecting', () => loop.ledger()?.candidate === null, 60_000);
    expect(loop.ledger()).toMatchObject({ stable: null, failed: [] });
    expect(enabledOn(loop)).toEqual([false, false]);
    expect(conditionOf(loop.world, 'RolloutSucceeded')).toBe('False Superseded');
    expect(conditionOf(loop.world, 'Ready')).toBe('True Serving');
    loop.world.close();
  },
  120_000,
);

test('other steps in a ramp keep the share, and the next step is the first larger one', async () => {
  const loop = await rampingLoop();
  await editSpec(loop.world, {
    rollout: {
      steps: [
        { share: '10%', hold: '10s' },
        { share: '60%', hold: '1h' },
        { share: '100%', hold: '10s' },
      ],
    },
  });
  expect(shareOf(loop)).toBe(0.25);
  await loop.until('the next step', () => shareOf(loop) !== 0.25, 300_000);
  expect(shareOf(loop)).toBe(0.6);
  expect(statusOf(loop).rollout).toMatchObject({
    ...{ step: 2, steps: 3, share: '60%' },
  });
  loop.world.close();
}, 120_000);
