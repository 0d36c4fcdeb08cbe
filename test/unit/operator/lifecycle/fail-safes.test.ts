import { describe, expect, test } from 'vitest';
import type { EvidenceWindow } from '../../../../crds/wire/evidence.ts';
import { emptyLedger, NO_LOST, type Ledger } from '../../../../operator/lifecycle/ledger.ts';
import { areExitsEnabled } from '../../../../operator/lifecycle/policy-content.ts';
import { readTick } from '../../../../operator/lifecycle/tick.ts';
import type { LifecycleInput, LifecyclePlan } from '../../../../operator/lifecycle/types.ts';
import {
  aBackbone,
  anEvidenceWindow,
  aService,
  servedRows,
  START_MS,
  type WindowFields,
} from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aLoadedInput,
  aLoadedPod,
  anAttempt,
  aServingLedger,
  aStable,
  blocksOf,
  LAMBDA,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';

let seq = 0;
const windowOf = (fields: WindowFields = {}): EvidenceWindow =>
  anEvidenceWindow({
    exitsEnabled: true,
    lambdaIndex: LAMBDA,
    policyRevision: 2,
    auditRate: 0.02,
    ...fields,
    seq: ++seq,
  });

/** One tick per window, in which nothing else happens. */
function run(ledger: Ledger, list: readonly EvidenceWindow[]): LifecyclePlan {
  return list.reduce<LifecyclePlan>(
    (plan, window) =>
      step(plan.ledger, { pods: [aLoadedPod({ windows: [window], oldestSeq: window.seq })] }),
    { ledger, policy: null, training: null, decisions: [], nextDelayMs: 0 },
  );
}

const tenOf = (fields: WindowFields): EvidenceWindow[] =>
  Array.from({ length: 10 }, () => windowOf(fields));

describe('an alarm', () => {
  const alarming = (): EvidenceWindow => windowOf({ audits: 100, disagreements: 20 });
  const { headRevision } = aStable();
  const earlier = { headRevision, atMs: START_MS - 1_000 };

  test('says the budget, the lambda, and how sure it is', () => {
    const { decisions } = run(aServingLedger(), [alarming()]);
    expect(decisions[0]).toMatchObject({
      reason: 'Alarm',
      headRevision,
      message:
        'Audited disagreement is above the budget of 1% at lambda 0.0073287: exits are off, and the same heads are tested again on rows from now on.',
      details: { lambdaIndex: LAMBDA, audits: 1_100 },
    });
    expect(decisions[0]?.details.suspicion).toBeGreaterThan(20_000);
  });

  test('is remembered with its heads and its time, the last ten of them', () => {
    const now = { headRevision, atMs: START_MS };
    expect(run(aServingLedger(), [alarming()]).ledger.alarms).toEqual([now]);
    const old = Array.from({ length: 10 }, (_, day) => ({
      headRevision,
      atMs: START_MS - (20 - day) * 86_400_000,
    }));
    const { alarms } = run(aServingLedger({ alarms: old }), [alarming()]).ledger;
    expect(alarms).toEqual([...old.slice(1), now]);
  });

  test('of other heads within 24 h does not fail these', () => {
    const alarms = [{ ...earlier, headRevision: OTHER_REVISION }];
    const plan = run(aServingLedger({ alarms }), [alarming()]);
    expect([plan.ledger.stage, plan.ledger.failed]).toEqual(['Recertifying', []]);
  });

  test('for the second time says that the heads are given up', () => {
    const { decisions } = run(aServingLedger({ alarms: [earlier] }), [alarming()]);
    expect(decisions.find(({ reason }) => reason === 'BudgetExceeded')).toMatchObject({
      message: 'A second alarm within 24 h: these heads are not used again.',
      headRevision,
    });
  });

  test('says why it drops a candidate', () => {
    const shadow = aServingLedger({ stage: 'Shadowing', candidate: aCandidate() });
    const { decisions } = run(shadow, [alarming()]);
    expect(decisions.find(({ reason }) => reason === 'Superseded')).toMatchObject({
      message: 'The candidate is dropped: its evidence is older than the switch-off.',
      headRevision: OTHER_REVISION,
    });
  });
});

