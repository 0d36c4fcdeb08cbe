import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../../crds/wire/policy.ts';
import { createRunDrills } from '../../../../../operator/local/drills/run-drills.ts';
import type { DrillOptions } from '../../../../../operator/local/drills/drill-options.ts';
import { createRunTally } from '../../../../../operator/local/report/run-tally.ts';
import { fakeClock } from '../../../../support/fake-clock.ts';
import { simulateFleet, type Drift, type Fleet } from '../../../../support/simulated-fleet.ts';
import { aCandidate, aPolicy, aTrack, DIGEST_A, DIGEST_B } from '../../../crds/documents.ts';

const TO_5_PERCENT: Drift = { shift: 0, noise: 0.057 };
const NONE: DrillOptions = { drift: null, kill: null, slow: null, poisonHead: false };

/** Drills around a run whose clock, requests and audits a test moves. */
function aRun(drills: Partial<DrillOptions>) {
  const clock = fakeClock();
  const tally = createRunTally(null);
  const notes: string[] = [];
  const at = { request: 0 };
  const running = createRunDrills({
    drills: { ...NONE, ...drills },
    budget: 0.01,
    agreement: 'Strict',
    tally,
    closeWindows: () => Promise.resolve(),
    onRestarted: () => undefined,
    world: {
      clock,
      startedMs: clock.nowMs(),
      sent: () => at.request,
      failed: tally.failed,
      servers: [],
      onNote: (line) => notes.push(line),
      onFatal: (error) => {
        throw error;
      },
    },
  });
  return { running, clock, tally, notes, at };
}

const drift = { kind: 'noise', fromRequest: 5_000, strength: 0.1 } as const;

describe('a drift in a run of the real lifecycle', () => {
  /** The lifecycle decides on simulated rows; the drills hear of it as in a run. */
  function follow(until: readonly string[]) {
    const run = aRun({ drift });
    const fleet: Fleet = simulateFleet({ seed: 2 });
    let heard = 0;
    const tick = (): void => {
      run.clock.advance(1_000);
      run.at.request += 300;
      fleet.tick();
      run.tally.run.evidence.audits = fleet.audits;
      for (const decision of fleet.decisions.slice(heard)) run.running.onDecision(decision);
      heard = fleet.decisions.length;
      run.running.onInForce(fleet.policies.at(-1)!);
    };
    const go = (reason: string): void => {
      const from = fleet.decisions.length;
      for (let i = 0; i < 500; i++) {
        tick();
        if (fleet.decisions.slice(from).some((decision) => decision.reason === reason)) return;
      }
      throw new Error(`no ${reason}`);
    };
    go('RolloutPromoted');
    run.running.onDriftBegan();
    fleet.drift = TO_5_PERCENT;
    const begun = { request: run.at.request, audits: fleet.audits };
    for (const reason of until) {
      go(reason);
      if (reason === 'Alarm') fleet.drift = { shift: 0, noise: 0 };
    }
    return { ...run, fleet, begun };
  }

  test('is followed from its first row to the alarm, off and on again by the same heads', () => {
    const { running, begun, notes } = follow(['Alarm', 'RolloutPromoted']);
    const [alarm, ...more] = running.alarms;
    expect(more).toEqual([]);
    expect(alarm).toMatchObject({ reason: 'Alarm', backBy: 'Recertified' });
    expect(alarm?.drift).toMatchObject({ fromRequest: 5_000 });
    expect(alarm?.drift?.audits).toBeGreaterThan(0);
    expect(alarm?.offRequest).toBeGreaterThan(begun.request);
    expect(alarm?.backRequest).toBeGreaterThan(alarm?.offRequest ?? Infinity);
    expect(running.reports()[0]?.message).toMatch(
      /^Rows drifted \(noise\): (hint after .* s, )?exits off after .* s, back on after .* \(the same heads certified again\), 0 requests failed\. Until exits were off, no drifted row was answered\.$/,
    );
    expect(notes.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      'Drill: noise of strength',
      'Exits are off on',
      'Exits are back on',
    ]);
  });

  test('counts the audits of the detector within what exits.md 8.1 says for 5 %', () => {
    const { running, fleet, begun } = follow(['Alarm']);
    expect(running.alarms[0]?.drift?.audits).toBe(fleet.audits - begun.audits);
    expect(running.alarms[0]?.drift?.audits).toBeLessThan(3 * 314);
  });
});

