import { describe, expect, test } from 'vitest';
import type { EvidenceWindow } from '../../../../crds/wire/evidence.ts';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecyclePlan } from '../../../../operator/lifecycle/types.ts';
import { leastAuditsADay } from '../../../../operator/lifecycle/starvation.ts';
import {
  anEvidenceWindow,
  aService,
  servedRows,
  START_MS,
  type WindowFields,
} from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aLoadedPod,
  aLook,
  aLookedAttempt,
  anAttempt,
  aRampingCandidate,
  aServingLedger,
  aStable,
  aVoidedStable,
  blocksOf,
  LAMBDA,
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
function run(ledger: Ledger, list: readonly EvidenceWindow[], fields = {}): LifecyclePlan {
  const start = { ...ledger, watermarks: [] };
  return list.reduce<LifecyclePlan>(
    (plan, window) => {
      const pods = [aLoadedPod({ windows: [window], oldestSeq: window.seq })];
      return step(plan.ledger, { pods, ...fields });
    },
    { ledger: start, policy: null, training: null, decisions: [], nextDelayMs: 0 },
  );
}

describe('an alarm', () => {
  const alarming = (): EvidenceWindow => windowOf({ audits: 100, disagreements: 20 });

  test('switches exits off in the next policy and tests the same heads on rows of later policies', () => {
    const plan = run(aServingLedger(), [alarming()]);
    expect(reasonsOf(plan)).toEqual(['Alarm', 'ExitsDisabled']);
    expect(plan.policy).toMatchObject({
      exitsEnabled: false,
      stable: { lambdaIndex: null, certificate: null, activeExits: [] },
    });
    expect(plan.ledger).toMatchObject({
      stage: 'Recertifying',
      episode: { attempts: 1 },
      fence: { epoch: 1, revision: 2 },
      stable: { off: 'Alarm', evidence: { attempt: 1, looks: [], blocks: { closed: { n: 0 } } } },
      training: { waiting: { trigger: 'Alarm', part: 'recent' } },
    });
    expect(plan.ledger.stable?.savingBefore).toBeCloseTo(0.392, 3);
    const before = run(plan.ledger, [windowOf({ audits: 60, policyRevision: 2 })]);
    expect(before.ledger.stable?.evidence.blocks.closed.n).toBe(0);
    const after = run(plan.ledger, [windowOf({ audits: 60, policyRevision: 3 })]);
    expect(after.ledger.stable?.evidence.blocks.closed.n).toBe(60);
  });

  test('when exits are off already leaves the policy and needs no fence', () => {
    const ledger = aServingLedger({
      stable: aStable({ off: 'NotWorthwhile' }),
      exitsEnabled: false,
    });
    const plan = run(ledger, [alarming()]);
    expect(reasonsOf(plan)).toEqual(['Alarm']);
    expect(plan.ledger.fence).toEqual({ epoch: 0, revision: 0 });
  });

  test('drops a candidate that saw older rows and a training that reads them', () => {
    const shadow = aServingLedger({ stage: 'Shadowing', candidate: aCandidate() });
    const plan = run(shadow, [alarming()]);
    expect(reasonsOf(plan)).toEqual(['Alarm', 'Superseded', 'ExitsDisabled']);
    expect(plan.ledger.failed).toEqual([]);
    const request = { attempt: 1, trigger: 'SavingLoss', part: 'long', after: [] } as const;
    const training = { request, waiting: null, count: 1, endedAtMs: null };
    const other = run(aServingLedger({ stage: 'Training', training }), [alarming()]);
    expect([other.ledger.stage, other.training]).toEqual(['Recertifying', null]);
  });

  test('for the second time within 24 h fails the heads', () => {
    const { headRevision } = aStable();
    const earlier = (atMs: number): Ledger => aServingLedger({ alarms: [{ headRevision, atMs }] });
    const plan = run(earlier(START_MS - 86_399_999), [alarming()]);
    expect(reasonsOf(plan)).toContain('BudgetExceeded');
    expect(plan.ledger).toMatchObject({
      stage: 'Collecting',
      stable: null,
      failed: [{ headRevision }],
    });
    expect(plan.policy?.stable).toBeNull();
    const day = run(earlier(START_MS - 86_400_000), [alarming()]);
    expect(day.ledger.stage).toBe('Recertifying');
  });

  test('wishes no training where the settings do not', () => {
    const plan = run(aServingLedger(), [alarming()], { settings: aService({ triggers: [] }) });
    expect(plan.ledger.training.waiting).toBeNull();
  });
});

