// What users of other systems asked of rollouts (test/unit/house/user-asks.ts), each on controllers and pods of the simulated loop.
import { expect, test } from 'vitest';
import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';
import { createMetricRegistry } from '../../../operator/metrics.ts';
import { createOperatorMetrics } from '../../../operator/operator-metrics.ts';
import { parseMetricPage } from '../../support/metric-page.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { conditionOf, describeWrites, operatorWrites } from '../sim/services.ts';
import { changeWindows } from './loop-pod.ts';
import { annotate, eventsOf, requestOf, statusOf } from './loop-service.ts';
import { createLoop, type LoopWorld } from './loop-world.ts';
import { enabledOn, rampingLoop, shareOf } from './ramping-loop.ts';

const HOUR = 3_600_000;

const sharesOn = ({ pods }: LoopWorld): (number | undefined)[] =>
  [...pods.values()].map(({ policy }) => policy?.candidate?.share);

/** Changes windows of the candidate before they are told. */
function onCandidate(
  { pods }: LoopWorld,
  change: (window: EvidenceWindow, podIndex: number) => EvidenceWindow,
): void {
  [...pods.values()].forEach((pod, podIndex) => {
    changeWindows(pod, (window) =>
      window.track === 'candidate' ? change(window, podIndex) : window,
    );
  });
}

const withErrors = (window: EvidenceWindow, errors: number): EvidenceWindow => ({
  ...window,
  served: { ...window.served, errors },
});

test('SeldonIO/seldon-core#3772 heads are shadowed by a fraction of the traffic, and all of it is answered whole', async () => {
  const loop = await createLoop({ rowsPerSecond: 200 });
  await loop.until('a shadow', () => loop.ledger()?.stage === 'Shadowing', HOUR);
  await loop.pass(30_000);
  for (const { policy, fake } of loop.pods.values()) {
    expect(policy).toMatchObject({ exitsEnabled: false, candidate: { share: 0 } });
    // About 50 rows a second of 200, on both pods together.
    const { auditRate } = policy!;
    expect(auditRate).toBeGreaterThan(0.2);
    expect(auditRate).toBeLessThan(0.4);
    const { auditsChosen, grid } = fake.windows.findLast(({ track }) => track === 'candidate')!;
    expect(Math.abs(auditsChosen / 1_000 - auditRate)).toBeLessThan(0.06);
    expect(grid.n).toBe(auditsChosen);
    const { rows } = fake.windows.findLast(({ track }) => track !== 'candidate')!.served;
    expect(rows).toEqual([...rows.slice(0, -1).map(() => 0), 1_000]);
  }
  loop.world.close();
}, 120_000);

test('argoproj/argo-rollouts#1905 no data holds a step: it neither passes nor fails until there is some', async () => {
  const loop = await rampingLoop();
  loop.rowsPerSecond = 0;
  // The step holds for 10 minutes.
  await loop.pass(720_000);
  expect(sharesOn(loop)).toEqual([0.25, 0.25]);
  expect(conditionOf(loop.world, 'RolloutSucceeded')).toBe('Unknown Ramping');
  expect(eventsOf(loop, 'RolloutAborted')).toEqual([]);
  loop.rowsPerSecond = 40;
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 600_000);
  loop.world.close();
}, 120_000);

test('argoproj/argo-rollouts#4347 a share counts when every ready pod has acknowledged it', async () => {
  const loop = await rampingLoop();
  const [, silent] = [...loop.pods.values()];
  silent!.isCut = true;
  await loop.pass(720_000);
  expect(shareOf(loop)).toBe(0.25);
  expect(statusOf(loop).rollout).toMatchObject({ share: '25%', loadedReplicas: 1 });
  expect(conditionOf(loop.world, 'PolicyApplied')).toBe('False ReplicaUnreachable');
  silent!.isCut = false;
  await loop.until('the next step', () => shareOf(loop) !== 0.25, 300_000);
  expect(sharesOn(loop)).toEqual([1, 1]);
  loop.world.close();
}, 120_000);

test('argoproj/argo-rollouts#2087 a metric says why a rollout was aborted', async () => {
  const metrics = createOperatorMetrics(createMetricRegistry(), {
    ...{ version: '0.1.0', nodeVersion: '20.20.0', clock: fakeClock() },
  });
  const loop = await rampingLoop({ metrics });
  loop.drift = { shift: 0, noise: 0.3 };
  await loop.until('aborted', () => loop.ledger()?.candidate === null, 900_000);
  const { series } = parseMetricPage((await metrics.render()).text);
  const counted = [...series].filter(
    ([key, value]) => key.startsWith('layercache_rollout_aborts_total{') && value > 0,
  );
  expect(counted).toEqual([['layercache_rollout_aborts_total{cause="disagreement"}', 1]]);
  expect(eventsOf(loop, 'RolloutAborted')[0]).toMatch(
    /Disagreement failed on \d+ samples: [\d.]+% against 1%\./,
  );
  loop.world.close();
}, 120_000);

