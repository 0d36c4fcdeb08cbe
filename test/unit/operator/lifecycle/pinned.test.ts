import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecycleInput, LifecyclePlan } from '../../../../operator/lifecycle/types.ts';
import { aDigest, aRevision, aService, REVISION, START_MS } from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aRampingCandidate,
  aServingLedger,
  aStable,
  aVoidedStable,
  BOTH,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';

const PINNED = aDigest(0xc3);
const REVISIONS = [...BOTH, aRevision({ headRevision: PINNED })];
/** Whoever pins heads has them trained no more. */
const settings = aService({ trainingMode: 'Off' });

function pinned(
  ledger: Ledger,
  headRevision: string | null = PINNED,
  fields: Partial<LifecycleInput> = {},
): LifecyclePlan {
  return step(ledger, { settings, revisions: REVISIONS, pin: { headRevision }, ...fields });
}

describe('pinned heads', () => {
  test.each([
    ['without heads', aLedger()],
    ['beside a stable', aServingLedger()],
    [
      'beside a stable without certificate',
      aLedger({ stage: 'Recertifying', stable: aVoidedStable() }),
    ],
  ])('become the candidate %s, with an attempt of their own', (_, before) => {
    const { ledger, decisions } = pinned(before);
    expect(ledger).toMatchObject({
      stage: 'Staging',
      candidate: { kind: 'New', headRevision: PINNED, certificate: null, lambdaIndex: null },
    });
    expect(ledger.stable?.headRevision).toBe(before.stable?.headRevision);
    expect(decisions.some(({ reason }) => reason === 'Staging')).toBe(true);
  });

  test('end a training that runs', () => {
    const request = { attempt: 1, trigger: 'Missing', part: 'long', after: [] } as const;
    const training = { request, waiting: null, count: 1, endedAtMs: null };
    const plan = pinned(aLedger({ stage: 'Training', training }));
    expect(plan.training).toBeNull();
    expect(plan.ledger.stage).toBe('Staging');
  });

  test('supersede another candidate, which has not failed', () => {
    const plan = pinned(aServingLedger({ stage: 'Ramping', candidate: aRampingCandidate() }));
    expect(reasonsOf(plan)).toContain('Superseded');
    expect(plan.ledger).toMatchObject({ failed: [], candidate: { headRevision: PINNED } });
  });

  test.each([
    ['failed', [{ headRevision: PINNED, reason: 'NotCertified', atMs: START_MS }], REVISIONS],
    ['cannot be read', [], BOTH],
  ] as const)('that %s leave a larger lambda of stable alone', (_, failed, revisions) => {
    const candidate = aRampingCandidate({ kind: 'Raise', headRevision: REVISION, evidence: null });
    const before = aServingLedger({ stage: 'Ramping', candidate, failed });
    const plan = pinned(before, PINNED, { revisions });
    expect(plan.ledger.candidate).toMatchObject({ kind: 'Raise', headRevision: REVISION });
    expect(reasonsOf(plan)).toEqual([]);
  });

  test('that can come take the place of a larger lambda of stable', () => {
    const candidate = aRampingCandidate({ kind: 'Raise', headRevision: REVISION, evidence: null });
    const plan = pinned(aServingLedger({ stage: 'Ramping', candidate }));
    expect(plan.ledger.candidate).toMatchObject({ kind: 'New', headRevision: PINNED });
  });

  test('that are the candidate already go on as they are', () => {
    const before = aServingLedger({ stage: 'Ramping', candidate: aRampingCandidate() });
    const plan = pinned(before, OTHER_REVISION);
    expect(plan.ledger.candidate).toMatchObject({
      headRevision: OTHER_REVISION,
      ramp: { share: 0.25 },
    });
    expect(reasonsOf(plan)).toEqual([]);
  });

  test('that serve already end what was to replace them', () => {
    const plan = pinned(aServingLedger({ stage: 'Shadowing', candidate: aCandidate() }), REVISION);
    expect(plan.ledger).toMatchObject({ stage: 'Serving', candidate: null, failed: [] });
    expect(plan.ledger.stable?.headRevision).toBe(REVISION);
  });

  test('that served before come back at once; what they replace has not failed', () => {
    const previous = { stable: aStable({ headRevision: PINNED }), retiredAtMs: START_MS };
    const plan = pinned(aServingLedger({ previous }));
    expect(plan.ledger).toMatchObject({
      ...{ stage: 'Serving', candidate: null, previous: null, failed: [] },
      stable: { headRevision: PINNED },
    });
    expect(plan.policy).toMatchObject({ exitsEnabled: true, stable: { headRevision: PINNED } });
    expect(reasonsOf(plan)).toContain('RolloutPromoted');
  });

  test('that served too long ago, or lost their certificate, take the way of a candidate', () => {
    const old = {
      stable: aStable({ headRevision: PINNED }),
      retiredAtMs: START_MS - 31 * 86_400_000,
    };
    const voided = { stable: aVoidedStable({ headRevision: PINNED }), retiredAtMs: START_MS };
    for (const previous of [old, voided]) {
      expect(pinned(aServingLedger({ previous })).ledger.stage).toBe('Staging');
    }
  });

  test.each([
    ['are not there or not for this backbone', null, {}, aServingLedger()],
    ['have no bundle', PINNED, { revisions: BOTH }, aServingLedger()],
    [
      'failed',
      PINNED,
      {},
      aServingLedger({
        failed: [{ headRevision: PINNED, reason: 'RolloutAborted', atMs: START_MS }],
      }),
    ],
    ['are not wanted', PINNED, { settings: aService({ exitMode: 'Disabled' }) }, aLedger()],
  ] as const)('that %s change nothing about what serves', (_, headRevision, fields, before) => {
    const { ledger } = pinned(before, headRevision, fields);
    expect(ledger.candidate).toBeNull();
    expect(ledger.stable?.headRevision).toBe(before.stable?.headRevision);
  });
});

describe('a certified candidate', () => {
  const certified = (): Ledger =>
    aServingLedger({
      stage: 'Shadowing',
      candidate: aRampingCandidate({ ramp: null }),
      stable: aStable(),
    });

  test('that is only recommended ramps when it is pinned', () => {
    const only = aService({ rollsOut: false, trainingMode: 'Off' });
    expect(step(certified(), { settings: only }).ledger.stage).toBe('Shadowing');
    const accepted = pinned(certified(), OTHER_REVISION, { settings: only });
    expect(accepted.ledger.stage).toBe('Ramping');
  });

  test('is compared with stable unless a person chose it', () => {
    expect(step(certified(), {}).ledger.stage).toBe('Shadowing');
    expect(pinned(certified(), OTHER_REVISION).ledger.stage).toBe('Ramping');
  });
});
