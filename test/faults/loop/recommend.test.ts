import { expect, test } from 'vitest';
import { conditionOf } from '../sim/services.ts';
import { createLoop } from './loop-world.ts';

const HOUR = 3_600_000;

test('heads that are only recommended are trained and certified, and answer nothing', async () => {
  const loop = await createLoop({ spec: { tuning: { mode: 'Recommend' } } });
  const looks = (): number => loop.ledger()?.candidate?.evidence?.looks.length ?? 0;
  await loop.until('a look', () => looks() > 0, HOUR);
  await loop.pass(600_000);
  expect(loop.ledger()?.stage).toBe('Shadowing');
  expect(loop.ledger()?.candidate?.lambdaIndex).toBeGreaterThan(0);
  for (const { policy } of loop.pods.values()) {
    expect(policy).toMatchObject({ exitsEnabled: false, candidate: { share: 0 } });
  }
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('False RecommendOnly');
  loop.world.close();
}, 120_000);
