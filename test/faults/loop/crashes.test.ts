import { expect, test } from 'vitest';
import type { ApiCall } from '../../../operator/kube/intercept-api.ts';
import { conditionOf } from '../sim/services.ts';
import { crashOnce, expectSameEnd, type When } from './crashing-loop.ts';
import { createLoop } from './loop-world.ts';

const isCreate =
  (kind: string) =>
  (call: ApiCall): boolean =>
    call.verb === 'create' && call.kind === kind;

function isNth(name: string, n: number): (call: ApiCall) => boolean {
  let seen = 0;
  return (call) => 'name' in call && call.name === name && ++seen === n;
}

// Every write, before and after: crashes.long.ts.
test.each<[When, string, (call: ApiCall) => boolean]>([
  ['After', 'the Job of a training', isCreate('Job')],
  ['After', 'a revision, whose heads are not there yet', isCreate('CacheHeadRevision')],
  ['Before', 'its second word to the ledger', isNth('vision-evidence', 2)],
  [
    'After',
    'its fifth word to the ledger, and not yet the policy that goes with it',
    isNth('vision-evidence', 5),
  ],
])(
  'an operator that dies %s it has written %s has a successor that ends the same way',
  async (when, _, isMeant) => {
    const loop = await crashOnce(when, isMeant);
    expectSameEnd(loop);
    loop.world.close();
  },
  300_000,
);

test('without tuning nothing is trained, whatever comes, and the status says what is missing', async () => {
  const loop = await createLoop({ spec: { tuning: { mode: 'Off' } } });
  await loop.pass(600_000);
  expect(loop.world.cluster.objects('Job')).toEqual([]);
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('False NoHeads');
  expect(conditionOf(loop.world, 'Trained')).toBeUndefined();
  expect(conditionOf(loop.world, 'Ready')).toBe('True Serving');
  loop.world.close();
}, 60_000);
