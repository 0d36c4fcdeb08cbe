import { describe, expect, test } from 'vitest';
import { noticeHint, updateHint } from '../../../../operator/lifecycle/drift-hint.ts';
import { emptyLedger, type StableRecord } from '../../../../operator/lifecycle/ledger.ts';
import type { Tick } from '../../../../operator/lifecycle/tick.ts';
import {
  aBackbone,
  anEvidenceWindow,
  anInput,
  servedRows,
  START_MS,
  type WindowFields,
} from '../../../support/builders.ts';
import {
  aServingLedger,
  aStable,
  aLoadedPod,
  anAttempt,
  LAMBDA,
  step,
} from '../../../support/ledger-builders.ts';

const QUIET = { strikes: 0, untilMs: 0 };

/** Stable's window in which so many of 1,000 rows left early; 600 did when it was certified. */
function tickWith(left: number, fields: WindowFields = {}): Tick {
  const served = servedRows(2, 0, { rows: [left, 0, 1_000 - left] });
  const window = anEvidenceWindow({ exitsEnabled: true, lambdaIndex: LAMBDA, served, ...fields });
  return {
    input: anInput(),
    nowMs: START_MS,
    backbone: aBackbone(),
    windows: [window],
    missing: [],
  };
}

describe('the hit-rate hint', () => {
  test('fires after two ticks in a row whose exit share is off by more than a quarter', () => {
    const once = updateHint(QUIET, aStable(), tickWith(440));
    expect(once).toEqual({ strikes: 1, untilMs: 0 });
    expect(updateHint(once, aStable(), tickWith(440))).toEqual({
      strikes: 2,
      untilMs: START_MS + 600_000,
    });
    expect(updateHint(once, aStable(), tickWith(460))).toEqual(QUIET);
    expect(updateHint(QUIET, aStable(), tickWith(760))).toMatchObject({ strikes: 1 });
  });

  test('needs five standard errors', () => {
    const few = tickWith(0, { served: servedRows(2, 0, { rows: [4, 0, 6] }) });
    expect(updateHint(QUIET, aStable(), few)).toEqual(QUIET);
  });

  test.each<[string, WindowFields]>([
    ['of a candidate', { track: 'candidate' }],
    ['of other heads', { headRevision: null }],
    ['with exits off', { exitsEnabled: false }],
    ['at another lambda', { lambdaIndex: 10 }],
    ['of a server that cut an exit itself', { switchedOff: ['late'] }],
  ])('ignores windows %s', (_what, fields) => {
    const before = { strikes: 1, untilMs: 0 };
    expect(updateHint(before, aStable(), tickWith(0, fields))).toEqual(before);
  });

  test.each<[string, Partial<StableRecord>, WindowFields]>([
    ['a look', { evidence: anAttempt() }, {}],
    ['a lambda', { lambdaIndex: null }, { lambdaIndex: null }],
  ])('says nothing without %s to compare with', (_what, fields, window) => {
    expect(updateHint(QUIET, aStable(fields), tickWith(0, window))).toEqual(QUIET);
  });

  test('is said when it fires and not again while it lasts', () => {
    const said = (strikes: number, untilMs: number): string[] => {
      const ledger = aServingLedger({ hint: { strikes, untilMs } });
      const pods = [aLoadedPod({ windows: [...tickWith(0).windows] })];
      return step(ledger, { pods }).decisions.map(({ reason }) => reason);
    };
    expect(said(1, 0)).toEqual(['DriftHint']);
    expect(said(0, 0)).toEqual([]);
    expect(said(2, START_MS + 600_000)).toEqual([]);
  });

  test('of a server holds for 10 minutes, is said with what changed, and repeated adds nothing', () => {
    const window = { driftHints: ['class_mix', 'teacher_confidence'] } as const;
    const first = updateHint(QUIET, aStable(), tickWith(600, window));
    expect(first).toEqual({ strikes: 0, untilMs: START_MS + 600_000 });
    const later = { ...tickWith(600, window), nowMs: START_MS + 10_000 };
    expect(updateHint(first, aStable(), later)).toEqual(first);
    const over = { ...tickWith(600, window), nowMs: START_MS + 600_000 };
    expect(updateHint(first, aStable(), over).untilMs).toBe(START_MS + 1_200_000);
    const pods = [aLoadedPod({ windows: [...tickWith(600, window).windows] })];
    const plan = step(aServingLedger({ hint: QUIET }), { pods });
    expect(plan.decisions.map(({ reason, message }) => `${reason} ${message}`)).toEqual([
      'DriftHint Servers see their own traffic changed since the heads came into force (which classes come, how sure the backbone is): more rows are audited for 10 minutes, nothing else changes.',
    ]);
    expect(plan.policy).toMatchObject({ auditRate: 0.1, exitsEnabled: true });
    expect(plan.policy?.stable).toMatchObject({ lambdaIndex: LAMBDA });
  });

  test('is forgotten with the heads it was about', () => {
    const draft = {
      ledger: { ...emptyLedger(), hint: { strikes: 2, untilMs: Infinity } },
      decisions: [],
    };
    expect(noticeHint(draft, emptyLedger(), tickWith(0))).toBe(draft);
  });

  test('raises audits, and changes neither lambda nor exits', () => {
    const ledger = aServingLedger({ hint: { strikes: 1, untilMs: 0 } });
    const pods = [aLoadedPod({ windows: [...tickWith(0).windows] })];
    const plan = step(ledger, { pods });
    expect(plan.policy).toMatchObject({
      auditRate: 0.1,
      exitsEnabled: true,
      stable: { lambdaIndex: LAMBDA },
    });
  });
});
