import { describe, expect, test } from 'vitest';
import type { CandidateRecord, Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecycleInput, LifecyclePlan } from '../../../../operator/lifecycle/types.ts';
import { aPod, aRevision, aService, START_MS } from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aLoadedPod,
  aRampingCandidate,
  aServingLedger,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';

type Pods = LifecycleInput['pods'];

const lacking = (podUid: string): Pods[number] => aPod({ podUid });
const holding = (podUid: string): Pods[number] => aLoadedPod({ podUid });
const gone = (podUid: string): Pods[number] => aPod({ podUid, ready: false });
const MINUTE_MS = 60_000;

function stagedOn(first: CandidateRecord['first'], stageSinceMs = START_MS): Ledger {
  return aLedger({ stage: 'Staging', stageSinceMs, candidate: aCandidate({ first }) });
}

function firstOf({ ledger }: LifecyclePlan): CandidateRecord['first'] {
  return ledger.candidate?.first ?? null;
}

describe('a candidate', () => {
  const trained = (pods: Pods, silentPods = 0): LifecyclePlan =>
    step(
      aLedger({
        stage: 'Training',
        training: {
          request: { attempt: 1, trigger: 'Missing', part: 'long', after: [] },
          waiting: null,
          count: 1,
          endedAtMs: null,
        },
      }),
      {
        ...{ pods, silentPods },
        training: {
          kind: 'Trained',
          attempt: 1,
          revision: aRevision({ headRevision: OTHER_REVISION }),
        },
      },
    );

  test('comes to one pod of several', () => {
    expect(firstOf(trained([lacking('pod-b'), lacking('pod-a')]))).toEqual({
      ...{ podUid: 'pod-a', loadedAtMs: null },
    });
    expect(firstOf(trained([lacking('pod-a')], 1))).toMatchObject({ podUid: 'pod-a' });
  });

  test('waits for nobody where there is one pod, or none', () => {
    expect(firstOf(trained([lacking('pod-a'), gone('pod-b')]))).toBeNull();
    expect(firstOf(trained([]))).toBeNull();
  });
});

describe('the first pod', () => {
  const others = [lacking('pod-b'), lacking('pod-c')];

  test('is watched for a minute from its acknowledgement on, then the others load the candidate', () => {
    const pods = [holding('pod-a'), ...others];
    const loaded = step(stagedOn({ podUid: 'pod-a', loadedAtMs: null }), { pods });
    expect(firstOf(loaded)).toEqual({ podUid: 'pod-a', loadedAtMs: START_MS });
    expect(loaded.nextDelayMs).toBeLessThanOrEqual(MINUTE_MS);
    const early = step(loaded.ledger, { pods, nowMs: START_MS + MINUTE_MS - 1 });
    expect(firstOf(early)).toEqual(firstOf(loaded));
    const released = step(early.ledger, { pods, nowMs: START_MS + MINUTE_MS });
    expect(firstOf(released)).toBeNull();
    expect(released.ledger).toMatchObject({
      stage: 'Staging',
      stageSinceMs: START_MS + MINUTE_MS,
    });
    expect(reasonsOf(released)).toEqual(['Staging']);
  });

  test('that goes is replaced by another, whose minute begins anew', () => {
    const plan = step(stagedOn({ podUid: 'pod-a', loadedAtMs: START_MS - 59_000 }), {
      pods: [gone('pod-a'), ...others],
    });
    expect(firstOf(plan)).toEqual({ podUid: 'pod-b', loadedAtMs: null });
  });

  test('that lost the candidate begins its minute anew', () => {
    const staged = stagedOn({ podUid: 'pod-a', loadedAtMs: START_MS - MINUTE_MS });
    const plan = step(staged, { pods: [lacking('pod-a'), ...others] });
    expect(firstOf(plan)).toEqual({ podUid: 'pod-a', loadedAtMs: null });
  });

  test('is not waited for once every ready pod holds the candidate', () => {
    const plan = step(stagedOn({ podUid: 'pod-a', loadedAtMs: START_MS }), {
      pods: [holding('pod-a'), gone('pod-b')],
    });
    expect(plan.ledger.stage).toBe('Shadowing');
    expect(firstOf(plan)).toBeNull();
  });

  test('that cannot load it fails the candidate at the deadline of the spec', () => {
    const settings = aService({ loadDeadlineMs: 5 * MINUTE_MS });
    const pods = [lacking('pod-a'), ...others];
    const staged = stagedOn({ podUid: 'pod-a', loadedAtMs: null });
    const before = step(staged, { pods, settings, nowMs: START_MS + 5 * MINUTE_MS - 1 });
    expect(before.ledger.candidate).not.toBeNull();
    const after = step(staged, { pods, settings, nowMs: START_MS + 5 * MINUTE_MS });
    expect(after.ledger.candidate).toBeNull();
    expect(after.decisions[0]?.message).toMatch(/^Only 0 of 3 ready pods .* within 5m\. /);
  });

  test('that holds it is not hurried by the deadline', () => {
    const pods = [holding('pod-a'), ...others];
    const nowMs = START_MS + 900_001;
    const late = stagedOn({ podUid: 'pod-a', loadedAtMs: nowMs - 1_000 });
    const plan = step(late, { pods, nowMs });
    expect(firstOf(plan)).toMatchObject({ podUid: 'pod-a' });
  });
});

test('the revision that is not in the store is on no pod', () => {
  const staged = stagedOn({ podUid: 'pod-a', loadedAtMs: null });
  const plan = step(staged, { pods: [holding('pod-a'), lacking('pod-b')], revisions: [] });
  expect(plan.ledger.stage).toBe('Staging');
  expect(plan.ledger.candidate?.first?.loadedAtMs ?? null).toBeNull();
});

describe('a candidate that no pod holds any more', () => {
  const ramping = (): Ledger =>
    aServingLedger({ stage: 'Ramping', candidate: aRampingCandidate(), exitsEnabled: true });

  test('is staged again with its certificate, and its ramp begins anew', () => {
    const plan = step(ramping(), { pods: [lacking('pod-x'), lacking('pod-y')] });
    expect(plan.ledger).toMatchObject({
      stage: 'Staging',
      candidate: { headRevision: OTHER_REVISION, ramp: null, first: { podUid: 'pod-x' } },
    });
    expect(plan.ledger.candidate?.certificate).not.toBeNull();
    expect(plan.policy?.candidate).toMatchObject({ share: 0, stage: 'Staging' });
    expect(reasonsOf(plan)).toEqual(['Staging']);
  });

  test.each([
    ['one pod holds it', [lacking('pod-x'), holding('pod-y')], 0],
    ['a pod has not said', [lacking('pod-x')], 1],
    ['a pod is silent', [aPod({ podUid: 'pod-x', acknowledgement: null })], 0],
    ['there are no pods', [], 0],
  ])('is not lost while %s', (_, pods, silentPods) => {
    const { ledger } = step(ramping(), { pods, silentPods });
    expect(ledger).toMatchObject({ stage: 'Ramping', candidate: { ramp: { share: 0.25 } } });
  });
});