describe('lost audits', () => {
  const lossy = (): EvidenceWindow => windowOf({ audits: 100, auditsLost: 2, auditsChosen: 102 });
  const many = (make: () => EvidenceWindow): EvidenceWindow[] => Array.from({ length: 10 }, make);

  test('over ten ticks void the certificate, and the alarm count stays', () => {
    const plan = run(aServingLedger(), many(lossy));
    expect(reasonsOf(plan)).toEqual(['EvidenceVoid', 'ExitsDisabled']);
    expect(plan.ledger).toMatchObject({
      stage: 'Recertifying',
      alarms: [],
      stable: { off: 'EvidenceVoid' },
    });
    expect(plan.decisions[0]?.message).toContain('20 of 1,020 chosen audits were lost');
  });

  test('in fewer ticks, or up to 1 percent, void nothing', () => {
    expect(run(aServingLedger(), many(lossy).slice(1)).ledger.stage).toBe('Serving');
    const little = many(() => windowOf({ audits: 100, auditsLost: 1, auditsChosen: 100 }));
    expect(run(aServingLedger(), little).ledger.stage).toBe('Serving');
  });

  test('are those too that never came: half of what the rate demands', () => {
    const silent = (): EvidenceWindow =>
      windowOf({ audits: 10, auditsChosen: 10, served: servedRows(2, 1_100) });
    expect(run(aServingLedger(), many(silent)).ledger.stable?.off).toBe('EvidenceVoid');
    const few = (): EvidenceWindow =>
      windowOf({ audits: 10, auditsChosen: 10, served: servedRows(2, 990) });
    expect(run(aServingLedger(), many(few)).ledger.stable?.off).toBeNull();
  });

  test('are not expected of a pod without the heads, nor under its policies before them', () => {
    const without = { headRevision: null, track: null, exits: [], lambdaIndex: null } as const;
    const before = windowOf({ ...without, policyRevision: 1, served: servedRows(0, 3_000) });
    const with20 = windowOf({ audits: 20, auditsChosen: 20, served: servedRows(2, 1_000) });
    const other = windowOf({ ...without, podUid: 'pod-b', served: servedRows(0, 5_000) });
    const { ledger } = step(aServingLedger({ watermarks: [] }), {
      pods: [
        aLoadedPod({ windows: [before, with20], oldestSeq: before.seq }),
        aLoadedPod({
          ...{ podUid: 'pod-b', windows: [other], oldestSeq: other.seq },
          acknowledgement: null,
        }),
      ],
    });
    expect(ledger.lost.entries).toMatchObject([{ chosen: 20, expected: 20, received: 20 }]);
  });

  test('of windows that are gone count as many as windows hold', () => {
    const ledger = run(
      aServingLedger(),
      many(() => windowOf({ audits: 100 })),
    ).ledger;
    const next = windowOf({ audits: 100 });
    const pods = [aLoadedPod({ windows: [{ ...next, seq: seq + 9 }], oldestSeq: seq + 9 })];
    seq += 9;
    const plan = step(ledger, { pods });
    expect(plan.ledger.stable?.off).toBe('EvidenceVoid');
    const first = aLoadedPod({ droppedSeqs: [1] });
    const mark = { podUid: 'pod-a', bootId: 'boot-1', seq: 0, seenMs: START_MS };
    const unknown = step(aServingLedger({ watermarks: [mark] }), { pods: [first] });
    expect(unknown.ledger.lost.open).toMatchObject({ chosen: 1, lost: 1 });
  });

  test('while shadowing restart the rows, and the attempt when it took a look', () => {
    const voided = run(aServingLedger(), many(lossy)).ledger;
    const lost = {
      entries: Array.from({ length: 10 }, () => ({
        windows: 1,
        chosen: 100,
        lost: 9,
        expected: 0,
        received: 0,
      })),
      open: voided.lost.open,
    };
    const evidence = anAttempt({ blocks: blocksOf(500, 10) });
    const fresh = step(aLedger({ stage: 'Shadowing', candidate: aCandidate({ evidence }), lost }));
    expect(reasonsOf(fresh)).toEqual(['EvidenceVoid']);
    expect(fresh.ledger.candidate?.evidence).toMatchObject({
      attempt: 1,
      blocks: { closed: { n: 0 } },
    });

    const episode = { attempts: 1, lookScale: 1 };
    const ramping = aLedger({
      stage: 'Ramping',
      candidate: aRampingCandidate(),
      lost,
      episode,
      exitsEnabled: true,
    });
    const back = step(ramping);
    expect(back.ledger).toMatchObject({ stage: 'Shadowing', episode: { attempts: 2 } });
    expect(back.ledger.candidate).toMatchObject({
      lambdaIndex: null,
      ramp: null,
      evidence: { attempt: 2, looks: [] },
    });
    expect(back.policy).toMatchObject({ exitsEnabled: false, candidate: { share: 0 } });

    const again = aLedger({
      stage: 'Recertifying',
      stable: aVoidedStable({ evidence: aLookedAttempt(1, null) }),
      lost,
      episode,
    });
    const stable = step(again).ledger.stable;
    expect(stable?.evidence).toMatchObject({ attempt: 2, looks: [] });

    const same = aRampingCandidate({
      kind: 'Recertified',
      headRevision: aStable().headRevision,
      evidence: null,
    });
    const both = step({ ...again, stage: 'Ramping', candidate: same, exitsEnabled: true });
    expect(both.ledger).toMatchObject({
      stage: 'Recertifying',
      candidate: null,
      exitsEnabled: false,
    });
  });
});

