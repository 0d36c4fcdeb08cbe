import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecycleInput, LifecyclePlan } from '../../../../operator/lifecycle/types.ts';
import { aPod, aService, REVISION, START_MS } from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aRampingCandidate,
  aServingLedger,
  aStable,
  aVoidedStable,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';

type Verb = NonNullable<LifecycleInput['request']>['verb'];

const DAY_MS = 86_400_000;
const PREVIOUS = { stable: aStable({ headRevision: OTHER_REVISION }), retiredAtMs: START_MS };

function asked(
  ledger: Ledger,
  verb: Verb,
  headRevision: string | null = OTHER_REVISION,
  fields: Partial<LifecycleInput> = {},
): LifecyclePlan {
  return step(ledger, { request: { value: `${verb}:it`, verb, headRevision }, ...fields });
}

const shadowing = (): Ledger => aLedger({ stage: 'Shadowing', candidate: aCandidate() });
const ramping = (): Ledger =>
  aServingLedger({ stage: 'Ramping', candidate: aRampingCandidate(), exitsEnabled: true });

test('an answer stands in the ledger, and an equal request is not heard twice', () => {
  const first = asked(shadowing(), 'abort');
  expect(first.ledger.request).toEqual({
    ...{ value: 'abort:it', result: 'Done', atMs: START_MS },
    message: 'The candidate was aborted by request.',
  });
  expect(reasonsOf(first)).toContain('RequestHandled');
  const again = asked({ ...first.ledger, candidate: aCandidate(), stage: 'Shadowing' }, 'abort');
  expect(again.ledger.candidate).not.toBeNull();
  expect(reasonsOf(again)).not.toContain('RequestHandled');
});

describe('abort', () => {
  test('takes the candidate back and remembers it', () => {
    const { ledger } = asked(ramping(), 'abort');
    expect(ledger).toMatchObject({ stage: 'Serving', candidate: null });
    expect(ledger.failed).toMatchObject([
      { headRevision: OTHER_REVISION, reason: 'AbortedByUser' },
    ]);
  });

  test.each([
    ['another revision', ramping(), REVISION],
    ['no candidate', aServingLedger(), OTHER_REVISION],
    ['a revision that does not exist', ramping(), null],
  ])('of %s does nothing', (_, before, headRevision) => {
    const { ledger } = asked(before, 'abort', headRevision);
    expect(ledger.request?.result).toBe('NoOp');
    expect(ledger.candidate?.headRevision).toBe(before.candidate?.headRevision);
  });
});

describe('promote', () => {
  test('skips steps; what served before can come back', () => {
    const { ledger, policy } = asked(ramping(), 'promote');
    expect(ledger).toMatchObject({
      stage: 'Serving',
      candidate: null,
      stable: { headRevision: OTHER_REVISION },
      previous: { stable: { headRevision: REVISION }, retiredAtMs: START_MS },
    });
    expect(policy?.stable?.headRevision).toBe(OTHER_REVISION);
  });

  test('of the same heads at another lambda replaces nothing', () => {
    const raise = aRampingCandidate({ kind: 'Raise', headRevision: REVISION, evidence: null });
    const before = aServingLedger({ stage: 'Ramping', candidate: raise, previous: PREVIOUS });
    expect(asked(before, 'promote', REVISION).ledger.previous).toEqual(PREVIOUS);
  });

  test.each([
    ['without a certificate', shadowing(), {}, /no certificate/],
    ['while a pod lacks it', ramping(), { pods: [aPod()] }, /Only 0 of 1/],
    ['while its bundle is gone', ramping(), { revisions: [] }, /Only 0 of 1/],
    ['without a ready pod', ramping(), { pods: [] }, /Only 0 of 0/],
  ])('is refused %s', (_, before, fields, message) => {
    const { ledger } = asked(before, 'promote', OTHER_REVISION, fields);
    expect(ledger.request).toMatchObject({ result: 'Refused' });
    expect(ledger.request?.message).toMatch(message);
  });

  test('of another revision does nothing', () => {
    expect(asked(ramping(), 'promote', REVISION).ledger.request?.result).toBe('NoOp');
  });
});

