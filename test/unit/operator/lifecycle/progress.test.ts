import { describe, expect, test } from 'vitest';
import { estimateMore } from '../../../../operator/lifecycle/estimate-more.ts';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import { nextDelayMs } from '../../../../operator/lifecycle/next-delay.ts';
import { progress } from '../../../../operator/lifecycle/progress.ts';
import { aGrid, aPod, aService, START_MS } from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aLoadedInput,
  aLookedAttempt,
  anAttempt,
  aRampingCandidate,
  aServingLedger,
  aStable,
  aVoidedStable,
  blocksOf,
  LAMBDA,
  OTHER_REVISION,
} from '../../../support/ledger-builders.ts';

const podWith = (rows: number) => aPod({ samples: { long: rows, recent: rows, seen: rows } });
const NO_TRAINING = { request: null, waiting: null, count: 1, endedAtMs: null };

describe('progress', () => {
  test.each<[string, Ledger, Parameters<typeof aLoadedInput>[0], object]>([
    [
      'an idle service',
      aLedger({ stage: 'Idle' }),
      {},
      { rows: 0, wantedRows: null, message: 'Exits are off as configured.' },
    ],
    [
      'rows that are missing',
      aLedger(),
      { pods: [podWith(7_000)] },
      { rows: 7_000, wantedRows: 10_000, message: '3,000 rows are missing.' },
    ],
    [
      'that training starts',
      aLedger(),
      { pods: [podWith(10_000)] },
      { message: 'Training starts.' },
    ],
    [
      'the cooldown',
      aLedger({ training: { ...NO_TRAINING, endedAtMs: START_MS - 60_000 } }),
      { pods: [podWith(10_000)] },
      { message: 'The next training waits 840 s for its cooldown.' },
    ],
    [
      'that training is off',
      aLedger(),
      { settings: aService({ trainingMode: 'Off' }) },
      { message: 'There are no heads, and training is off.' },
    ],
    ['nothing without a backbone', aLedger(), { backbone: null }, { rows: 0, message: '' }],
    [
      'how far training is',
      aLedger({ stage: 'Training' }),
      { training: { kind: 'Running', progress: 0.25 } },
      { message: 'Heads are being trained, 25% done.' },
    ],
    [
      'a training that has not begun',
      aLedger({ stage: 'Training' }),
      {},
      { message: 'Heads are being trained, 0% done.' },
    ],
    [
      'loading',
      aLedger({ stage: 'Staging', candidate: aCandidate() }),
      {},
      { message: 'The candidate is being loaded on every pod.' },
    ],
    [
      'rows towards the first look',
      aLedger({
        stage: 'Shadowing',
        candidate: aCandidate({ evidence: anAttempt({ blocks: blocksOf(500, 10) }) }),
      }),
      {},
      {
        rows: 500,
        wantedRows: 1_000,
        message: 'No look is taken yet; the next is at 1,000 audited rows.',
      },
    ],
    [
      'the last look',
      aLedger({ stage: 'Shadowing', candidate: aCandidate({ evidence: aLookedAttempt(3, null) }) }),
      {},
      { rows: 10_000, wantedRows: null, message: 'Look 3 allows lambda none; it was the last.' },
    ],
    [
      'the step of the ramp',
      aLedger({ stage: 'Ramping', candidate: aRampingCandidate() }),
      {},
      {
        rows: 0,
        wantedRows: 100,
        lambdaIndex: LAMBDA,
        message: 'The candidate takes 25% of the traffic.',
      },
    ],
    [
      'that the ramp is paused',
      aLedger({ stage: 'Ramping', candidate: aRampingCandidate() }),
      { settings: aService({ paused: true }) },
      { message: 'The candidate takes 25% of the traffic. Paused by request.' },
    ],
    [
      'the lambda in force',
      aServingLedger(),
      {},
      {
        lambdaIndex: LAMBDA,
        rows: 1_000,
        wantedRows: 3_000,
        message: 'Look 1 allows lambda 0.0073287; the next is at 3,000 audited rows.',
      },
    ],
    [
      'why exits are off',
      aLedger({ stage: 'Recertifying', stable: aVoidedStable() }),
      {},
      {
        lambdaIndex: null,
        message: 'Exits are off (Alarm). No look is taken yet; the next is at 1,000 audited rows.',
      },
    ],
  ])('says %s', (_what, ledger, fields, expected) => {
    expect(progress(ledger, aLoadedInput(fields))).toMatchObject({
      stage: ledger.stage,
      ...expected,
    });
  });

  test('of a stage without its heads is a bug', () => {
    expect(() => progress(aLedger({ stage: 'Serving' }), aLoadedInput())).toThrow(
      'stage Serving has evidence',
    );
  });
});