describe('an alarm', () => {
  const on: Policy = aPolicy({ stable: aTrack({ headRevision: DIGEST_A }), candidate: null });
  const off: Policy = { ...on, exitsEnabled: false };
  const alarm = {
    nowMs: 0,
    reason: 'Alarm',
    message: 'above the budget',
    headRevision: DIGEST_A,
    details: {},
  } as const;

  test('is over for the rows only when every server runs the policy without exits', () => {
    const { running, tally, at, clock } = aRun({ drift });
    running.onInForce(on);
    at.request = 5_000;
    running.onDriftBegan();
    tally.run.evidence.audits = 40;
    clock.advance(2_000);
    running.onDecision(alarm);
    at.request = 5_200;
    expect(running.alarms[0]).toMatchObject({ atSeconds: 2, offSeconds: null });
    clock.advance(500);
    running.onInForce(off);
    expect(running.alarms[0]).toMatchObject({
      atRequest: 5_000,
      offSeconds: 2.5,
      offRequest: 5_200,
      backSeconds: null,
      backBy: null,
      drift: { fromSeconds: 0, fromRequest: 5_000, audits: 40 },
    });
  });

  test('names heads that were trained anew when others come back', () => {
    const { running } = aRun({});
    running.onInForce(on);
    running.onDecision(alarm);
    running.onInForce(off);
    running.onInForce({ ...on, candidate: aCandidate({ headRevision: DIGEST_B, share: 0.25 }) });
    expect(running.alarms[0]).toMatchObject({ backBy: 'Retrained', drift: null });
  });

  test('belongs to a drift only when exits were on as its rows began', () => {
    const { running, at } = aRun({ drift });
    at.request = 5_000;
    running.onDriftBegan();
    running.onInForce(on);
    running.onDecision(alarm);
    expect(running.alarms[0]?.drift).toBeNull();
    expect(running.reports()[0]?.message).toBe(
      'Rows drifted (noise): exits were off as it began, alarm, exits not off yet, 0 requests failed. Since it began, no drifted row was answered.',
    );
  });

  test.each(['noise', 'blur', 'rotation', 'classes'] as const)(
    'that never comes leaves a line that names the drift: %s',
    (kind) => {
      const { running, notes } = aRun({ drift: { ...drift, kind } });
      running.onDriftBegan();
      expect(notes).toEqual([`Drill: ${kind} of strength 0.1 begins at request 5,000 (0.0 s).`]);
      expect(running.lines()).toEqual([
        `--drift ${kind}@5000 --drift-strength 0.1: Rows drifted (${kind}): exits were off as it began, no alarm on 0 audits, 0 requests failed. Since it began, no drifted row was answered.`,
      ]);
    },
  );

  test('counts drifted rows until exits are off, and none after', () => {
    const { running, tally } = aRun({ drift });
    const answer = { exit: 'early', policy: '1.2', headRevision: DIGEST_A, classIds: [1] };
    const row = {
      source: null as never,
      index: 0,
      part: 'Serving',
      isRepeated: false,
      clip: null,
    } as const;
    const answerRow = (isDrifted: boolean): void => {
      tally.addAnswer({ ...row, isDrifted }, answer, 1);
    };
    running.onInForce(on);
    answerRow(true);
    running.onDriftBegan();
    answerRow(true);
    answerRow(false);
    running.onInForce(off);
    answerRow(true);
    expect(tally.exposed).toEqual({ n: 1, early: 1 });
    expect(tally.early.map(({ isExposed }) => isExposed)).toEqual([false, true, false, false]);
  });
});

test('a drill whose request never comes says so, and has no line', () => {
  const { running } = aRun({
    drift,
    kill: { target: 'host', atRequest: 9 },
    slow: { pauseMs: 20, fromRequest: 9 },
    poisonHead: true,
  });
  expect(running.lines()).toEqual([]);
  expect(running.reports().map(({ flag, message }) => [flag, message])).toEqual([
    ['--drift noise@5000 --drift-strength 0.1', 'The run ended before this request.'],
    ['--kill host@9', 'The run ended before this request.'],
    ['--slow 20ms@9', 'The run ended before this request.'],
    ['--poison-head', 'No training ended in this run.'],
  ]);
});
