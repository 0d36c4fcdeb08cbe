import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type { TrainingReport } from '../../../../operator/lifecycle/types.ts';
import {
  aBackbone,
  aDigest,
  anAcknowledgement,
  anExit,
  aPod,
  aRevision,
  aService,
  START_MS,
} from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aRampingCandidate,
  aServingLedger,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';

const NO_TRAINING = { request: null, waiting: null, count: 0, endedAtMs: null };

const podWith = (rows: number, seen = rows) =>
  aPod({ samples: { long: rows, recent: rows, seen } });

describe('collecting', () => {
  test('ends with the wanted rows, of all pods together', () => {
    const pods = [podWith(6_000), podWith(3_999)];
    expect(step(aLedger(), { pods }).ledger.stage).toBe('Collecting');
    const plan = step(aLedger(), { pods: [...pods, podWith(1)] });
    expect(plan.ledger.stage).toBe('Training');
    expect(plan.training).toEqual({ attempt: 1, trigger: 'Missing', part: 'long', after: [] });
    expect(reasonsOf(plan)).toEqual(['TrainingStarted']);
    expect(plan.decisions[0]?.message).toBe('Training 1 starts on 10,000 recorded rows (Missing).');
  });

  test('after 15 minutes ends with 2,000 rows, or 20 per class where that is more', () => {
    const late = { nowMs: START_MS + 900_000 };
    expect(step(aLedger(), { ...late, pods: [podWith(1_999)] }).training).toBeNull();
    expect(step(aLedger(), { ...late, pods: [podWith(2_000)] }).training).not.toBeNull();
    const backbone = aBackbone({ classCount: 1_000 });
    expect(step(aLedger(), { ...late, backbone, pods: [podWith(9_999)] }).training).toBeNull();
  });

  test('ends with all that memory holds: waiting brings other rows, not more', () => {
    const trained = (pods: ReturnType<typeof podWith>[]) => step(aLedger(), { pods }).training;
    expect(trained([podWith(8_120)])).toBeNull();
    expect(trained([podWith(8_120, 8_121)])).not.toBeNull();
    expect(trained([podWith(1_999, 50_000)])).toBeNull();
    expect(trained([podWith(2_000, 50_000), podWith(100)])).toBeNull();
    expect(trained([podWith(2_000, 50_000), podWith(0)])).not.toBeNull();
    expect(trained([podWith(0)])).toBeNull();
    const late = { nowMs: START_MS + 900_000, backbone: aBackbone({ classCount: 1_000 }) };
    expect(step(aLedger(), { ...late, pods: [podWith(8_120, 9_000)] }).training).not.toBeNull();
  });

  test('of memory counts only rows after an alarm', () => {
    const after = [{ podUid: 'pod-a', bootId: 'boot-1', seq: 5_000 }];
    const waiting = { trigger: 'Alarm', part: 'recent', after } as const;
    const backbone = aBackbone({ classCount: 1_000 });
    const trained = (seen: number) =>
      step(aLedger({ training: { ...NO_TRAINING, waiting } }), {
        backbone,
        pods: [podWith(4_000, seen)],
      }).training;
    expect(trained(8_999)).toBeNull();
    expect(trained(9_000)).not.toBeNull();
  });

  test('counts no rows that servers forget as exits go off, and those after it', () => {
    const before = podWith(10_000);
    const aborted = step(
      aLedger({ stage: 'Ramping', candidate: aRampingCandidate(), exitsEnabled: true }),
      {
        pods: [{ ...before, exitsEnabled: true }],
        request: { value: 'abort:it', verb: 'abort', headRevision: OTHER_REVISION },
      },
    );
    expect([aborted.ledger.stage, aborted.training]).toEqual(['Collecting', null]);
    expect(aborted.policy?.exitsEnabled).toBe(false);
    const trained = (pods: ReturnType<typeof podWith>[]) => step(aborted.ledger, { pods }).training;
    expect(trained([{ ...before, exitsEnabled: true }])).toBeNull();
    expect(trained([podWith(9_999)])).toBeNull();
    expect(trained([podWith(10_000)])).not.toBeNull();
  });

  test('of heads that were never on goes on with the rows that are there', () => {
    const shadow = aLedger({ stage: 'Shadowing', candidate: aCandidate() });
    const request = { value: 'abort:it', verb: 'abort', headRevision: OTHER_REVISION } as const;
    const plan = step(shadow, { pods: [podWith(10_000)], request });
    expect(plan.training).not.toBeNull();
  });

  test('counts no rows of pods that still have another backbone', () => {
    const old = anAcknowledgement([], { backboneDigest: aDigest(9) });
    const pods = [{ ...podWith(10_000), acknowledgement: old }];
    expect(step(aLedger(), { pods }).training).toBeNull();
    expect(step(aLedger(), { pods: [...pods, podWith(10_000)] }).training).not.toBeNull();
    const silent = { ...podWith(10_000), acknowledgement: null };
    expect(step(aLedger(), { pods: [silent] }).training).not.toBeNull();
  });

  test('for other exits begins with rows after the edit: servers forget those of the exits before', () => {
    const backbone = aBackbone({ exits: [anExit('early')] });
    const edited = step(aLedger(), { backbone, pods: [podWith(10_000)] });
    expect([edited.ledger.stage, edited.training]).toEqual(['Collecting', null]);
    const trained = (pod: ReturnType<typeof podWith>) =>
      step(edited.ledger, { backbone, pods: [pod] }).training;
    expect(trained(podWith(10_000, 10_100))).toBeNull();
    expect(trained(podWith(9_999))).toBeNull();
    expect(trained(podWith(25_000, 20_000))).toMatchObject({ trigger: 'Missing', part: 'long' });
    const first = step(aLedger({ backboneKey: null }), { pods: [podWith(10_000)] });
    expect(first.training).not.toBeNull();
  });

  test('waits for the cooldown of the last training, also of one that found too few rows', () => {
    const ledger = aLedger({ training: { ...NO_TRAINING, count: 1, endedAtMs: START_MS } });
    const pods = [podWith(10_000)];
    expect(step(ledger, { pods, nowMs: START_MS + 899_999 }).training).toBeNull();
    expect(step(ledger, { pods, nowMs: START_MS + 900_000 }).training?.attempt).toBe(2);
    const report = { kind: 'Failed', attempt: 3, reason: 'TooFewRows', message: 'Few.' } as const;
    const failed = step(training(), { training: report }).ledger;
    expect(step(failed, { pods, nowMs: START_MS + 899_999 }).training).toBeNull();
    expect(step(failed, { pods, nowMs: START_MS + 900_000 }).training?.attempt).toBe(4);
  });

  test('goes on for ever when training is off', () => {
    const settings = aService({ trainingMode: 'Off' });
    expect(step(aLedger(), { settings, pods: [podWith(50_000)] }).ledger.stage).toBe('Collecting');
  });

  test('after an alarm reads recent rows after it only', () => {
    const after = [{ podUid: 'pod-a', bootId: 'boot-1', seq: 5_000 }];
    const waiting = { trigger: 'Alarm', part: 'recent', after } as const;
    const ledger = aLedger({ training: { ...NO_TRAINING, waiting } });
    const notYet = [podWith(25_000, 6_999)];
    expect(step(ledger, { pods: notYet }).training).toBeNull();
    const enough = [podWith(25_000, 7_000)];
    expect(step(ledger, { pods: enough }).training).toEqual({ attempt: 1, ...waiting });
    const startedAgain = [podWith(2_000)];
    expect(step(ledger, { pods: startedAgain }).training).not.toBeNull();
  });
});

