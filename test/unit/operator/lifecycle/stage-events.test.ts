import { expect, test } from 'vitest';
import type { ServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecycleInput, LifecycleStage } from '../../../../operator/lifecycle/types.ts';
import {
  aBackbone,
  aDigest,
  anAcknowledgement,
  aRevision,
  aService,
  REVISION,
  START_MS,
} from '../../../support/builders.ts';
import { aLoadedPod, aStable, OTHER_REVISION, step } from '../../../support/ledger-builders.ts';
import { STAGES } from './stage-ledgers.ts';

/** Something that befalls a service in whatever stage it is, without a row of evidence. */
type Event = (ledger: Ledger) => {
  readonly ledger?: Ledger;
  readonly input?: Partial<LifecycleInput>;
};

const set = (settings: Partial<ServiceSettings>): Event => {
  return () => ({ input: { settings: aService(settings) } });
};
const see = (input: Partial<LifecycleInput>): Event => {
  return () => ({ input });
};
const ask = (verb: 'abort' | 'promote' | 'rollback' | 'retry' | 'retrain'): Event => {
  const headRevision = verb === 'retrain' ? null : OTHER_REVISION;
  return see({ request: { value: `${verb}:it`, verb, headRevision } });
};
const report = (training: LifecycleInput['training']): Event => see({ training });

const THIRD = aDigest(0xa3);
const FAILED = { kind: 'Failed', attempt: 1, message: 'As told.' } as const;

const EVENTS: Readonly<Record<string, Event>> = {
  'exits are disabled': set({ exitMode: 'Disabled' }),
  'exits may only shadow': set({ exitMode: 'Shadow' }),
  'a budget of 0': set({ budget: 0 }),
  'a budget that is a tenth': set({ budget: 0.001 }),
  'a confidence of 99.9 %': set({ confidence: 0.999 }),
  'a larger budget': set({ budget: 0.05 }),
  'a pause': set({ paused: true }),
  'heads that are only recommended': set({ rollsOut: false }),
  'training is switched off': set({ trainingMode: 'Off' }),
  'another backbone': see({ backbone: aBackbone({ digest: aDigest(0xbb) }) }),
  'a backbone without exits': see({ backbone: aBackbone({ exits: [] }) }),
  'an alarm': (ledger) => {
    const { stable } = ledger;
    const detector = stable?.detector && {
      ...stable.detector,
      s: stable.detector.s.map(() => 1e9),
    };
    return { ledger: { ...ledger, stable: stable && { ...stable, detector: detector ?? null } } };
  },
  'audits that were lost for ten ticks': (ledger) => {
    const entry = { windows: 1, chosen: 100, lost: 50, expected: 100, received: 50 };
    const lost = { ...ledger.lost, entries: new Array<typeof entry>(10).fill(entry) };
    return { ledger: { ...ledger, lost } };
  },
  'a second crash of pods': (ledger) => ({
    ledger: { ...ledger, candidate: ledger.candidate && { ...ledger.candidate, crashes: 2 } },
  }),
  'no pod that holds the candidate': see({
    pods: [aLoadedPod({ acknowledgement: anAcknowledgement([aRevision()]) })],
  }),
  'a ready pod that says nothing': see({ silentPods: 1 }),
  'no audits any more': see({ auditsOff: true }),
  'another day': see({ nowMs: START_MS + 86_400_000 }),
  'eight days': see({ nowMs: START_MS + 8 * 86_400_000 }),
  'a training that gave heads': report({
    ...{ kind: 'Trained', attempt: 1 },
    revision: aRevision({ headRevision: OTHER_REVISION }),
  }),
  'a training that gave no better heads': report({ ...FAILED, reason: 'NotBetter' }),
  'a training that failed': report({ ...FAILED, reason: 'Failed' }),
  'a training of another attempt': report({ ...FAILED, attempt: 7, reason: 'Failed' }),
  'abort of the candidate': ask('abort'),
  'promote of the candidate': ask('promote'),
  'rollback to heads of before': (ledger) => {
    const stable = aStable({ headRevision: OTHER_REVISION });
    const previous = { stable, retiredAtMs: START_MS };
    return { ...ask('rollback')(ledger), ledger: { ...ledger, previous } };
  },
  'retry of heads that failed': (ledger) => {
    const failed = [{ headRevision: OTHER_REVISION, reason: 'NotBetter', atMs: 0 }] as const;
    return { ...ask('retry')(ledger), ledger: { ...ledger, failed } };
  },
  retrain: ask('retrain'),
  'a pin of other heads': see({
    pin: { headRevision: THIRD },
    revisions: [REVISION, OTHER_REVISION, THIRD].map((headRevision) => aRevision({ headRevision })),
  }),
  'a pin of heads that are not there': see({ pin: { headRevision: null } }),
};

