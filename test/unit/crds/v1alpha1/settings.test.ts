import { expect, test } from 'vitest';

import { toServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import { aService } from './service.ts';

const cluster = { local: false };

test('the computed defaults are those of the API', () => {
  expect(toServiceSettings(aService(), cluster)).toEqual({
    model: 'vision',
    budget: 0.01,
    confidence: 0.95,
    agreement: 'Strict',
    auditRate: 0.02,
    minAudits: 1000,
    exitMode: 'Active',
    maxActiveExits: 3,
    minSaving: 0.03,
    maxOverhead: 0.05,
    steps: [
      { share: 0.05, holdMs: 600_000 },
      { share: 0.25, holdMs: 600_000 },
      { share: 0.5, holdMs: 600_000 },
      { share: 1, holdMs: 1_800_000 },
    ],
    minRequests: 100,
    checks: [
      { type: 'ErrorRate', maxRegression: 0.001 },
      { type: 'LatencyP99', maxRegression: 0.05 },
    ],
    rollsOut: true,
    paused: false,
    stepDeadlineMs: 21_600_000,
    onInconclusive: 'Hold',
    loadDeadlineMs: 900_000,
    trainingMode: 'Auto',
    triggers: ['Alarm', 'SavingLoss', 'NewData'],
    cooldownMs: 900_000,
    maxAgeSeconds: 300,
    limits: {
      maxBatchSize: 32,
      maxQueueDelayMs: 2,
      maxQueueLength: 1024,
      maxRequestBytes: 16_777_216,
      maxConcurrentRequests: 256,
      requestTimeoutMs: 30_000,
    },
  });
});

test('what a manifest says beats the computed defaults', () => {
  const service = aService({
    modelName: 'resnet50',
    accuracy: { maxDisagreement: '1%', minAudits: 500 },
    tuning: { maxActiveExits: 2, mode: 'Off' },
    rollout: { steps: [{ share: '100%', hold: '1m' }], checks: [] },
    server: { policyMaxAge: '30500ms' },
  });
  for (const local of [true, false]) {
    const settings = toServiceSettings(service, { local });
    expect(settings).toMatchObject({ model: 'resnet50', minAudits: 500, maxActiveExits: 2 });
    expect(settings).toMatchObject({ trainingMode: 'Off', checks: [], maxAgeSeconds: 31 });
    expect(settings.steps).toEqual([{ share: 1, holdMs: 60_000 }]);
  }
});

test('only a service that wants recommendations rolls nothing out', () => {
  const modes = ['Auto', 'Recommend', 'Off'];
  const rollsOut = modes.map(
    (mode) => toServiceSettings(aService({ tuning: { mode } }), { local: false }).rollsOut,
  );
  expect(rollsOut).toEqual([true, false, true]);
});

test('local mode ramps without holds', () => {
  expect(toServiceSettings(aService(), { local: true }).steps).toEqual([
    { share: 0.25, holdMs: 0 },
    { share: 1, holdMs: 0 },
  ]);
});

test('the first look needs 10 / budget rows within 300 and 30,000', () => {
  const minAudits = (maxDisagreement: string): number =>
    toServiceSettings(aService({ accuracy: { maxDisagreement } }), cluster).minAudits;
  expect(['20%', '2%', '1%', '0.5%', '0.01%', '0%'].map(minAudits)).toEqual([
    300, 500, 1000, 2000, 30_000, 30_000,
  ]);
});
