import { expect, test } from 'vitest';
import { aDigest } from '../../support/builders.ts';
import { conditionOf, editSpec, ref } from '../sim/services.ts';
import { TRAINER, type LoopWorld } from './loop-world.ts';
import { enabledOn, rampingLoop } from './ramping-loop.ts';
import { DEFAULTS } from '../../unit/operator/plan/builders.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordAway = openRecord('no-control-plane');
const recordLeaders = openRecord('two-leaders');

const HOUR = 3_600_000;
const crashesOf = ({ run }: LoopWorld): unknown[] => run.processes().flatMap((one) => one.crashes);
/** Rows that the ledger counts for heads, and rows that pods told about them: never more than these. */
function expectCountedOnce(loop: LoopWorld): void {
  const { headRevision, evidence } = loop.ledger()!.stable!;
  const counted = evidence.blocks.closed.n + evidence.blocks.open.n;
  const told = [...loop.pods.values()]
    .flatMap(({ fake }) => fake.windows)
    .filter((window) => window.headRevision === headRevision)
    .reduce((sum, { grid }) => sum + grid.n, 0);
  expect(counted).toBeLessThanOrEqual(told);
}

test('the API server away for ten minutes in a ramp: pods serve on, and the ramp ends as if nothing had been', async () => {
  let isAway = false;
  const refused = { kind: 'Status', status: 503, reason: 'ServiceUnavailable' } as const;
  const loop = await rampingLoop({ faults: { onCall: () => (isAway ? refused : null) } });
  const policies = [...loop.pods.values()].map(({ policy }) => policy);
  isAway = true;
  const { clock } = loop.world;
  const leftMs = clock.monotonicMs();
  await loop.pass(600_000);
  const changed = [...loop.pods.values()].filter(({ policy }, i) => policy !== policies[i]);
  recordAway({
    minutes: (clock.monotonicMs() - leftMs) / 60_000,
    policiesChanged: changed.length,
  });
  expect([...loop.pods.values()].map(({ policy }) => policy)).toEqual(policies);
  isAway = false;
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', HOUR);
  expect(enabledOn(loop)).toEqual([true, true]);
  expectCountedOnce(loop);
  expect(crashesOf(loop)).toEqual([]);
  loop.world.close();
}, 120_000);

test('two operators at once in a ramp: pods follow one of them, nothing counts twice, and the ramp ends', async () => {
  const loop = await rampingLoop();
  const deps = { defaults: { ...DEFAULTS, trainer: TRAINER } };
  const second = loop.world.startOperator({ seed: 7, deps });
  const pairs = (): string[] =>
    [...loop.pods.values()].map(({ policy }) => `${policy!.epoch}.${policy!.revision}`);
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', HOUR);
  await loop.pass(60_000);
  expect(new Set(pairs()).size).toBe(1);
  recordLeaders({ policiesInForce: new Set(pairs()).size });
  expect(enabledOn(loop)).toEqual([true, true]);
  expectCountedOnce(loop);
  expect([...crashesOf(loop), ...second.crashes]).toEqual([]);
  loop.world.close();
}, 120_000);

test.each([
  ['deleted', null],
  ['garbled', { data: { 'ledger.json': '{"schemaVersion":1,' } }],
])(
  'the ledger %s in a ramp while no operator runs: exits go off, and a new certificate brings exits back',
  async (_, patch) => {
    const loop = await rampingLoop();
    loop.run.processes().at(-1)!.client.crash();
    const ledger = ref('ConfigMap', 'vision-evidence');
    if (patch === null) await loop.world.user.delete(ledger);
    else await loop.world.user.mergePatch(ledger, patch);
    await loop.until('off', () => enabledOn(loop).every((isOn) => isOn === false), 120_000);
    expect(conditionOf(loop.world, 'Ready')).toBe('True Serving');
    await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 3 * HOUR);
    expect(enabledOn(loop)).toEqual([true, true]);
    expectCountedOnce(loop);
    loop.world.close();
  },
  120_000,
);

test('pods that are replaced in the middle of a step load the candidate before the share goes on', async () => {
  const loop = await rampingLoop();
  const first = loop.world.cluster
    .objects('Pod')
    .find(({ metadata }) => loop.pods.has(metadata.uid ?? ''))!;
  await loop.world.user.delete(ref('Pod', first.metadata.name));
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', HOUR);
  expect(enabledOn(loop)).toEqual([true, true]);
  expect(loop.ledger()?.failed).toEqual([]);
  loop.world.close();
}, 120_000);

test('a service that is suspended in a ramp keeps everything, and goes on from staging', async () => {
  const loop = await rampingLoop();
  const { headRevision } = loop.ledger()!.candidate!;
  await editSpec(loop.world, { suspend: true });
  await loop.pass(300_000);
  expect(conditionOf(loop.world, 'Ready')).toBe('False Suspended');
  expect(loop.ledger()?.candidate?.headRevision).toBe(headRevision);
  await editSpec(loop.world, { suspend: false });
  await loop.until('serving', () => loop.ledger()?.stable?.headRevision === headRevision, HOUR);
  expect(loop.events().some((event) => event.startsWith('Staging: No pod holds'))).toBe(true);
  expect(loop.world.cluster.objects('Job')).toHaveLength(1);
  loop.world.close();
}, 120_000);

test('another backbone in a ramp voids the heads: pods that have it answer whole, and rows are collected anew', async () => {
  const loop = await rampingLoop();
  const { headRevision } = loop.ledger()!.candidate!;
  loop.backboneDigest = aDigest(0xbb);
  await editSpec(loop.world, { backbone: { uri: 'https://models.example.com/other.onnx' } });
  await loop.until('collecting', () => loop.ledger()?.candidate === null, 300_000);
  await loop.pass(60_000);
  expect(loop.ledger()).toMatchObject({ stage: 'Collecting', stable: null, failed: [] });
  expect(loop.ledger()?.backboneKey).toContain(aDigest(0xbb));
  expect(enabledOn(loop)).toEqual([false, false]);
  expect(loop.events().some((event) => event.startsWith('Superseded: The backbone'))).toBe(true);
  expect(conditionOf(loop.world, 'Ready')).toBe('True Serving');
  expect(headRevision).not.toBe('');
  loop.world.close();
}, 120_000);

test('a pod that stalls again and again in a ramp is slow on both tracks: the candidate is not blamed, and the ramp ends', async () => {
  const loop = await rampingLoop();
  const [slow] = [...loop.pods.values()];
  for (let pulse = 0; pulse < 8; pulse++) {
    slow!.slowness = 8;
    await loop.pass(20_000);
    slow!.slowness = 1;
    await loop.pass(20_000);
  }
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', HOUR);
  expect(loop.ledger()?.failed).toEqual([]);
  expect(enabledOn(loop)).toEqual([true, true]);
  loop.world.close();
}, 120_000);