describe('the rate of rows', () => {
  /** What is left of the past after a window of ten seconds. */
  const LEFT = Math.exp(-10 / 60);

  test('follows the pods, and a window without duration says nothing', () => {
    const first = run(aServingLedger({ traffic: { rowsPerSecond: null, auditRate: 0.02 } }), [
      windowOf({ served: servedRows(2, 500), audits: 10 }),
    ]);
    expect(first.ledger.traffic.rowsPerSecond).toBe(50);
    const next = run(first.ledger, [windowOf({ served: servedRows(2, 1_000), audits: 20 })]);
    expect(next.ledger.traffic.rowsPerSecond).toBeCloseTo(100 - 50 * LEFT, 10);
    const blank = run(next.ledger, [windowOf({ durationSeconds: 0, served: servedRows(2, 9) })]);
    expect(blank.ledger.traffic.rowsPerSecond).toBe(next.ledger.traffic.rowsPerSecond);
  });

  test('fades with the time that windows cover, not with the number of looks', () => {
    const ledger = aServingLedger({ traffic: { rowsPerSecond: 50, auditRate: 0.02 } });
    const two = run(run(ledger, [windowOf()]).ledger, [windowOf()]);
    const one = run(ledger, [windowOf(), windowOf({ seq: 2 })]);
    expect(one.ledger.traffic.rowsPerSecond).toBeCloseTo(50 * LEFT ** 2, 10);
    expect(two.ledger.traffic.rowsPerSecond).toBeCloseTo(50 * LEFT ** 2, 10);
  });

  test('is inferred from the audits where only a shadow reports', () => {
    const plan = run(aServingLedger({ traffic: { rowsPerSecond: null, auditRate: 0.5 } }), [
      windowOf({ audits: 100, auditRate: 0.5 }),
    ]);
    expect(plan.ledger.traffic.rowsPerSecond).toBe(20);
    const silent = run(plan.ledger, [windowOf({ auditRate: 0 })]);
    expect(silent.ledger.traffic.rowsPerSecond).toBeCloseTo(20 * LEFT, 10);
  });
});