const REQUEST = { attempt: 3, trigger: 'Missing', part: 'long', after: [] } as const;
const training = (fields: Partial<Ledger> = {}): Ledger =>
  aLedger({
    stage: 'Training',
    training: { ...NO_TRAINING, request: REQUEST, count: 3 },
    ...fields,
  });
const trained = (headRevision: string, attempt = 3): TrainingReport => ({
  kind: 'Trained',
  attempt,
  revision: aRevision({ headRevision }),
});

describe('training', () => {
  test.each<[string, TrainingReport]>([
    ['has not begun', { kind: 'Idle' }],
    ['runs', { kind: 'Running', progress: 0.5 }],
    ['reports another attempt', trained(OTHER_REVISION, 2)],
    ['failed in another attempt', { kind: 'Failed', attempt: 2, reason: 'Failed', message: 'x' }],
  ])('is asked for again while the trainer %s', (_state, report) => {
    const plan = step(training(), { training: report });
    expect(plan.training).toEqual(REQUEST);
    expect(plan.decisions).toEqual([]);
  });

  test('that gave heads stages them, and counts the attempt before any row', () => {
    const plan = step(training(), { training: trained(OTHER_REVISION) });
    expect(reasonsOf(plan)).toEqual(['TrainingSucceeded']);
    expect(plan.ledger).toMatchObject({
      stage: 'Staging',
      episode: { attempts: 1 },
      candidate: { headRevision: OTHER_REVISION, lambdaIndex: null, evidence: { attempt: 1 } },
    });
    expect(plan.policy?.candidate).toMatchObject({
      stage: 'Staging',
      share: 0,
      lambdaIndex: null,
      activeExits: [],
    });
    expect(plan.policy?.exitsEnabled).toBe(false);
  });

  test('of the second attempt of an episode tests at its share of delta, on looks as large as bursts demand', () => {
    const ledger = training({ episode: { attempts: 1, lookScale: 4 } });
    const plan = step(ledger, { training: trained(OTHER_REVISION) });
    expect(plan.ledger.candidate?.evidence).toMatchObject({ attempt: 2, firstLookRows: 4_000 });
  });

  test.each([
    ['NotBetter', 'NotBetter'],
    ['TooFewRows', 'TooFewRows'],
    ['Failed', 'TrainingFailed'],
  ] as const)('that ends with %s goes back and says %s', (reason, said) => {
    const report = { kind: 'Failed', attempt: 3, reason, message: 'Because.' } as const;
    const plan = step(training(), { training: report });
    expect(plan.ledger).toMatchObject({ stage: 'Collecting', training: { endedAtMs: START_MS } });
    expect(plan.decisions).toMatchObject([{ reason: said, message: 'Because.' }]);
    expect(plan.training).toBeNull();
  });

  test('that was for an alarm and failed is wanted again, on rows after the alarm only', () => {
    const cause = { trigger: 'Alarm', part: 'recent', after: [] } as const;
    const report = { kind: 'Failed', attempt: 3, reason: 'Failed', message: 'Because.' } as const;
    const request = { attempt: 3, ...cause };
    const alarmed = training({ training: { ...NO_TRAINING, request, count: 3 } });
    const failed = step(alarmed, { training: report }).ledger.training;
    expect(failed).toMatchObject({ request: null, waiting: cause, endedAtMs: START_MS });
    expect(step(training(), { training: report }).ledger.training.waiting).toBeNull();
  });

  test('that gives heads which failed before, or those in force, is not better', () => {
    const failed = [{ headRevision: OTHER_REVISION, reason: 'Alarm', atMs: START_MS }] as const;
    const known = step(training({ failed }), { training: trained(OTHER_REVISION) });
    expect([known.ledger.stage, reasonsOf(known)]).toEqual(['Collecting', ['NotBetter']]);
    const serving = {
      ...aServingLedger(),
      stage: 'Training',
      training: training().training,
    } as const;
    const same = step(serving, { training: trained(aRevision().headRevision) });
    expect([same.ledger.stage, reasonsOf(same)]).toEqual(['Serving', ['NotBetter']]);
  });

  test('is given up when training is switched off, or the ledger lost its request', () => {
    const off = step(training(), { settings: aService({ trainingMode: 'Off' }) });
    expect(off.ledger).toMatchObject({ stage: 'Collecting', training: { request: null } });
    expect(step(training({ training: NO_TRAINING })).ledger.stage).toBe('Collecting');
  });
});

