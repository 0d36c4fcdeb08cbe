import { beforeEach, expect, test } from 'vitest';
import type { Reason } from '../../../crds/v1alpha1/reasons.ts';
import type { Decision } from '../../../operator/lifecycle/types.ts';
import type { Ledger } from '../../../operator/lifecycle/ledger.ts';
import { createMetricRegistry } from '../../../operator/metrics.ts';
import { createOperatorMetrics, type OperatorMetrics } from '../../../operator/operator-metrics.ts';
import { START_MS } from '../../support/builders.ts';
import {
  OTHER_REVISION,
  aCandidate,
  aLedger,
  aLookedAttempt,
  aRampingCandidate,
  aServingLedger,
  aStable,
} from '../../support/ledger-builders.ts';
import { parseMetricPage } from '../../support/metric-page.ts';

let metrics: OperatorMetrics;
beforeEach(() => {
  metrics = createOperatorMetrics(createMetricRegistry(), {
    ...{ version: '1.2.3', nodeVersion: '20.20.0' },
    clock: { nowMs: () => START_MS, monotonicMs: () => 0 },
  });
});

const said = (
  reason: Reason,
  headRevision: string | null = OTHER_REVISION,
  atMs = START_MS + 60_000,
): Decision => ({ nowMs: atMs, reason, message: '', headRevision, details: {} });

const decided = (ledger: Ledger, ...decisions: Decision[]): void => {
  metrics.lifecycleDecided('ml/vision', ledger, decisions);
};

/** Series of a family that are not 0, with the labels that are not the service's. */
async function shown(family: string): Promise<Record<string, number>> {
  const { of, series } = parseMetricPage((await metrics.render()).text);
  return Object.fromEntries(
    of(family).flatMap((key) => {
      const value = series.get(key)!;
      const rest = key.replace(/model_namespace="ml",model="vision",?/, '');
      return value === 0 ? [] : [[/\{(.*)\}/.exec(rest)?.[1] ?? '', value] as const];
    }),
  );
}

test('the stage is 1 of a set, also after a status was reported', async () => {
  decided(aLedger());
  metrics.serviceReported('ml/vision', {}, 0.01);
  expect(await shown('layercache_service_state')).toEqual({ 'state="collecting"': 1 });
  decided(aServingLedger());
  expect(await shown('layercache_service_state')).toEqual({ 'state="serving"': 1 });
});

test('the detector is shown while it watches, and gone with the exits', async () => {
  const detector = { budget: 0.01, s: new Array<number>(6).fill(20_000) };
  decided(aServingLedger({ stable: aStable({ detector }) }));
  expect(await shown('layercache_service_detector_ratio')).toEqual({ '': 1 });
  decided(aServingLedger({ stable: aStable({ detector, off: 'InsufficientSamples' }) }));
  expect(await shown('layercache_service_detector_ratio')).toEqual({});
});

test('audited rows of a candidate are shown beside those of stable', async () => {
  decided(aServingLedger({ candidate: aCandidate({ evidence: aLookedAttempt(1, null) }) }));
  metrics.serviceReported('ml/vision', { accuracy: { audits: 5_000 } }, 0.01);
  expect(await shown('layercache_service_evidence_rows')).toEqual({
    'track="stable"': 5_000,
    'track="candidate"': 1_000,
  });
});

test('a certificate counts once though its ramp is told with it; without a lambda and without rows count apart', async () => {
  decided(aServingLedger(), said('Certified'), said('RolloutStarted'));
  decided(aServingLedger(), said('NotCertified'), said('InsufficientSamples'));
  decided(aServingLedger(), said('RolloutStarted'));
  expect(await shown('layercache_certificates_total')).toEqual({
    'result="passed"': 2,
    'result="no_lambda"': 1,
    'result="too_few_rows"': 1,
  });
});

test('alarms count by what voided the certificate', async () => {
  decided(aServingLedger(), said('Alarm'), said('EvidenceVoid'), said('Alarm'));
  expect(await shown('layercache_alarms_total')).toEqual({
    'cause="detector"': 2,
    'cause="evidence_void"': 1,
  });
});

test.each([
  ['RolloutPromoted', 'promoted'],
  ['Superseded', 'superseded'],
  ['RolloutAborted', 'aborted'],
  ['AbortedByUser', 'aborted'],
  ['Inconclusive', 'inconclusive'],
  ['LoadFailed', 'load_failed'],
  ['CrashedPods', 'load_failed'],
  ['NotCertified', 'not_certified'],
  ['NotBetter', 'not_better'],
  ['NotWorthwhile', 'not_better'],
] as const)('a candidate that ends as %s counts as %s, with its time', async (reason, result) => {
  decided(aServingLedger({ candidate: aCandidate() }));
  decided(aServingLedger(), said(reason));
  expect(await shown('layercache_rollouts_total')).toEqual({ [`result="${result}"`]: 1 });
  const seconds = await shown('layercache_rollout_duration_seconds_sum');
  expect(seconds).toEqual({ [`result="${result}"`]: 60 });
});

test('a step that holds ends nothing, and no word about other heads does', async () => {
  const ramping = aServingLedger({ candidate: aRampingCandidate({ evidence: null }) });
  decided(ramping);
  decided(ramping, said('Inconclusive'));
  decided(aServingLedger(), said('NotCertified', 'sha256:other'));
  expect(await shown('layercache_rollouts_total')).toEqual({});
});

test.each([
  ['TrainingSucceeded', OTHER_REVISION, 'succeeded'],
  ['TrainingFailed', null, 'failed'],
  ['DeadlineExceeded', null, 'deadline_exceeded'],
  ['NotBetter', null, 'not_better'],
  ['TooFewRows', null, 'not_better'],
] as const)(
  'a training that ends as %s counts, with its time',
  async (reason, revision, result) => {
    const request = { attempt: 1, trigger: 'Missing', part: 'long', after: [] } as const;
    const training = { ...aLedger().training, request };
    decided(aLedger({ stage: 'Training', training }), said('TrainingStarted', null, START_MS));
    decided(aServingLedger(), said(reason, revision, START_MS + 90_000));
    expect(await shown('layercache_training_runs_total')).toEqual({ [`result="${result}"`]: 1 });
    const seconds = await shown('layercache_training_duration_seconds_sum');
    expect(seconds).toEqual({ [`result="${result}"`]: 90 });
    expect(await shown('layercache_rollouts_total')).toEqual({});
  },
);

test('a training that ran when the process started has the time of its stage, one beside exits none', async () => {
  const request = { attempt: 1, trigger: 'Alarm', part: 'recent', after: [] } as const;
  const training = { ...aLedger().training, request };
  decided(aLedger({ stage: 'Training', training }));
  decided(aLedger(), said('TrainingFailed', null, START_MS + 30_000));
  decided(aServingLedger({ training }));
  decided(aServingLedger(), said('TrainingFailed', null, START_MS + 50_000));
  const sums = await shown('layercache_training_duration_seconds_sum');
  expect(sums).toEqual({ 'result="failed"': 30 });
  expect(await shown('layercache_training_runs_total')).toEqual({ 'result="failed"': 2 });
});

test('nothing is left of a service that is gone', async () => {
  decided(aServingLedger({ candidate: aCandidate() }), said('Alarm'));
  metrics.serviceGone('ml/vision');
  const { text } = await metrics.render();
  expect(text).not.toContain('model="vision"');
  decided(aServingLedger(), said('RolloutPromoted'));
  expect(await shown('layercache_rollouts_total')).toEqual({});
});