describe('lost audits', () => {
  const lossy = { audits: 100, auditsLost: 2, auditsChosen: 102 };
  const entries = Array.from({ length: 10 }, () => ({
    windows: 1,
    chosen: 100,
    lost: 9,
    expected: 0,
    received: 0,
  }));

  test('void a certificate with the figures that did', () => {
    const { decisions } = run(aServingLedger(), tenOf({ ...lossy, served: servedRows(2, 500) }));
    expect(decisions[0]?.message).toBe(
      'Exits are off, the evidence is void: 20 of 1,020 chosen audits were lost, 0 of 100 expected ones came. The same heads are tested again.',
    );
  });

  test('of other heads count for nothing', () => {
    const other = tenOf({
      ...lossy,
      headRevision: OTHER_REVISION,
      served: servedRows(2, 5_000),
    });
    const { ledger } = run(aServingLedger(), other);
    expect(ledger.stable?.off).toBeNull();
    expect(ledger.lost).toEqual(NO_LOST);
    const both = step(aServingLedger({ lost: { entries: entries.slice(1), open: NO_LOST.open } }), {
      pods: [
        aLoadedPod({
          windows: [
            windowOf({ audits: 100 }),
            windowOf({ ...lossy, headRevision: OTHER_REVISION }),
          ],
          oldestSeq: seq - 1,
        }),
      ],
    });
    expect(both.ledger.stable?.off).toBe('EvidenceVoid');
    expect(both.decisions[0]?.message).toContain('81 of 1,000 chosen audits were lost');
  });

  test('that never came need 100 expected ones, and fewer than half', () => {
    const quiet = (rows: number, audits: number): string | null | undefined =>
      run(aServingLedger(), tenOf({ audits, auditsChosen: 10, served: servedRows(2, rows) })).ledger
        .stable?.off;
    expect(quiet(500, 4)).toBe('EvidenceVoid');
    expect(quiet(490, 4)).toBeNull();
    expect(quiet(500, 5)).toBeNull();
  });

  test('of windows that are gone are as many as windows held', () => {
    const { ledger } = run(aServingLedger(), tenOf({ audits: 100 }));
    seq += 8;
    const plan = run(ledger, [windowOf({ audits: 100 })]);
    expect(plan.decisions[0]?.message).toContain('800 of 1,800 chosen audits were lost');
  });

  test('start the evidence of a shadow anew, once, and say so', () => {
    const evidence = anAttempt({ blocks: blocksOf(500, 10) });
    const lost = { entries, open: NO_LOST.open };
    const plan = step(aLedger({ stage: 'Shadowing', candidate: aCandidate({ evidence }), lost }));
    expect(plan.decisions[0]).toMatchObject({
      headRevision: OTHER_REVISION,
      message:
        'The evidence starts anew: 90 of 1,000 chosen audits were lost, 0 of 0 expected ones came.',
      details: { lost: 90, chosen: 1_000, expected: 0, received: 0 },
    });
    expect(plan.ledger.lost).toEqual(NO_LOST);
    expect(step(plan.ledger).decisions).toEqual([]);
  });

  test('without heads that they could be of mean nothing', () => {
    const plan = step(aLedger({ lost: { entries, open: NO_LOST.open } }));
    expect([plan.ledger.stage, plan.decisions]).toEqual(['Collecting', []]);
  });
});

describe('a day with too few audits', () => {
  const late = { nowMs: START_MS + 86_400_000 };

  test('says how many came and how many it takes, once', () => {
    const starved = step(aServingLedger(), late);
    expect(starved.decisions[0]).toMatchObject({
      reason: 'InsufficientSamples',
      message:
        'Exits are off: 0 audited rows in 24 h, at least 299 are needed to watch the budget.',
      headRevision: aStable().headRevision,
      details: { audits: 0, least: 299 },
    });
    expect(reasonsOf(step(starved.ledger, { nowMs: START_MS + 2 * 86_400_000 }))).toEqual([]);
  });

  test('or with enough of them leaves exits off that save nothing', () => {
    const ledger = aServingLedger({
      stable: aStable({ off: 'NotWorthwhile' }),
      exitsEnabled: false,
    });
    const fed = run(ledger, [windowOf({ audits: 299 })]);
    expect(fed.ledger.stable?.off).toBe('NotWorthwhile');
    expect(fed.policy?.exitsEnabled).toBe(false);
    expect(step(ledger, late).ledger.stable).toMatchObject({
      off: 'NotWorthwhile',
      day: { sinceMs: START_MS },
    });
  });
});

describe('whether anything may leave early', () => {
  const isOn = (ledger: Ledger, fields: Partial<LifecycleInput> = {}): boolean =>
    areExitsEnabled(ledger, readTick(emptyLedger(), aLoadedInput(fields), aBackbone()).tick);

  test('needs a certificate, known heads, a mode and a budget', () => {
    expect(isOn(aServingLedger())).toBe(true);
    expect(isOn(aServingLedger({ stable: aStable({ certificate: null }) }))).toBe(false);
    expect(isOn(aServingLedger({ stable: aStable({ off: 'Alarm' }) }))).toBe(false);
    expect(isOn(aServingLedger({ stable: null }))).toBe(false);
    expect(isOn(aServingLedger(), { revisions: [] })).toBe(false);
    expect(isOn(aServingLedger(), { settings: aService({ exitMode: 'Shadow' }) })).toBe(false);
    expect(isOn(aServingLedger(), { settings: aService({ budget: 0 }) })).toBe(false);
  });

  test('is for each exit as its service says, and for none where all are disabled', () => {
    const modes = (exitMode: 'Active' | 'Shadow' | 'Disabled'): string[] | undefined =>
      step(aServingLedger(), { settings: aService({ exitMode }) }).policy?.exits.map(
        ({ mode }) => mode,
      );
    expect(modes('Active')).toEqual(['Active', 'Active']);
    expect(modes('Disabled')).toEqual(['Disabled', 'Disabled']);
  });
});
