import { expect, test } from 'vitest';
import { createLoop, type LoopWorld } from './loop-world.ts';

const HOUR = 3_600_000;

/** How many pods hold the heads of the candidate. */
function holders(loop: LoopWorld): number {
  const { headRevision = '' } = loop.ledger()?.candidate ?? {};
  return [...loop.pods.values()].filter(({ heads }) => heads.has(headRevision)).length;
}

test('a candidate comes to one pod, and to the others when that one has held it for a minute', async () => {
  const loop = await createLoop();
  await loop.until('staging', () => loop.ledger()?.stage === 'Staging', HOUR);
  await loop.until('a first pod', () => holders(loop) > 0, 60_000);
  const heldMs = loop.world.clock.nowMs();
  await loop.pass(40_000);
  expect(holders(loop)).toBe(1);
  await loop.until('the other', () => holders(loop) === 2, 120_000);
  expect(loop.world.clock.nowMs() - heldMs).toBeGreaterThanOrEqual(60_000);
  await loop.until('shadowing', () => loop.ledger()?.stage === 'Shadowing', 60_000);
  loop.world.close();
}, 120_000);

test('heads that end their first pods never come to the others', async () => {
  const loop = await createLoop({ spec: { replicas: 4 } });
  await loop.until('staging', () => loop.ledger()?.stage === 'Staging', HOUR);
  const { headRevision = '' } = loop.ledger()?.candidate ?? {};
  const seen = new Set<string>();
  for (let i = 0; i < 60 && loop.ledger()?.candidate !== null; i++) {
    for (const [uid, pod] of loop.pods) {
      if (!pod.heads.has(headRevision)) continue;
      seen.add(uid);
      // The process dies, and the container comes back without the heads.
      pod.heads.clear();
      pod.policy = null;
      pod.fake.bootId = `${pod.fake.bootId}x`;
      const nothing = { epoch: 0, revision: 0, headRevisions: [], knownAnswers: [], reason: '' };
      pod.fake.acknowledgement = { ...pod.fake.acknowledgement, ...nothing };
    }
    await loop.pass(10_000);
  }
  expect(loop.ledger()).toMatchObject({
    candidate: null,
    failed: [{ headRevision, reason: 'CrashedPods' }],
  });
  expect(seen.size).toBeLessThanOrEqual(2);
  loop.world.close();
}, 120_000);
