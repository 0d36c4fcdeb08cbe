// E3: somebody else writes the same objects as fast as the API takes it, and calls take their time, so that versions move
// between a read and a write.
import { expect, test } from 'vitest';
import type { KindName } from '../../../operator/kube/kinds.ts';
import { expectReached, superviseWith, undisturbed } from './end-state-reached.ts';
import { aServiceObject, expectServing, find, operatorWrites, ref } from './services.ts';
import { createWorld, type World } from './world.ts';

const plain = await undisturbed();
const KINDS: readonly KindName[] = [
  'CachedModelService',
  'Deployment',
  'Service',
  'ServiceAccount',
];
const RIVALRY_MS = 120_000;

/** A count in an annotation of everything that is there. */
async function rivalWrites(world: World, value: string | null): Promise<void> {
  const metadata = { annotations: { 'rival.example/count': value } };
  for (const kind of KINDS) {
    if (find(world, kind) !== undefined) await world.user.mergePatch(ref(kind), { metadata });
  }
}

test('a rival that writes its own fields at full speed keeps nobody from being served', async () => {
  const world = createWorld();
  const run = superviseWith(world, { first: { onCall: () => ({ kind: 'Delay', ms: 300 }) } });
  await world.user.create(aServiceObject());
  for (let count = 0; count * 500 < RIVALRY_MS; count++) {
    await rivalWrites(world, String(count));
    await run.pass(500);
  }
  expectServing(world);
  const mine = operatorWrites(world);
  // That it is a rivalry: some of what was written was refused by its version.
  expect(mine.filter(({ isRefused }) => isRefused).length).toBeGreaterThan(0);
  expect(mine.length).toBeLessThan(RIVALRY_MS / 1_000);
  await rivalWrites(world, null);
  for (const kind of KINDS) {
    const { annotations = {} } = find(world, kind)!.metadata;
    if (Object.keys(annotations).length > 0) continue;
    await world.user.mergePatch(ref(kind), { metadata: { annotations: null } });
  }
  await expectReached(run, plain.state, 60_000);
  world.close();
});
