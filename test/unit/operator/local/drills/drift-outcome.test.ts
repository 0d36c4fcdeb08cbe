import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../../crds/wire/policy.ts';
import {
  outcomeOf,
  tellEvents,
  tellRows,
  type DriftEvents,
} from '../../../../../operator/local/drills/drift-outcome.ts';
import { createRunDrills } from '../../../../../operator/local/drills/run-drills.ts';
import { createRunTally } from '../../../../../operator/local/report/run-tally.ts';
import type { TrueDisagreement } from '../../../../../operator/local/report/true-disagreement.ts';
import type { ReportAlarm } from '../../../../../operator/local/report/report-schema.ts';
import { fakeClock } from '../../../../support/fake-clock.ts';
import { aPolicy, aTrack, DIGEST_A } from '../../../crds/documents.ts';

const quiet: DriftEvents = {
  fromSeconds: 100,
  wereExitsOn: true,
  hintedSeconds: null,
  tightenedSeconds: null,
  alarm: null,
  audits: 1_234,
};
const alarm: ReportAlarm = {
  atSeconds: 109,
  atRequest: 900,
  reason: 'Alarm',
  message: 'alarm',
  headRevision: DIGEST_A,
  offSeconds: 110,
  offRequest: 905,
  backSeconds: 150,
  backRequest: 4_000,
  backBy: 'Retrained',
  drift: null,
};

describe('what became of a drift', () => {
  test.each([
    [quiet, 'NoAlarm', 'no alarm on 1,234 audits'],
    [
      { ...quiet, tightenedSeconds: 104 },
      'LambdaTightened',
      'lambda tightened by the newest look after 4.0 s, no alarm on 1,234 audits',
    ],
    [
      { ...quiet, hintedSeconds: 102, alarm },
      'Alarm',
      'hint after 2.0 s, exits off after 10.0 s, back on after 50.0 s (heads trained anew)',
    ],
    [
      { ...quiet, tightenedSeconds: 104, alarm: { ...alarm, backSeconds: null } },
      'Alarm',
      'lambda tightened by the newest look after 4.0 s, exits off after 10.0 s and not back on',
    ],
    [
      { ...quiet, wereExitsOn: false, alarm: { ...alarm, offSeconds: null } },
      'Alarm',
      'exits were off as it began, alarm, exits not off yet',
    ],
  ] as const)('is told in the order in which it came (%#)', (events, outcome, text) => {
    expect([outcomeOf(events), tellEvents(events)]).toEqual([outcome, text]);
  });
});

describe('the rows of a drift', () => {
  const on = { budget: 0.01, agreement: 'Strict', isOff: false } as const;
  test.each([
    [{ n: 0, early: 0, k: 'Pending' }, on, 'Since it began, no drifted row was answered.'],
    [
      { n: 9, early: 0, k: 0 },
      on,
      'Since it began, 9 drifted rows were answered, none of them early.',
    ],
    [
      { n: 1_000, early: 600, k: 'Pending' },
      on,
      'Since it began, 1,000 drifted rows were answered, 600 of them early; the backbone answers these again after the run.',
    ],
    [
      { n: 1_000, early: 600, k: null },
      on,
      'Since it began, 1,000 drifted rows were answered, 600 of them early, and not compared with the backbone.',
    ],
    [
      { n: 1_000, early: 600, k: 10 },
      on,
      'Since it began, 1,000 drifted rows were answered, 600 of them early, and 10 unlike the backbone: 1.00% of all, within the budget of 1%.',
    ],
    [
      { n: 1_000, early: 600, k: 11 },
      { ...on, isOff: true },
      'Until exits were off, 1,000 drifted rows were answered, 600 of them early, and 11 unlike the backbone: 1.10% of all, above the budget of 1%.',
    ],
    [
      { n: 1_000, early: 600, k: 4.2 },
      { ...on, agreement: 'F1' },
      'Since it began, 1,000 drifted rows were answered, 600 of them early, and 4.2 lost to F1: 0.42% of all, within the budget of 1%.',
    ],
  ] as const)('are told with the share that was answered wrong (%#)', (rows, given, text) => {
    expect(tellRows(rows, given)).toBe(text);
  });
});

describe('a drift without an alarm', () => {
  const policy: Policy = aPolicy({ stable: aTrack({ headRevision: DIGEST_A }), candidate: null });

  /** A run whose drift begins at once and meets one early row and one of the backbone. */
  function aDrift({ areExitsOn = true } = {}) {
    const clock = fakeClock();
    const tally = createRunTally(null);
    const drills = createRunDrills({
      drills: {
        drift: { kind: 'classes', fromRequest: 10, strength: 0.4 },
        ...{ kill: null, slow: null, poisonHead: false },
      },
      budget: 0.01,
      agreement: 'Strict',
      tally,
      closeWindows: () => Promise.resolve(),
      onRestarted: () => undefined,
      world: {
        clock,
        startedMs: clock.nowMs(),
        sent: () => 10,
        failed: tally.failed,
        servers: [],
        onNote: () => undefined,
        onFatal: () => undefined,
      },
    });
    const answer = (exit: string, isRepeated = false): void => {
      const row = {
        source: null as never,
        index: 0,
        part: 'Serving',
        isDrifted: true,
        clip: null,
      } as const;
      const given = { exit, policy: '1.2', headRevision: DIGEST_A, classIds: [1] };
      tally.addAnswer({ ...row, isRepeated }, given, 1);
    };
    drills.onInForce({ ...policy, exitsEnabled: areExitsOn });
    drills.onDriftBegan();
    return { drills, clock, answer };
  }

  const truthOf = (k: number) => {
    const exposed: TrueDisagreement = { compared: 1, k, backboneRight: 0 };
    return { run: exposed, serving: exposed, exposed };
  };

  test('is reported with its wrong answers, and so is a lambda that a later look tightened', () => {
    const { drills, clock, answer } = aDrift();
    answer('early');
    answer('backbone');
    clock.advance(3_000);
    drills.onDecision({
      ...{ nowMs: 0, reason: 'LambdaTightened', message: '', headRevision: DIGEST_A, details: {} },
    });
    expect(drills.lines()[0]).toContain('the backbone answers these again after the run.');
    drills.onCompared(truthOf(1));
    expect(drills.reports()[0]).toMatchObject({
      message:
        'Rows drifted (classes): lambda tightened by the newest look after 3.0 s, no alarm on 0 audits, 0 requests failed. Since it began, 2 drifted rows were answered, 1 of them early, and 1 unlike the backbone: 50.00% of all, above the budget of 1%.',
      drifted: { n: 2, early: 1, k: 1, outcome: 'LambdaTightened' },
    });
    expect(drills.lines()).toEqual(
      drills.reports().map(({ flag, message }) => `${flag}: ${message}`),
    );
  });

  test('counts no row that the stream repeated, since none is compared', () => {
    const { drills, answer } = aDrift();
    answer('early', true);
    expect(drills.reports()[0]?.drifted).toMatchObject({ n: 0, early: 0 });
  });

  test('is not over by a policy without exits that was there before it', () => {
    const { drills, answer } = aDrift({ areExitsOn: false });
    drills.onInForce({ ...policy, exitsEnabled: false });
    answer('backbone');
    drills.onInForce(policy);
    answer('early');
    drills.onCompared(null);
    expect(drills.reports()[0]?.drifted).toEqual({ n: 2, early: 1, k: null, outcome: 'NoAlarm' });
  });
});
