import { expect, test } from 'vitest';
import { headRevisionName } from '../../../operator/plan/names.ts';
import { statusOf } from './loop-service.ts';
import { aLoopBundle } from './loop-trainer.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { EXITS } from '../../support/simulated-fleet.ts';
import { conditionOf, ref } from '../sim/services.ts';
import { NAMESPACE } from '../sim/world.ts';

const HOUR = 3_600_000;

async function pin({ world }: LoopWorld, revision: string | null): Promise<void> {
  await world.user.mergePatch(ref('CachedModelService'), { spec: { heads: { revision } } });
}

const stableOf = (loop: LoopWorld): string | undefined => loop.ledger()?.stable?.headRevision;
const jobs = ({ world }: LoopWorld): number => world.cluster.objects('Job').length;

/** Heads that somebody trained elsewhere: the bundle in a ConfigMap, and the revision that names it. */
async function bringHeads({ world }: LoopWorld, name: string, seed: number): Promise<string> {
  const { digest, bytes } = aLoopBundle(seed);
  await world.user.create({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: NAMESPACE } },
    ...{ immutable: true, binaryData: { bundle: Buffer.from(bytes).toString('base64') } },
  });
  await world.user.create({
    ...{ apiVersion: 'layercache.io/v1alpha1', kind: 'CacheHeadRevision' },
    metadata: { name, namespace: NAMESPACE },
    spec: {
      ...{ serviceName: 'vision', backboneDigest: BACKBONE_DIGEST, classCount: 2 },
      bundle: { digest, sizeBytes: bytes.length, configMapName: name },
      exits: EXITS.map((exit) => ({ name: exit, tensor: `${exit}_out`, pool: 1, hidden: 0 })),
    },
  });
  return digest;
}

test('own heads that are pinned go through staging, shadow, certificate and ramp, and nothing is trained', async () => {
  const loop = await createLoop({ spec: { heads: { revision: 'mine' } } });
  await loop.until(
    'a word',
    () => conditionOf(loop.world, 'ExitsActive') === 'False HeadsNotFound',
    HOUR,
  );
  const digest = await bringHeads(loop, 'mine', 5);
  await loop.until('staging', () => loop.ledger()?.candidate?.headRevision === digest, 300_000);
  expect(conditionOf(loop.world, 'Trained')).toBe('Unknown RevisionPinned');
  await loop.until('serving', () => stableOf(loop) === digest, 2 * HOUR);
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('True Serving');
  expect(conditionOf(loop.world, 'WithinBudget')).toBe('True Certified');
  expect(jobs(loop)).toBe(0);
  expect(statusOf(loop).heads?.stable).toMatchObject({
    revision: 'mine',
  });
  loop.world.close();
}, 120_000);

test('argoproj/argo-rollouts#1297 lambda and certificate roll back with their heads: by a pin, without training, and unpinning changes nothing', async () => {
  const loop = await createLoop();
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  const first = stableOf(loop)!;
  const { lambdaIndex, certificate } = [...loop.pods.values()][0]!.policy!.stable!;
  await bringHeads(loop, 'mine', 5);
  await pin(loop, 'mine');
  await loop.until(
    'other heads',
    () => stableOf(loop) !== first && loop.ledger()?.stage === 'Serving',
    4 * HOUR,
  );
  const second = stableOf(loop);
  await pin(loop, headRevisionName('vision', first));
  await loop.until('the first again', () => stableOf(loop) === first, 60_000);
  expect(loop.ledger()).toMatchObject({ stage: 'Serving', failed: [] });
  await loop.pass(30_000);
  for (const { policy } of loop.pods.values()) {
    expect(policy).toMatchObject({
      ...{ exitsEnabled: true, candidate: null },
      stable: { headRevision: first, lambdaIndex, certificate },
    });
  }
  await pin(loop, null);
  await loop.pass(120_000);
  expect(stableOf(loop)).toBe(first);
  expect(second).not.toBe(first);
  expect(jobs(loop)).toBe(1);
  loop.world.close();
}, 120_000);

test('a recommendation stands in the status, and pinning it accepts it', async () => {
  const loop = await createLoop({ spec: { tuning: { mode: 'Recommend' } } });
  const tuning = () => statusOf(loop).tuning;
  await loop.until('a recommendation', () => tuning()?.recommendedRevision !== undefined, HOUR);
  expect(tuning()).toMatchObject({
    recommendedRevision: headRevisionName('vision', loop.ledger()!.candidate!.headRevision),
    expectedSaving: expect.stringMatching(/^\d+(\.\d+)?%$/) as string,
    reason: 'Certified',
  });
  await pin(loop, tuning()!.recommendedRevision!);
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', HOUR);
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('True Serving');
  expect(tuning()?.recommendedRevision).toBeUndefined();
  loop.world.close();
}, 120_000);
