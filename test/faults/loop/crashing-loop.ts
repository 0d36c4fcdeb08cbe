// A loop whose operator dies once, right before or right after one of its writes, and the end that it has to come to all the same.
import { expect } from 'vitest';
import { isWrite, type ApiCall } from '../../../operator/kube/intercept-api.ts';
import { aLoopBundle } from './loop-trainer.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';
import { enabledOn } from './ramping-loop.ts';

const HOUR = 3_600_000;

export type When = 'Before' | 'After';

/** Writes of an operator to what it keeps; events are words. */
export function isKept(call: ApiCall): boolean {
  return isWrite(call) && !call.isDryRun && call.kind !== 'Event';
}

/** Runs from an empty service to exits in force; the operator dies at the first write that `isMeant`. */
export async function crashOnce(
  when: When,
  isMeant: (call: ApiCall) => boolean,
): Promise<LoopWorld> {
  let isOver = false;
  const onCall = (call: ApiCall) => {
    if (isOver || !isKept(call) || !isMeant(call)) return null;
    isOver = true;
    return { kind: 'Crash', when } as const;
  };
  const loop = await createLoop({ faults: { onCall } });
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  await loop.pass(30_000);
  expect(isOver, 'no such write').toBe(true);
  return loop;
}

/** One training, one revision, its heads on every pod by one policy, and no row that counts twice. */
export function expectSameEnd(loop: LoopWorld): void {
  const { digest } = aLoopBundle(1);
  const { stable, failed, candidate, training } = loop.ledger()!;
  expect({ failed, candidate, count: training.count }).toEqual({
    ...{ failed: [], candidate: null, count: 1 },
  });
  expect(stable?.headRevision).toBe(digest);
  const names = (kind: 'Job' | 'CacheHeadRevision'): string[] =>
    loop.world.cluster.objects(kind).map(({ metadata }) => metadata.name);
  // Its time to live may have ended it before a slower end.
  expect(names('Job').filter((name) => name !== 'vision-train-1')).toEqual([]);
  expect(names('CacheHeadRevision')).toEqual([`vision-${digest.slice(7, 19)}`]);
  expect(enabledOn(loop)).toEqual([true, true]);
  const pairs = [...loop.pods.values()].map(({ policy }) => [policy?.epoch, policy?.revision]);
  expect(pairs[0]).toEqual(pairs[1]);
  const { closed, open } = stable!.evidence.blocks;
  const told = [...loop.pods.values()]
    .flatMap(({ fake }) => fake.windows)
    .filter(({ headRevision }) => headRevision === digest)
    .reduce((sum, { grid }) => sum + grid.n, 0);
  expect(closed.n + open.n).toBeLessThanOrEqual(told);
  expect(loop.run.processes().flatMap(({ crashes }) => crashes)).toEqual([]);
  expect(loop.run.processes()).toHaveLength(2);
}
