import { describe, expect, test } from 'vitest';
import type { EvidenceWindow } from '../../../../crds/wire/evidence.ts';
import type { Ledger } from '../../../../operator/lifecycle/ledger.ts';
import type {
  LifecycleInput,
  LifecycleStage,
  PolicyContent,
} from '../../../../operator/lifecycle/types.ts';
import {
  aDigest,
  anAcknowledgement,
  anEvidenceWindow,
  aRevision,
  servedRows,
  START_MS,
} from '../../../support/builders.ts';
import {
  aLedger,
  aLoadedPod,
  BOTH,
  OTHER_REVISION,
  step,
} from '../../../support/ledger-builders.ts';
import { STAGES } from './stage-ledgers.ts';

const evidence = (fields: Partial<EvidenceWindow> = {}): EvidenceWindow[] =>
  [aRevision().headRevision, OTHER_REVISION].map((headRevision, i) => {
    const window = anEvidenceWindow({ seq: i + 1, headRevision, audits: 100, policyRevision: 2 });
    return { ...window, served: servedRows(2, 100), ...fields };
  });

/** How the world looks in a tick. */
const WORLDS: Readonly<Record<string, Partial<LifecycleInput>>> = {
  fresh: { pods: [aLoadedPod({ windows: evidence() })] },
  stale: { pods: [aLoadedPod({ acknowledgement: null, windows: evidence() })] },
  missing: { pods: [] },
  'invalid: heads with other known answers': {
    pods: [
      aLoadedPod({
        acknowledgement: anAcknowledgement(BOTH.map((r) => ({ ...r, knownAnswers: [[1]] }))),
        windows: evidence(),
      }),
    ],
  },
  'invalid: another backbone': {
    pods: [aLoadedPod({ windows: evidence({ backboneDigest: aDigest(9) }) })],
  },
  'invalid: other exits': { pods: [aLoadedPod({ windows: evidence({ exits: ['x', 'y'] }) })] },
  'invalid: dropped windows': { pods: [aLoadedPod({ droppedSeqs: [1, 2] })] },
  'invalid: audits lost under load': {
    pods: [aLoadedPod({ windows: evidence({ auditsLost: 2 }) })],
  },
};

/** Stages that fresh evidence moves on; all others need something else. */
const MOVED_BY_EVIDENCE: Partial<Record<LifecycleStage, LifecycleStage>> = {
  Staging: 'Shadowing',
  Shadowing: 'Ramping',
  Recertifying: 'Ramping',
  Idle: 'Collecting',
};

/** What settings and acknowledgements move without evidence. */
const STILL: Partial<Record<LifecycleStage, LifecycleStage[]>> = {
  Idle: ['Collecting'],
  Staging: ['Staging', 'Shadowing'],
};

const shareOf = (policy: PolicyContent | null): number => policy?.candidate?.share ?? 0;
const closedRows = ({ candidate, stable }: Ledger): number | undefined =>
  (candidate ?? stable)?.evidence?.blocks.closed.n;

describe.each(Object.keys(STAGES) as LifecycleStage[])('%s', (stage) => {
  const before = STAGES[stage];

  test('moves on fresh evidence alone', () => {
    const plan = step(before, { nowMs: START_MS + 10_000, ...WORLDS.fresh });
    expect(plan.ledger.stage).toBe(MOVED_BY_EVIDENCE[stage] ?? stage);
  });

  const doubtful = Object.keys(WORLDS).filter((world) => world !== 'fresh');
  test.each(doubtful)('with %s evidence lets no more leave, and counts no row', (world) => {
    const { ledger, policy } = step(before, { nowMs: START_MS + 10_000, ...WORLDS[world] });
    expect(STILL[stage] ?? [stage]).toContain(ledger.stage);
    expect(shareOf(policy)).toBeLessThanOrEqual(before.candidate?.ramp?.share ?? 0);
    expect(ledger.exitsEnabled && !before.exitsEnabled).toBe(false);
    expect(closedRows(ledger)).toBe(closedRows(before));
  });

  test('without facts about its heads lets nothing of them leave', () => {
    const plan = step(before, { revisions: [] });
    expect(plan.policy?.exitsEnabled).toBe(false);
    expect([plan.policy?.stable, plan.policy?.candidate]).toEqual([null, null]);
    if (stage !== 'Idle') expect(plan.ledger.stage).toBe(stage);
  });

  test('without a known backbone publishes nothing and changes nothing', () => {
    const plan = step(before, { backbone: null });
    expect(plan).toEqual({
      ledger: before,
      policy: null,
      training: null,
      decisions: [],
      nextDelayMs: 1_000,
    });
  });

  test('decides the same twice: the second tick without news changes nothing', () => {
    const first = step(before, { nowMs: START_MS + 1_000, pods: [] });
    const second = step(first.ledger, { nowMs: START_MS + 1_000, pods: [] });
    expect(second.ledger).toEqual(first.ledger);
    expect(second.policy).toEqual(first.policy);
    expect(second.decisions).toEqual([]);
  });
});

describe('an impossible ledger', () => {
  test.each(['Serving', 'Ramping'] as const)(
    'of stage %s without its heads is a bug, not a decision',
    (stage) => {
      expect(() => step(aLedger({ stage }))).toThrow(`stage ${stage} has a`);
    },
  );
});
