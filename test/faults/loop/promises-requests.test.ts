import { expect, test } from 'vitest';
import { find } from '../sim/services.ts';
import { annotate, requestOf } from './loop-service.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';
import { enabledOn } from './ramping-loop.ts';

const HOUR = 3_600_000;

/** What the status answers to a request. */
async function ask(loop: LoopWorld, request: string): Promise<unknown> {
  await annotate(loop, { request });
  await loop.pass(30_000);
  return requestOf(loop);
}

const revisionsOf = ({ world }: LoopWorld): string[] =>
  world.cluster.objects('CacheHeadRevision').map(({ metadata }) => metadata.name);

test('heads are retrained, rolled back and tried again by annotation, each once, and never where it does not apply', async () => {
  const loop = await createLoop({ rowsPerSecond: 100 });
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  const first = revisionsOf(loop)[0]!;
  const digest = loop.ledger()!.stable!.headRevision;

  // Nothing served before, nothing has failed.
  expect(await ask(loop, `rollback:${first}`)).toMatchObject({ result: 'NoOp' });
  expect(await ask(loop, 'rollback:vision-ffffffffffff')).toMatchObject({ result: 'Refused' });
  expect(await ask(loop, `retry:${first}`)).toMatchObject({ result: 'NoOp' });
  expect(loop.ledger()).toMatchObject({ stage: 'Serving', stable: { headRevision: digest } });

  expect(await ask(loop, 'retrain')).toMatchObject({ value: 'retrain', result: 'Done' });
  await loop.until('a candidate', () => loop.ledger()?.candidate?.evidence !== undefined, HOUR);
  expect(find(loop.world, 'Job', 'vision-train-2')).toBeDefined();
  expect(await ask(loop, 'retrain:again')).toMatchObject({
    result: 'NoOp',
    message: 'A training or a rollout is running.',
  });
  const second = revisionsOf(loop).find((name) => name !== first)!;
  await loop.until('certified', () => loop.ledger()?.candidate?.certificate !== null, HOUR);
  expect(await ask(loop, `promote:${second}`)).toMatchObject({ result: 'Done' });
  const other = loop.ledger()!.stable!.headRevision;
  expect(other).not.toBe(digest);

  const rolledBack = await ask(loop, `rollback:${first}`);
  expect(rolledBack).toMatchObject({ value: `rollback:${first}`, result: 'Done' });
  expect(loop.ledger()).toMatchObject({
    stage: 'Serving',
    stable: { headRevision: digest },
    failed: [{ headRevision: other, reason: 'AbortedByUser' }],
  });
  expect(enabledOn(loop)).toEqual([true, true]);
  // The annotation stays where it is, and is not heard again.
  await loop.pass(300_000);
  expect(await ask(loop, `rollback:${first}`)).toEqual(rolledBack);

  expect(await ask(loop, `retry:${second}`)).toMatchObject({ result: 'Done' });
  expect(loop.ledger()).toMatchObject({ candidate: { headRevision: other }, failed: [] });
  expect(await ask(loop, `retry:${second}:again`)).toMatchObject({
    result: 'NoOp',
    message: 'That revision has not failed.',
  });
  expect(enabledOn(loop)).toEqual([true, true]);
  loop.world.close();
}, 300_000);