describe('how much more traffic', () => {
  const traffic = { rowsPerSecond: 50, auditRate: 1 };
  const shadowing = (audits: number, disagreements: number): Ledger => {
    const blocks = { ...blocksOf(audits, 10), closed: aGrid(audits, disagreements) };
    const evidence = anAttempt({ blocks, answeredRows: audits });
    return aLedger({ stage: 'Shadowing', candidate: aCandidate({ evidence }), traffic });
  };

  test('brings the look that the answers so far would pass', () => {
    expect(estimateMore(shadowing(500, 1), aLoadedInput())).toEqual({
      requests: 500,
      seconds: 10,
      isLikely: true,
      message:
        '500 more requests, about 10 s at the rate so far, bring the look at 1,000 audited rows, which the answers so far would pass.',
    });
    expect(estimateMore(shadowing(500, 3), aLoadedInput())).toMatchObject({
      requests: 2_500,
      isLikely: true,
    });
  });

  test('brings the next look when none would pass, and says so', () => {
    const more = estimateMore(shadowing(500, 50), aLoadedInput());
    expect(more).toMatchObject({ requests: 500, isLikely: false });
    expect(more?.message).toContain('with as many disagreements as so far it would not pass');
  });

  test('is not likely when the saving would not pay, without rows, or without facts', () => {
    const settings = aService({ minSaving: 0.5 });
    expect(estimateMore(shadowing(500, 0), aLoadedInput({ settings }))?.isLikely).toBe(false);
    const empty = aLedger({ stage: 'Shadowing', candidate: aCandidate() });
    expect(estimateMore(empty, aLoadedInput())).toMatchObject({
      requests: 1_000,
      seconds: null,
      isLikely: false,
    });
    expect(estimateMore(shadowing(500, 0), aLoadedInput({ revisions: [] }))?.isLikely).toBe(false);
  });

  test('counts requests, of which only a share is audited', () => {
    const ledger = shadowing(500, 0);
    const evidence = { ...ledger.candidate!.evidence!, answeredRows: 5_000 };
    const thin = { ...ledger, candidate: { ...ledger.candidate!, evidence } };
    expect(estimateMore(thin, aLoadedInput())).toMatchObject({ requests: 5_000, seconds: 100 });
  });

  test('before training includes the rows that train', () => {
    const more = estimateMore(aLedger({ traffic }), aLoadedInput({ pods: [podWith(9_000)] }));
    expect(more).toMatchObject({ requests: 2_000, seconds: 40, isLikely: false });
    expect(more?.message).toContain('would train heads and bring their first look');
  });

  test('is unknown when no look is left', () => {
    const candidate = aCandidate({ evidence: aLookedAttempt(3, null) });
    expect(estimateMore(aLedger({ stage: 'Shadowing', candidate }), aLoadedInput())).toBeNull();
  });

  test('for stable is that of its next look', () => {
    const ledger = aServingLedger({ stable: aStable(), traffic });
    expect(estimateMore(ledger, aLoadedInput())).toMatchObject({ requests: 2_000 });
    const ramping = aServingLedger({
      candidate: aRampingCandidate({ headRevision: OTHER_REVISION }),
    });
    expect(estimateMore(ramping, aLoadedInput())).toMatchObject({ requests: 2_000 });
  });
});

describe('the next tick', () => {
  const delay = (ledger: Ledger, fields: Parameters<typeof aLoadedInput>[0] = {}): number => {
    const input = aLoadedInput(fields);
    return nextDelayMs(ledger, { input, nowMs: input.nowMs });
  };

  test('comes with the next pull: 30 s, 10 s in a rollout', () => {
    expect(delay(aServingLedger())).toBe(30_000);
    expect(delay(aLedger({ stage: 'Shadowing', candidate: aCandidate() }))).toBe(10_000);
  });

  test('comes when the hold of a step ends', () => {
    const ramping = aLedger({ stage: 'Ramping', candidate: aRampingCandidate() });
    const settings = aService({ steps: [{ share: 0.25, holdMs: 4_000 }] });
    expect(delay(ramping, { settings })).toBe(4_000);
    expect(delay(ramping, { settings, nowMs: START_MS + 5_000 })).toBe(10_000);
    expect(delay(ramping, { settings, nowMs: START_MS + 3_999 })).toBe(1_000);
  });

  test('comes when the cooldown ends', () => {
    const cooling = aLedger({ training: { ...NO_TRAINING, endedAtMs: START_MS } });
    expect(delay(cooling, { nowMs: START_MS + 890_000 })).toBe(10_000);
  });
});