describe('rollback', () => {
  test('brings the heads before back at once, with their certificate; the replaced ones are remembered', () => {
    const { ledger, policy } = asked(aServingLedger({ previous: PREVIOUS }), 'rollback');
    expect(ledger).toMatchObject({
      stage: 'Serving',
      stable: { headRevision: OTHER_REVISION },
      previous: null,
      failed: [{ headRevision: REVISION, reason: 'AbortedByUser' }],
    });
    expect(policy).toMatchObject({ exitsEnabled: true, stable: { headRevision: OTHER_REVISION } });
  });

  test('drops a candidate, and works without anything in force', () => {
    const raise = aRampingCandidate({ kind: 'Raise', headRevision: REVISION, evidence: null });
    const both = aServingLedger({ stage: 'Ramping', candidate: raise, previous: PREVIOUS });
    const dropped = asked(both, 'rollback');
    expect(dropped.ledger.candidate).toBeNull();
    expect(reasonsOf(dropped)).toContain('Superseded');
    const alone = asked(aLedger({ previous: PREVIOUS }), 'rollback');
    expect(alone.ledger).toMatchObject({ stage: 'Serving', failed: [] });
  });

  test('ends a training that runs: nobody would take its heads over, and no other could begin', () => {
    const request = { attempt: 1, trigger: 'SavingLoss', part: 'long', after: [] } as const;
    const training = { request, waiting: null, count: 1, endedAtMs: null };
    const before = aServingLedger({ stage: 'Training', training, previous: PREVIOUS });
    const plan = asked(before, 'rollback');
    expect(plan.training).toBeNull();
    expect(asked({ ...plan.ledger, request: null }, 'retrain', null).training?.attempt).toBe(2);
  });

  test.each([
    ['never served', aServingLedger(), {}],
    [
      'served too long ago',
      aServingLedger({ previous: PREVIOUS }),
      { nowMs: START_MS + 30 * DAY_MS },
    ],
    [
      'lost its certificate',
      aServingLedger({
        previous: { ...PREVIOUS, stable: aVoidedStable({ headRevision: OTHER_REVISION }) },
      }),
      {},
    ],
    ['is not in the store', aServingLedger({ previous: PREVIOUS }), { revisions: [] }],
  ])('is refused to heads that %s', (_, before, fields) => {
    const { ledger } = asked(before, 'rollback', OTHER_REVISION, fields);
    expect(ledger.request?.result).toBe('Refused');
    expect(ledger.stable?.headRevision).toBe(REVISION);
  });

  test('to what serves already does nothing', () => {
    expect(asked(aServingLedger(), 'rollback', REVISION).ledger.request?.result).toBe('NoOp');
  });
});

describe('retry', () => {
  const failed = [{ headRevision: OTHER_REVISION, reason: 'RolloutAborted', atMs: 0 } as const];

  test('stages failed heads again', () => {
    const { ledger } = asked(aServingLedger({ failed }), 'retry');
    expect(ledger).toMatchObject({
      // Every pod holds them still, so the same tick goes on.
      stage: 'Shadowing',
      failed: [],
      candidate: { headRevision: OTHER_REVISION },
    });
  });

  test.each([
    [
      'beside a candidate',
      { ...ramping(), candidate: aRampingCandidate({ headRevision: REVISION }), failed },
      {},
    ],
    ['whose bundle is gone', aServingLedger({ failed }), { revisions: [] }],
  ])('only clears the word on heads %s', (_, before, fields) => {
    const { ledger } = asked(before, 'retry', OTHER_REVISION, fields);
    expect(ledger.failed).toEqual([]);
    expect(ledger.request?.message).toBe('It counts as never tried.');
  });

  test.each([OTHER_REVISION, null])('of what has not failed does nothing', (headRevision) => {
    expect(asked(aServingLedger(), 'retry', headRevision).ledger.request?.result).toBe('NoOp');
  });
});

describe('retrain', () => {
  test('skips the cooldown', () => {
    const training = { request: null, waiting: null, count: 3, endedAtMs: START_MS };
    const plan = asked(aServingLedger({ training }), 'retrain', null);
    expect(plan.training).toMatchObject({ attempt: 4, trigger: 'NewData' });
    expect(plan.ledger.stage).toBe('Training');
  });

  test('takes the cause that waits', () => {
    const waiting = { trigger: 'Alarm', part: 'recent', after: [] } as const;
    const training = { request: null, waiting, count: 0, endedAtMs: null };
    expect(asked(aLedger({ training }), 'retrain', null).training?.trigger).toBe('Alarm');
  });

  test('beside a training or a rollout does nothing', () => {
    expect(asked(ramping(), 'retrain', null).ledger.request?.result).toBe('NoOp');
    const request = { attempt: 1, trigger: 'Missing', part: 'long', after: [] } as const;
    const training = { request, waiting: null, count: 1, endedAtMs: null };
    const running = aLedger({ stage: 'Training', training });
    expect(asked(running, 'retrain', null).ledger.request?.result).toBe('NoOp');
  });

  test('is refused while training is off, or exits are not wanted', () => {
    const off = { settings: aService({ trainingMode: 'Off' }) };
    expect(asked(aServingLedger(), 'retrain', null, off).ledger.request?.result).toBe('Refused');
    const unwanted = { settings: aService({ exitMode: 'Disabled' }) };
    expect(asked(aServingLedger(), 'retrain', null, unwanted).ledger.request?.result).toBe(
      'Refused',
    );
  });
});

test('ready pods that said nothing yet keep a candidate from being loaded everywhere', () => {
  const before = aLedger({ stage: 'Staging', candidate: aCandidate() });
  expect(step(before, { silentPods: 1 }).ledger.stage).toBe('Staging');
  expect(step(before).ledger.stage).toBe('Shadowing');
});

test('without exits the audit rate is the base, whatever the traffic', () => {
  const asleep = aLedger({ stage: 'Idle', traffic: { rowsPerSecond: 1, auditRate: 1 } });
  const { policy } = step(asleep, { settings: aService({ exitMode: 'Disabled' }) });
  expect(policy?.auditRate).toBe(0.02);
});
