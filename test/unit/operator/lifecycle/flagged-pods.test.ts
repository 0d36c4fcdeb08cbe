import { describe, expect, test } from 'vitest';
import type { EvidenceWindow } from '../../../../crds/wire/evidence.ts';
import { restartRows } from '../../../../operator/lifecycle/attempts.ts';
import type { Attempt } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecyclePlan } from '../../../../operator/lifecycle/types.ts';
import { toPodRows } from '../../../../operator/stats/pod-rows.ts';
import { aGrid, anEvidenceWindow, servedRows, START_MS } from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aLoadedPod,
  anAttempt,
  blocksOf,
  BOTH,
  OTHER_REVISION,
  reasonsOf,
  step,
} from '../../../support/ledger-builders.ts';
import { simulatePods, type SimulatedPodRows } from '../../../support/pods-simulation.ts';

/** What these pods tell in one tick of a shadow: rows and disagreements each. */
function told(before: Attempt, ...counts: readonly (readonly [n: number, k: number])[]) {
  const pods = counts.map(([audits, disagreements], i) => {
    const podUid = `pod-${String(i)}`;
    const window: EvidenceWindow = {
      ...anEvidenceWindow({ podUid, headRevision: OTHER_REVISION, audits, disagreements }),
      ...{ track: 'candidate', served: servedRows(2, audits) },
    };
    return aLoadedPod({ podUid, windows: [window] });
  });
  const ledger = aLedger({ stage: 'Shadowing', candidate: aCandidate({ evidence: before }) });
  return step(ledger, { nowMs: START_MS + 10_000, pods, revisions: BOTH });
}

/** 19 blocks of 50 rows: the next tick brings a look, and if it is large the last one. */
const almostDone = (): Attempt => anAttempt({ blocks: blocksOf(950, 19) });

const deviations = ({ decisions }: LifecyclePlan) =>
  decisions.filter(({ reason }) => reason === 'PodDeviates');

describe('a pod that stands out', () => {
  const others = Array.from({ length: 6 }, () => [700, 10] as const);

  test('is said with its figures, and keeps the others from being certified by its rows', () => {
    const plan = told(almostDone(), [6_000, 0], ...others);
    expect(reasonsOf(plan)).toEqual(['PodDeviates', 'NoCertificate', 'NotCertified']);
    const [said, none] = plan.decisions;
    expect(said?.message).toBe(
      'Pod pod-0 stands out: 0 of its 6,000 audited rows disagree, against 60 of 5,150 of the other pods. It does not speak for them: the look has to pass without it too.',
    );
    expect(said).toMatchObject({
      headRevision: OTHER_REVISION,
      details: { look: 3, flagged: 1, podUid: 'pod-0', audits: 6_000, otherDisagreements: 60 },
    });
    expect(none?.message).toContain(
      '95% without the pods that disagree too seldom; 60 disagreements',
    );
    expect(plan.policy?.exitsEnabled).toBe(false);
  });

  test('stops nothing when the others pass without it', () => {
    const plan = told(almostDone(), [4_000, 0], [3_000, 12], [3_000, 12]);
    expect(reasonsOf(plan)).toEqual(['PodDeviates', 'Certified', 'RolloutStarted', 'ExitsEnabled']);
    expect(plan.ledger.candidate?.evidence?.looks).toMatchObject([{ flagged: { count: 1 } }]);
  });

  test('for disagreeing too often is said, and left where it is', () => {
    const plan = told(almostDone(), [1_000, 30], [5_000, 10], [5_000, 10]);
    expect(deviations(plan)[0]?.message).toBe(
      'Pod pod-0 stands out: 30 of its 1,000 audited rows disagree, against 20 of 10,950 of the other pods.',
    );
    expect(reasonsOf(plan)).toContain('Certified');
  });

  test('is one of more than are named', () => {
    const liars = Array.from({ length: 9 }, () => [4_000, 0] as const);
    const said = deviations(
      told(almostDone(), ...liars, ...Array.from({ length: 8 }, () => [9_000, 50] as const)),
    );
    expect(said).toHaveLength(8);
    expect(said[0]?.message).toContain(' In all 9 pods do.');
    expect(said[1]?.message).not.toContain('In all');
  });
});

describe('rows by pod', () => {
  const rows = (podUid: string, n: number, k: number) => toPodRows(podUid, aGrid(n, k));

  test('add up over ticks, without pods that told none', () => {
    const before = anAttempt({ pods: [rows('pod-0', 100, 1)] });
    const { ledger } = told(before, [40, 0], [60, 2], [0, 0]);
    expect(ledger.candidate?.evidence?.pods).toEqual([rows('pod-0', 140, 1), rows('pod-1', 60, 2)]);
  });

  test('go with the rows when evidence starts anew', () => {
    const before = anAttempt({ pods: [rows('pod-0', 100, 1)], blocks: blocksOf(100, 2) });
    expect(restartRows(before, START_MS)).toEqual(anAttempt());
  });
});

const SEED = 20_261_125;

function shareOf(runs: number, holds: (run: number) => boolean): number {
  return Array.from({ length: runs }, (_, run) => run).filter(holds).length / runs;
}

describe('simulated fleets', () => {
  const others = (count: number, share: number, risk: number): SimulatedPodRows[] =>
    Array.from({ length: count }, () => ({ share, risk }));

  test('one of 5 pods that denies everything while the others are at 1.6 budgets certifies nothing', () => {
    const fleet = [{ share: 0.2, risk: 1.6, isLying: true }, ...others(4, 0.2, 1.6)];
    expect(shareOf(100, (run) => simulatePods([SEED, 1, run], fleet).isCertified)).toBe(0);
  });

  test('nor does one that has half of the rows, which would hide it', () => {
    const fleet = [{ share: 0.5, risk: 1.6, isLying: true }, ...others(4, 0.125, 1.6)];
    const hidden = shareOf(60, (run) => simulatePods([SEED, 2, run], fleet, false).isCertified);
    expect(hidden).toBeGreaterThan(0.2);
    expect(shareOf(60, (run) => simulatePods([SEED, 2, run], fleet).isCertified)).toBe(0);
  });

  test('of 10 honest pods at most one in a hundred certificates has one that stands out', () => {
    const fleet = others(10, 0.1, 0.6);
    const flagged = shareOf(200, (run) =>
      simulatePods([SEED, 3, run], fleet).looks.some((look) => look.flagged !== null),
    );
    expect(flagged).toBeLessThanOrEqual(0.01);
  });
});