const ORDER: readonly LifecycleStage[] = [
  'Idle',
  'Collecting',
  'Training',
  'Staging',
  'Shadowing',
  'Ramping',
  'Serving',
  'Recertifying',
];

/** Where each event leads from each stage, in the order of `ORDER`: `.` stays, `+` behind a stage: exits may answer. */
const TABLE: Readonly<Record<string, string>> = {
  'exits are disabled': '. Idle Idle Idle Idle Idle Idle Idle',
  'exits may only shadow': 'Collecting . . Shadowing . . . .',
  'a budget of 0': '. Idle Idle Idle Idle Idle Idle Idle',
  'a budget that is a tenth': 'Collecting . . Shadowing . Shadowing Recertifying .',
  'a confidence of 99.9 %': 'Collecting . . Shadowing . .+ .+ .',
  'a larger budget': 'Collecting . . Shadowing . .+ .+ .',
  'a pause': 'Collecting . . Shadowing . .+ .+ .',
  'heads that are only recommended': 'Collecting . . Shadowing . .+ .+ .',
  'training is switched off': 'Collecting . Collecting Shadowing . .+ .+ .',
  'another backbone':
    'Collecting . Collecting Collecting Collecting Collecting Collecting Collecting',
  'a backbone without exits': '. Idle Idle Idle Idle Idle Idle Idle',
  'an alarm': 'Collecting . . Shadowing . .+ Recertifying .',
  'audits that were lost for ten ticks': 'Collecting . . Shadowing . Shadowing Recertifying .',
  'a second crash of pods': 'Collecting . . Collecting Collecting Collecting .+ .',
  'no pod that holds the candidate': 'Collecting . . . Staging Staging .+ .',
  'a ready pod that says nothing': 'Collecting . . . . .+ .+ .',
  'no audits any more': 'Collecting . . Shadowing . .+ .+ .',
  'another day': 'Collecting . . Shadowing . .+ . .',
  'eight days': 'Collecting . . Shadowing . .+ . .',
  'a training that gave heads': 'Collecting . Staging Shadowing . .+ .+ .',
  'a training that gave no better heads': 'Collecting . Collecting Shadowing . .+ .+ .',
  'a training that failed': 'Collecting . Collecting Shadowing . .+ .+ .',
  'a training of another attempt': 'Collecting . . Shadowing . .+ .+ .',
  'abort of the candidate': 'Collecting . . Collecting Collecting Collecting .+ .',
  'promote of the candidate': 'Collecting . . Shadowing . Serving+ .+ .',
  'rollback to heads of before':
    'Serving+ Serving+ Serving+ Serving+ Serving+ Serving+ .+ Serving+',
  'retry of heads that failed': 'Shadowing Shadowing . Shadowing . .+ Shadowing+ .',
  retrain: 'Training Training . Shadowing . .+ Training+ Training',
  'a pin of other heads': 'Staging Staging Staging . Staging Staging Staging+ Staging',
  'a pin of heads that are not there': 'Collecting . . Shadowing . .+ .+ .',
};

function lead(stage: LifecycleStage, event: Event): string {
  const { ledger = STAGES[stage], input = {} } = event(STAGES[stage]);
  const { stage: next, exitsEnabled } = step(ledger, { nowMs: START_MS + 10_000, ...input }).ledger;
  return `${next === stage ? '.' : next}${exitsEnabled ? '+' : ''}`;
}

test('every event has a row, and every row an event', () => {
  expect(Object.keys(EVENTS)).toEqual(Object.keys(TABLE));
});

test.each(Object.entries(EVENTS))(
  '%s leads from every stage where the table has it',
  (name, event) => {
    expect(ORDER.map((stage) => lead(stage, event)).join(' ')).toBe(TABLE[name]);
  },
);

test('nothing but a person who rolls back lets exits on that were off', () => {
  const wereOff = ORDER.filter((stage) => !STAGES[stage].exitsEnabled);
  const switching = Object.entries(EVENTS).filter(([, event]) =>
    wereOff.some((stage) => lead(stage, event).endsWith('+')),
  );
  expect(switching.map(([name]) => name)).toEqual(['rollback to heads of before']);
});