describe('circumstances', () => {
  test('another backbone makes heads void and begins to collect', () => {
    const backbone = aBackbone({ digest: `sha256:${'c'.repeat(64)}` });
    const plan = step(aServingLedger({ training: { ...NO_TRAINING, count: 4 } }), { backbone });
    expect(plan.ledger).toMatchObject({
      stage: 'Collecting',
      stable: null,
      training: { count: 4 },
    });
    expect(reasonsOf(plan)).toEqual(['Superseded', 'ExitsDisabled']);
    expect(plan.policy).toMatchObject({ stable: null, exitsEnabled: false });
  });

  test('other exits do too, of a candidate as well', () => {
    const backbone = aBackbone({ exits: [anExit('early')] });
    const plan = step(training(), { backbone, training: trained(OTHER_REVISION) });
    expect(plan.ledger.stage).toBe('Collecting');
    expect(reasonsOf(plan)).toEqual([]);
    const staged = step(training(), { training: trained(OTHER_REVISION) });
    expect(reasonsOf(step(staged.ledger, { backbone }))).toEqual(['Superseded']);
  });

  test.each([
    ['Disabled exits', { settings: aService({ exitMode: 'Disabled' }) }, 'Disabled'],
    ['a budget of 0', { settings: aService({ budget: 0 }) }, 'Disabled'],
  ] as const)(
    '%s let the service sleep, and drop candidate and training',
    (_what, fields, reason) => {
      const staged = step(training(), { training: trained(OTHER_REVISION) });
      const plan = step(staged.ledger, fields);
      expect(plan.ledger).toMatchObject({
        stage: 'Idle',
        candidate: null,
        training: { request: null },
      });
      expect(reasonsOf(plan)).toEqual(['Superseded', reason]);
      expect(step(plan.ledger, fields).decisions).toEqual([]);
      expect(step(plan.ledger).ledger.stage).toBe('Collecting');
    },
  );

  test('a backbone without exits is served plain', () => {
    const backbone = aBackbone({ exits: [] });
    const plan = step(aLedger({ backboneKey: backbone.digest }), { backbone });
    expect([plan.ledger.stage, reasonsOf(plan)]).toEqual(['Idle', ['NoExits']]);
  });

  test('Disabled names no heads and keeps the certificate for later', () => {
    const asleep = step(aServingLedger(), { settings: aService({ exitMode: 'Disabled' }) });
    expect(asleep.policy).toMatchObject({ stable: null, candidate: null, exitsEnabled: false });
    expect(asleep.policy?.exits.map(({ mode }) => mode)).toEqual(['Disabled', 'Disabled']);
    const awake = step(asleep.ledger);
    expect(awake.ledger.stage).toBe('Serving');
    expect(awake.policy).toMatchObject({ exitsEnabled: true, stable: { lambdaIndex: 60 } });
  });

  test('a budget of 0 voids the certificate: a later budget begins a new episode', () => {
    const asleep = step(aServingLedger(), { settings: aService({ budget: 0 }) });
    expect(asleep.ledger.stable).toMatchObject({ certificate: null, off: 'Disabled' });
    expect(asleep.policy).toMatchObject({ exitsEnabled: false, budget: 0 });
    const awake = step(asleep.ledger);
    expect(awake.ledger).toMatchObject({
      stage: 'Recertifying',
      episode: { attempts: 1 },
      stable: { evidence: { budget: 0.01, attempt: 1 } },
    });
  });

  test('a budget of 0 without facts about the heads keeps what is known of their saving', () => {
    const asleep = step(aServingLedger(), { settings: aService({ budget: 0 }), revisions: [] });
    expect(asleep.ledger.stable).toMatchObject({ certificate: null, savingBefore: null });
  });

  test('an exit that is not Active is cut, with every exit behind it: the certificate stays', () => {
    const cut = (early: 'Active' | 'Shadow'): readonly string[] | undefined => {
      const exits = [
        { ...anExit('early'), mode: early },
        { ...anExit('late'), mode: 'Shadow' as const },
      ];
      return step(aServingLedger(), { backbone: aBackbone({ exits }) }).policy?.stable?.activeExits;
    };
    expect(cut('Active')).toEqual(['early']);
    expect(cut('Shadow')).toEqual([]);
  });

  test('Shadow keeps everything but the answers', () => {
    const plan = step(aServingLedger(), { settings: aService({ exitMode: 'Shadow' }) });
    expect(plan.ledger.stage).toBe('Serving');
    expect(plan.policy).toMatchObject({ exitsEnabled: false });
    expect(plan.policy?.stable?.headRevision).toBe(aRevision().headRevision);
    expect(reasonsOf(plan)).toEqual(['ExitsDisabled']);
  });
});