test('kortix-ai/suna#3403 little traffic aborts nothing, however long it takes and however bad its few answers look', async () => {
  const steps = [
    { share: '25%', hold: '10m' },
    { share: '100%', hold: '1m' },
  ];
  const loop = await rampingLoop({ spec: { rollout: { steps, minRequests: 2_000 } } });
  loop.rowsPerSecond = 0.5;
  // One answer in a hundred fails, ten times what is allowed: of so few that says nothing.
  let told = 0;
  onCandidate(loop, (window, podIndex) =>
    podIndex === 0 && told++ === 0 ? withErrors(window, 1) : window,
  );
  await loop.pass(720_000);
  expect(sharesOn(loop)).toEqual([0.25, 0.25]);
  expect(eventsOf(loop, 'RolloutAborted')).toEqual([]);
  expect(loop.ledger()).toMatchObject({ stage: 'Ramping', failed: [] });
  expect(conditionOf(loop.world, 'ExitsActive')).toBe('True Ramping');
  loop.world.close();
}, 120_000);

test('fluxcd/flagger#1801 a rollout that is paused can be aborted', async () => {
  const loop = await rampingLoop({ spec: { heads: { training: { cooldown: '6h' } } } });
  await annotate(loop, { rollout: 'paused' });
  await loop.pass(20_000);
  expect(conditionOf(loop.world, 'RolloutSucceeded')).toBe('Unknown Paused');
  const [revision] = loop.world.cluster.objects('CacheHeadRevision');
  await annotate(loop, { request: `abort:${revision!.metadata.name}` });
  await loop.pass(20_000);
  expect(requestOf(loop)).toMatchObject({ result: 'Done' });
  expect(sharesOn(loop)).toEqual([undefined, undefined]);
  expect(enabledOn(loop)).toEqual([false, false]);
  expect(conditionOf(loop.world, 'RolloutSucceeded')).toBe('False AbortedByUser');
  loop.world.close();
}, 120_000);

test('kubernetes/kubernetes#20200 configuration is rolled out step by step in pods that run on', async () => {
  const loop = await createLoop();
  await loop.until('a shadow', () => loop.ledger()?.stage === 'Shadowing', HOUR);
  const boots = (): string[] => [...loop.pods.values()].map(({ fake }) => fake.bootId);
  const before = { boots: boots(), writes: operatorWrites(loop.world).length };
  const seen = new Set<string>();
  for (let i = 0; i < 300 && loop.ledger()?.stage !== 'Serving'; i++) {
    await loop.pass(10_000);
    for (const share of sharesOn(loop)) seen.add(String(share));
  }
  expect([...seen]).toEqual(['0', '0.25', '1', 'undefined']);
  expect(enabledOn(loop)).toEqual([true, true]);
  expect(boots()).toEqual(before.boots);
  const written = describeWrites(operatorWrites(loop.world).slice(before.writes));
  const isOfPods = (write: string): boolean => /Deployment|Pod|Service |Secret/.test(write);
  expect(written.filter(isOfPods)).toEqual([]);
  expect(written).toContain('patch ConfigMap/vision-policy');
  loop.world.close();
}, 120_000);

test('kserve/kserve#335 a step is judged by a significance test: bad luck aborts nothing, a worse candidate does', async () => {
  const loop = await rampingLoop();
  let errors = 2;
  onCandidate(loop, (window, podIndex) => (podIndex === 0 ? withErrors(window, errors) : window));
  await loop.pass(10_000);
  errors = 0;
  // Two answers in a hundred failed, and then none: above what is allowed, and it may be chance.
  await loop.pass(60_000);
  const check = statusOf(loop).rollout?.checks?.find(({ type }) => type === 'ErrorRate');
  expect(Number.parseFloat(check!.value!)).toBeGreaterThan(0.1);
  expect(check).toMatchObject({ verdict: 'Pass' });
  expect(sharesOn(loop)).toEqual([0.25, 0.25]);
  errors = 10;
  await loop.until('aborted', () => loop.ledger()?.candidate === null, 120_000);
  expect(conditionOf(loop.world, 'RolloutSucceeded')).toBe('False Aborted');
  expect(eventsOf(loop, 'RolloutAborted')[0]).toMatch(
    /ErrorRate failed on [\d,]+ samples: [\d.]+% against 0\.1%\..* taken back from 25%/,
  );
  expect(loop.ledger()?.failed).toMatchObject([{ reason: 'RolloutAborted' }]);
  loop.world.close();
}, 120_000);