describe('later looks', () => {
  const withLook = (look: number, lambdaIndex: number | null) =>
    aStable({
      evidence: anAttempt({
        blocks: blocksOf(3_000),
        looks: [aLook(1, LAMBDA), aLook(look, lambdaIndex, 3_000)],
        answeredRows: 30_000,
      }),
    });

  test('with a smaller lambda tighten at once, with their own certificate', () => {
    const plan = step(aServingLedger({ stable: withLook(2, 40) }));
    expect(reasonsOf(plan)).toEqual(['LambdaTightened']);
    expect(plan.policy?.stable).toMatchObject({
      lambdaIndex: 40,
      certificate: { look: 2, audits: 3_000 },
    });
    expect(plan.ledger.stable?.detector?.s.every((s) => s === 0)).toBe(true);
  });

  test('with the same lambda change nothing', () => {
    expect(step(aServingLedger({ stable: withLook(2, LAMBDA) })).decisions).toEqual([]);
  });

  test('with none switch off until another look passes', () => {
    const plan = step(aServingLedger({ stable: withLook(2, null) }));
    expect(reasonsOf(plan)).toEqual(['NotCertified', 'ExitsDisabled']);
    expect(plan.ledger).toMatchObject({ stage: 'Recertifying', stable: { off: 'NotCertified' } });
    expect(plan.ledger.stable?.evidence.looks).toHaveLength(2);
  });

  test('with none leave a candidate in its ramp where it is', () => {
    const ledger = aServingLedger({
      stable: withLook(2, null),
      stage: 'Ramping',
      candidate: aRampingCandidate(),
    });
    const plan = step(ledger);
    expect(plan.ledger.stage).toBe('Ramping');
    expect(plan.policy).toMatchObject({
      stable: null,
      exitsEnabled: true,
      candidate: { share: 0.25 },
    });
  });

  test('say whose they are, since those of a candidate are told too', () => {
    const evidence = anAttempt({
      ...{ blocks: blocksOf(3_000), answeredRows: 3_000 },
      looks: [aLook(1, LAMBDA, 1_000)],
    });
    const [told] = step(aServingLedger({ stable: aStable({ evidence }) })).decisions;
    expect(told?.message).toMatch(/^Look 2 of stable's attempt 1 on 3,000 audited rows: lambda /);
  });

  test('with a larger lambda ramp the same heads, without a new shadow', () => {
    const plan = step(aServingLedger({ stable: withLook(2, 70) }));
    expect(reasonsOf(plan)).toEqual(['Certified', 'RolloutStarted']);
    expect(plan.policy).toMatchObject({
      stable: { lambdaIndex: LAMBDA },
      candidate: { lambdaIndex: 70, share: 0.25, stage: 'Ramping', certificate: { look: 2 } },
    });
  });

  test('with a larger lambda wait while exits shadow, or after the ramp failed', () => {
    const shadow = { settings: aService({ exitMode: 'Shadow' }) };
    expect(step(aServingLedger({ stable: withLook(2, 70) }), shadow).ledger.candidate).toBeNull();
    const blocked = { ...withLook(2, 70), raiseBlocked: true };
    expect(step(aServingLedger({ stable: blocked })).ledger.candidate).toBeNull();
  });

  test('hold a candidate in its ramp too: smaller tightens, larger waits, none takes it back', () => {
    const ramping = (lambdaIndex: number | null): LifecyclePlan => {
      const evidence = anAttempt({
        blocks: blocksOf(3_000),
        looks: [aLook(2, lambdaIndex, 3_000)],
      });
      return step(
        aLedger({
          stage: 'Ramping',
          exitsEnabled: true,
          candidate: aRampingCandidate({ evidence }),
        }),
      );
    };
    expect(ramping(40).policy?.candidate).toMatchObject({ lambdaIndex: 40, share: 0.25 });
    expect(ramping(70).policy?.candidate).toMatchObject({ lambdaIndex: LAMBDA, share: 0.25 });
    const back = ramping(null);
    expect(back.ledger).toMatchObject({
      stage: 'Shadowing',
      candidate: { lambdaIndex: null, ramp: null },
    });
    expect(reasonsOf(back)).toEqual(['NotCertified', 'ExitsDisabled']);
  });

  test('that take a raise back leave stable serving', () => {
    const raise = aRampingCandidate({
      kind: 'Raise',
      headRevision: aStable().headRevision,
      evidence: null,
      lambdaIndex: 70,
    });
    const stable = { ...withLook(2, null), lambdaIndex: LAMBDA };
    const plan = step(aServingLedger({ stage: 'Ramping', stable, candidate: raise }));
    expect(plan.ledger).toMatchObject({
      stage: 'Recertifying',
      candidate: null,
      exitsEnabled: false,
    });
  });

  test('under a tighter budget are assessed again: a smaller lambda, or off', () => {
    const dis = aLook(1, LAMBDA).grid.dis.map((_, j) => (j < 30 ? 0 : 3));
    const look = { ...aLook(1, LAMBDA), grid: { ...aLook(1, LAMBDA).grid, dis } };
    const stable = aStable({ evidence: anAttempt({ blocks: blocksOf(1_000), looks: [look] }) });
    const tight = step(aServingLedger({ stable }), { settings: aService({ budget: 0.006 }) });
    expect(tight.policy?.stable).toMatchObject({ lambdaIndex: 29 });
    expect(tight.ledger.stable?.detector?.budget).toBe(0.006);
    const off = step(aServingLedger({ stable }), { settings: aService({ budget: 0.001 }) });
    expect(off.policy?.exitsEnabled).toBe(false);
    const surer = step(aServingLedger({ stable }), { settings: aService({ confidence: 0.999 }) });
    expect(surer.policy?.stable).toMatchObject({ lambdaIndex: 29 });
    const shadow = aCandidate({ evidence: stable.evidence });
    const candidate = step(aLedger({ stage: 'Shadowing', candidate: shadow }), {
      settings: aService({ budget: 0.006, minSaving: 0.9 }),
    });
    expect(candidate.ledger.candidate).toMatchObject({ lambdaIndex: 29 });
  });

  test('under a looser budget stay as they are', () => {
    const plan = step(aServingLedger(), { settings: aService({ budget: 0.05 }) });
    expect(plan.ledger.stable?.evidence.budget).toBe(0.01);
    expect(plan.policy).toMatchObject({ budget: 0.05, stable: { lambdaIndex: LAMBDA } });
  });
});

describe('net saving', () => {
  const span = (busy: number): EvidenceWindow =>
    windowOf({
      served: servedRows(2, 1_000),
      audits: 20,
      compute: { segment: busy, head: 0, companion: 0, compact: 0, audit: 0, plain: 10 },
    });
  const spans = (count: number, busy: number): EvidenceWindow[] =>
    Array.from({ length: count }, () => span(busy));

  test('below the least saving less 2 points over 20 spans switches off, and other heads are trained on rows after it', () => {
    const early = run(aServingLedger(), spans(19, 10));
    expect(early.ledger.stable?.off).toBeNull();
    const plan = run(aServingLedger(), spans(20, 10));
    expect(reasonsOf(plan)).toEqual(['NotWorthwhile', 'ExitsDisabled']);
    expect(plan.policy).toMatchObject({ exitsEnabled: false, stable: { lambdaIndex: null } });
    expect(plan.ledger.stable?.certificate).not.toBeNull();
    const after = (rows: number, isForgotten = true) => {
      const samples = { long: rows, recent: rows, seen: rows };
      const pods = [aLoadedPod({ samples, exitsEnabled: !isForgotten })];
      return step(plan.ledger, { pods, nowMs: START_MS + 900_000 }).training;
    };
    expect([after(10_000, false), after(1_999)]).toEqual([null, null]);
    expect(after(2_000)).toMatchObject({ trigger: 'SavingLoss', part: 'long' });
  });

  test('just above stays on', () => {
    expect(run(aServingLedger(), spans(20, 9.89)).ledger.stable?.off).toBeNull();
  });

  test('below 80 % of what it was, in two spans of 5,000 rows, asks for other heads', () => {
    const loss = [...spans(5, 5), ...spans(10, 7)];
    expect(run(aServingLedger(), loss.slice(0, 14)).training).toBeNull();
    expect(run(aServingLedger(), loss).training).toMatchObject({
      trigger: 'SavingLoss',
      part: 'long',
    });
    const mended = [...spans(5, 5), ...spans(5, 7), ...spans(5, 5), ...spans(5, 7)];
    expect(run(aServingLedger(), mended).training).toBeNull();
    expect(
      run(aServingLedger(), loss, { settings: aService({ triggers: [] }) }).training,
    ).toBeNull();
  });

  test('without measured seconds says nothing', () => {
    const blind = Array.from({ length: 20 }, () =>
      windowOf({ served: servedRows(2, 1_000), audits: 20 }),
    );
    expect(run(aServingLedger(), blind).ledger).toMatchObject({
      stable: { off: null },
      saving: { reference: null },
    });
  });
});

describe('a day with too few audits', () => {
  const late = { nowMs: START_MS + 86_400_000 };

  test('is one below ln(delta) / ln(1 - budget): 299 at 1 % and 95 %', () => {
    expect(leastAuditsADay(0.01, 0.95)).toBe(299);
  });

  test('switches off, and the first day with enough switches on again', () => {
    const starved = step(aServingLedger(), late);
    expect(reasonsOf(starved)).toEqual(['InsufficientSamples', 'ExitsDisabled']);
    expect(starved.ledger.stable?.certificate).not.toBeNull();
    const still = run(starved.ledger, [windowOf({ audits: 298 })], late);
    expect(still.policy?.exitsEnabled).toBe(false);
    const fed = run(starved.ledger, [windowOf({ audits: 299 })], late);
    expect(reasonsOf(fed)).toEqual(['ExitsEnabled']);
  });

  test('with enough begins the next', () => {
    const plan = run(aServingLedger(), [windowOf({ audits: 299 })], late);
    expect(plan.ledger.stable).toMatchObject({
      off: null,
      day: { sinceMs: late.nowMs, audits: 0 },
    });
  });

  test('and another after it changes nothing more', () => {
    const starved = step(aServingLedger(), late);
    const next = step(starved.ledger, { nowMs: START_MS + 2 * 86_400_000 });
    expect(next.ledger.stable).toMatchObject({ off: 'InsufficientSamples', day: { audits: 0 } });
  });
});

describe('recertifying', () => {
  const recertifying = (
    fields: Parameters<typeof aVoidedStable>[0],
    ledger: Partial<Ledger> = {},
  ) => aLedger({ stage: 'Recertifying', stable: aVoidedStable(fields), ...ledger });
  const request = { waiting: null, request: null, count: 1, endedAtMs: null };

  test('ramps the same heads at the first look that keeps 70 % of the saving', () => {
    const evidence = aLookedAttempt(1, LAMBDA);
    const plan = step(recertifying({ evidence, savingBefore: 0.5 }));
    expect(reasonsOf(plan)).toEqual(['Certified', 'RolloutStarted', 'ExitsEnabled']);
    expect(plan.policy).toMatchObject({
      stable: null,
      candidate: { share: 0.25, lambdaIndex: LAMBDA },
    });
    const less = step(recertifying({ evidence, savingBefore: 0.57 }));
    expect(less.ledger.stage).toBe('Recertifying');
  });

  test('waits while exits shadow', () => {
    const settings = aService({ exitMode: 'Shadow' });
    const plan = step(recertifying({ evidence: aLookedAttempt(1, LAMBDA) }), { settings });
    expect([plan.ledger.stage, plan.decisions]).toEqual(['Recertifying', []]);
  });

  test('gives the heads up at the second look after an alarm, and trains on rows after it', () => {
    const after = [{ podUid: 'pod-a', bootId: 'boot-1', seq: 7 }];
    const waiting = { trigger: 'Alarm', part: 'recent', after } as const;
    const ledger = recertifying(
      { evidence: aLookedAttempt(2, null) },
      { training: { ...request, waiting } },
    );
    const plan = step(ledger);
    expect(plan.training).toEqual({ attempt: 2, ...waiting });
    expect(plan.ledger).toMatchObject({ stage: 'Training', stable: null, failed: [] });
    expect(
      step(
        recertifying({ evidence: aLookedAttempt(1, null) }, { training: { ...request, waiting } }),
      ).training,
    ).toBeNull();
  });

  test('trains on rows after now where the alarm left no mark', () => {
    const plan = step(recertifying({ evidence: aLookedAttempt(2, null) }));
    expect(plan.training).toMatchObject({
      trigger: 'Alarm',
      part: 'recent',
      after: [{ podUid: 'pod-a' }],
    });
  });

  test.each([
    ['after lost audits', { off: 'EvidenceVoid' as const }, {}],
    ['in the cooldown', {}, { training: { ...request, endedAtMs: START_MS } }],
  ])('waits for the last look %s', (_when, fields, ledger) => {
    const plan = step(recertifying({ evidence: aLookedAttempt(2, null), ...fields }, ledger));
    expect([plan.ledger.stage, plan.training]).toEqual(['Recertifying', null]);
  });

  test('fails the heads after the last look', () => {
    const plan = step(recertifying({ evidence: aLookedAttempt(3, null) }));
    expect(plan.ledger).toMatchObject({
      stage: 'Collecting',
      stable: null,
      failed: [{ reason: 'NotCertified' }],
    });
    const poor = step(recertifying({ evidence: aLookedAttempt(3, LAMBDA), savingBefore: 0.9 }));
    expect(poor.ledger.failed).toMatchObject([{ reason: 'NotWorthwhile' }]);
  });

  test('holds while the facts of the heads are lost', () => {
    const plan = step(recertifying({ evidence: aLookedAttempt(3, LAMBDA) }), { revisions: [] });
    expect(plan.ledger.stage).toBe('Recertifying');
  });

  test('starts its rows anew when no look came within 7 days', () => {
    const evidence = anAttempt({ blocks: blocksOf(500, 10) });
    const plan = step(recertifying({ evidence }), { nowMs: START_MS + 604_800_000 });
    expect(reasonsOf(plan)).toEqual(['InsufficientSamples']);
    expect(plan.ledger.stable?.evidence.blocks.closed.n).toBe(0);
  });
});
