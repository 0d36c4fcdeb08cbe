import { expect, test } from 'vitest';
import type { Policy } from '../../../crds/wire/policy.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { EXITS } from '../../support/simulated-fleet.ts';
import { conditionOf, find } from '../sim/services.ts';
import { NAMESPACE } from '../sim/world.ts';
import { aLoopBundle } from './loop-trainer.ts';
import { createLoop, type LoopOptions, type LoopWorld } from './loop-world.ts';

const HOUR = 3_600_000;
const STORE = { s3: { uri: 's3://heads/vision', pullSecretName: 'read', pushSecretName: 'write' } };

function remoteLoop(options: LoopOptions = {}): Promise<LoopWorld> {
  const heads = { training: { cooldown: '1m' }, store: STORE };
  return createLoop({ ...options, spec: { heads, ...options.spec } });
}

interface Revision {
  readonly spec: { readonly bundle: { readonly uri?: string; readonly configMapName?: string } };
  readonly status?: { readonly conditions?: readonly Said[] };
}

interface Said {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function revisions(loop: LoopWorld): readonly Revision[] {
  return loop.world.cluster.objects('CacheHeadRevision') as unknown as readonly Revision[];
}

function availableOf(loop: LoopWorld): string {
  const said = revisions(loop)[0]?.status?.conditions?.find(({ type }) => type === 'Available');
  return said === undefined ? '' : `${said.status} ${said.reason}`;
}

function policyOf(loop: LoopWorld): Policy {
  const stored = loop.world.cluster
    .objects('ConfigMap')
    .find(({ metadata }) => metadata.name === 'vision-policy');
  const { data = {} } = stored as unknown as { readonly data?: Record<string, string> };
  return JSON.parse(data['policy.json'] ?? 'null') as Policy;
}

function hasStable(loop: LoopWorld): boolean {
  return (loop.ledger()?.stable ?? null) !== null;
}

function holders(loop: LoopWorld): number {
  const { headRevision = '' } = loop.ledger()?.candidate ?? {};
  return [...loop.pods.values()].filter(({ heads }) => heads.has(headRevision)).length;
}

test('heads of a remote store are tried on one pod, fetched by the others, certified and promoted, without a ConfigMap', async () => {
  const loop = await remoteLoop();
  const { store } = loop.trainer;
  await loop.until('a first pod', () => holders(loop) === 1, HOUR);
  // Nobody else can come by them: the policy names no place before the trial is over.
  expect(policyOf(loop).candidate?.bundleUri).toBeUndefined();
  expect(store.fetches).toEqual([]);
  await loop.pass(30_000);
  expect(holders(loop)).toBe(1);
  await loop.until('the other', () => holders(loop) === 2, 180_000);
  const [uri] = store.files.keys();
  expect(policyOf(loop).candidate?.bundleUri).toBe(uri);
  expect(store.fetches).toEqual([uri]);
  await loop.until('promoted', () => hasStable(loop), 2 * HOUR);
  expect(policyOf(loop)).toMatchObject({ exitsEnabled: true, stable: { bundleUri: uri } });
  expect(revisions(loop)[0]?.spec.bundle).toMatchObject({ uri });
  expect(revisions(loop)[0]?.spec.bundle.configMapName).toBeUndefined();
  expect(availableOf(loop)).toBe('True Verified');
  const roles = loop.world.cluster
    .objects('ConfigMap')
    .map(({ metadata }) => metadata.labels?.['layercache.io/role']);
  expect(roles).not.toContain('head');
  loop.world.close();
}, 120_000);

test('a service that names no store has that of the installation: its trainer writes there, its pods read there', async () => {
  const uri = 's3://all-heads';
  const loop = await createLoop({ store: { uri, pullSecretName: 'heads-read' } });
  await loop.until('shadowing', () => loop.ledger()?.stage === 'Shadowing', HOUR);
  const [place] = loop.trainer.store.files.keys();
  expect(place).toMatch(/^s3:\/\/all-heads\/[0-9a-f]{64}$/);
  expect(loop.trainer.store.fetches).toEqual([place]);
  expect(revisions(loop)[0]?.spec.bundle).toMatchObject({ uri: place });
  const deployment = JSON.stringify(find(loop.world, 'Deployment')?.spec);
  expect(deployment).toContain(`{"name":"LAYERCACHE_HEAD_STORE","value":"${uri}"}`);
  expect(deployment).toContain('heads-read');
  loop.world.close();
}, 120_000);

test('a candidate that the store does not give stays on its first pod, and its revision says why', async () => {
  const loop = await remoteLoop();
  const { store } = loop.trainer;
  await loop.until('a first pod', () => holders(loop) === 1, HOUR);
  store.trouble = { reason: 'BundleMissing', message: 's3://heads answers 403 (AccessDenied).' };
  await loop.until('told', () => availableOf(loop) === 'False BundleMissing', 300_000);
  expect(loop.ledger()?.stage).toBe('Staging');
  expect(policyOf(loop).exitsEnabled).toBe(false);
  store.trouble = null;
  await loop.until('shadowing', () => loop.ledger()?.stage === 'Shadowing', 180_000);
  await loop.until('verified', () => availableOf(loop) === 'True Verified', 60_000);
  loop.world.close();
}, 120_000);

test('a store that gives other bytes never brings heads to a second pod', async () => {
  const loop = await remoteLoop();
  loop.trainer.store.trouble = { reason: 'DigestMismatch', message: 'it has digest sha256:0.' };
  await loop.until('failed', () => (loop.ledger()?.failed.length ?? 0) > 0, 2 * HOUR);
  expect(loop.ledger()?.failed[0]?.reason).toBe('LoadFailed');
  expect([...loop.pods.values()].filter(({ heads }) => heads.size > 0)).toHaveLength(1);
  loop.world.close();
}, 120_000);

test('a store that goes away takes nothing from pods that have the heads, nor from a new leader', async () => {
  const loop = await remoteLoop();
  const { store } = loop.trainer;
  await loop.until('promoted', () => hasStable(loop), 3 * HOUR);
  await loop.until('exits on', () => policyOf(loop).exitsEnabled, 60_000);
  store.trouble = { reason: 'BundleMissing', message: 's3://heads does not answer.' };
  const { epoch } = policyOf(loop);
  loop.run.processes().at(-1)?.kill();
  await loop.until('another leader', () => policyOf(loop).epoch > epoch, 300_000);
  await loop.pass(120_000);
  // It asked a pod for the bytes, since it has no credentials.
  expect(policyOf(loop)).toMatchObject({ exitsEnabled: true });
  expect(policyOf(loop).stable?.bundleUri).toMatch(/^s3:/);
  expect(conditionOf(loop.world, 'ExitsActive')).toMatch(/^True/);
  loop.world.close();
}, 120_000);

test('heads that the store refuses end the training at once, with the Secret to look at', async () => {
  const loop = await remoteLoop();
  loop.trainer.outcome = 'UploadFailed';
  await loop.until(
    'told',
    () => conditionOf(loop.world, 'Trained') === 'False UploadFailed',
    2 * HOUR,
  );
  expect(revisions(loop)).toEqual([]);
  expect(loop.events().join('\n')).toContain('UploadFailed');
  loop.trainer.outcome = 'Trained';
  await loop.until('trained after all', () => revisions(loop).length > 0, 2 * HOUR);
  loop.world.close();
}, 120_000);

test('own heads in a store that the operator never saw are brought by a pod, pinned, and say when they are not there', async () => {
  const heads = { training: { cooldown: '1m' }, store: STORE, revision: 'mine' };
  const loop = await createLoop({ spec: { heads } });
  const { digest, bytes } = aLoopBundle(5);
  const uri = 's3://heads/elsewhere/5';
  await loop.pass(60_000);
  await loop.world.user.create({
    ...{ apiVersion: 'layercache.io/v1alpha1', kind: 'CacheHeadRevision' },
    metadata: { name: 'mine', namespace: NAMESPACE },
    spec: {
      ...{ serviceName: 'vision', backboneDigest: BACKBONE_DIGEST, classCount: 2 },
      bundle: { digest, sizeBytes: bytes.length, uri },
      exits: EXITS.map((exit) => ({ name: exit, tensor: `${exit}_out`, pool: 1, hidden: 0 })),
    },
  });
  await loop.until('told', () => availableOf(loop) === 'False BundleMissing', 300_000);
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('False HeadsIncompatible');
  loop.trainer.store.files.set(uri, bytes);
  await loop.until('serving', () => loop.ledger()?.stable?.headRevision === digest, 3 * HOUR);
  expect(policyOf(loop).stable?.bundleUri).toBe(uri);
  expect(availableOf(loop)).toBe('True Verified');
  expect(loop.world.cluster.objects('Job')).toEqual([]);
  loop.world.close();
}, 120_000);
