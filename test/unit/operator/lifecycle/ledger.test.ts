import { describe, expect, test } from 'vitest';
import { LAMBDA_COUNT } from '../../../../crds/wire/lambda-grid.ts';
import type { EvidenceGrid } from '../../../../crds/wire/evidence.ts';
import {
  emptyLedger,
  LEDGER_MAX_BYTES,
  parseLedger,
  serializeLedger,
  watermarks,
  type Ledger,
} from '../../../../operator/lifecycle/ledger.ts';
import { flagPods } from '../../../../operator/stats/flagged-pods.ts';
import { addPodRows, toPodRows, type PodRows } from '../../../../operator/stats/pod-rows.ts';
import { aDigest, START_MS } from '../../../support/builders.ts';
import {
  aCandidate,
  aLedger,
  aLookedAttempt,
  anAttempt,
  aRampingCandidate,
  aServingLedger,
  aVoidedStable,
} from '../../../support/ledger-builders.ts';
import { simulateFleet } from '../../../support/simulated-fleet.ts';

describe('a ledger', () => {
  test.each<[string, Ledger]>([
    ['of nothing', emptyLedger()],
    ['that shadows', aLedger({ stage: 'Shadowing', candidate: aCandidate() })],
    ['that ramps', aLedger({ stage: 'Ramping', candidate: aRampingCandidate() })],
    ['that serves', aServingLedger()],
    ['that recertifies', aLedger({ stage: 'Recertifying', stable: aVoidedStable() })],
  ])('%s reads as it was written', (_what, ledger) => {
    expect(parseLedger(serializeLedger(ledger))).toEqual({ ok: true, value: ledger });
  });

  test('names the watermark of every boot', () => {
    const marks = [{ podUid: 'a', bootId: 'b', seq: 3, seenMs: START_MS }];
    expect(watermarks(aLedger({ watermarks: marks }))).toEqual(marks);
  });

  const serving = aServingLedger();
  const looked = aLookedAttempt(3, 60);
  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['another version', { ...serving, schemaVersion: 2 }],
    ['an unknown field', { ...serving, extra: 1 }],
    ['an unknown reason', { ...serving, stable: { ...serving.stable, off: 'Because' } }],
    [
      'a lambda without a certificate',
      { ...serving, stable: { ...serving.stable, certificate: null } },
    ],
    [
      'a candidate with half a certificate',
      { ...serving, candidate: { ...aCandidate(), lambdaIndex: 3 } },
    ],
    [
      'a step without a certificate',
      { ...serving, candidate: { ...aRampingCandidate(), lambdaIndex: null, certificate: null } },
    ],
    ['a fraction of a row', { ...serving, fence: { epoch: 0.5, revision: 0 } }],
    [
      'more pods told apart than may be',
      {
        ...serving,
        stable: {
          ...serving.stable,
          evidence: { ...looked, pods: new Array(65).fill({ podUid: 'a', n: 1, steps: [] }) },
        },
      },
    ],
    ['a lambda off the grid', { ...serving, stable: { ...serving.stable, lambdaIndex: 120 } }],
  ])('with %s is refused whole', (_what, value) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const parsed = parseLedger(text);
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? '' : parsed.message).toContain('start from an empty one');
  });

  test('that is too large is refused', () => {
    expect(parseLedger(serializeLedger(serving) + ' '.repeat(LEDGER_MAX_BYTES)).ok).toBe(false);
  });

  test('of a service with 1,000 pods and 16 exits fits a ConfigMap, at its largest', () => {
    const boot = (i: number) => ({
      podUid: `6f7d1c1e-3b2a-4a57-9d1b-${String(i).padStart(12, '0')}`,
      bootId: `9c1e77aa-0b64-4d09-8f2c-${String(i).padStart(12, '0')}`,
    });
    const gridOf = (n: number): EvidenceGrid => ({
      n,
      dis: Array.from({ length: LAMBDA_COUNT }, (_, j) => Math.floor((n * j) / 500)),
      leave: Array.from({ length: 16 }, () =>
        Array.from({ length: LAMBDA_COUNT }, (_, j) => Math.floor((n * j) / 120 / 16)),
      ),
    });
    const told = (n: number): PodRows[] =>
      Array.from({ length: 1_000 }, (_, i) => toPodRows(boot(i).podUid, gridOf(n)));
    // Many pods with few rows each, and few with columns that change everywhere: the bounds on both are reached.
    const pods = addPodRows(told(120).slice(0, 900), told(1_200).slice(900, 915));
    expect(pods.length).toBeGreaterThan(20);
    const wide = gridOf(120_000);
    const flagged = flagPods(
      told(1_200)
        .slice(0, 12)
        .map((pod, i) => ({ ...pod, steps: i < 9 ? [] : pod.steps })),
      wide,
      { lambdaIndex: 60, dispersion: 1 },
    );
    expect(flagged?.pods).toHaveLength(8);
    const looks = [1, 2, 3].map((look) => ({
      ...looked.looks[0]!,
      ...{ look, grid: wide, flagged, dispersion: 1.234_567_890_123 },
    }));
    const squares = wide.dis.map((k) => k * 1.234_567_890_123);
    const blocks = { closed: wide, squares, blocks: 2_000, open: gridOf(49) };
    const evidence = anAttempt({ blocks, pods, looks });
    const exits = Array.from({ length: 16 }, (_, i) => `exit-${String(i)}`);
    const stable = { ...serving.stable!, exits, evidence };
    const after = Array.from({ length: 1_000 }, (_, i) => ({ ...boot(i), seq: 25_000 }));
    const ledger = aServingLedger({
      stable,
      previous: { stable, retiredAtMs: START_MS },
      candidate: aRampingCandidate({
        exits,
        evidence,
        loads: Array.from({ length: 200 }, (_, i) => ({ ...boot(i), atMs: START_MS })),
      }),
      watermarks: after.map((mark) => ({ ...mark, seq: 123_456, seenMs: START_MS })),
      training: {
        ...serving.training,
        waiting: { trigger: 'Alarm', part: 'recent', after },
      },
      failed: Array.from({ length: 10 }, (_, i) => ({
        headRevision: aDigest(i),
        reason: 'Alarm' as const,
        atMs: START_MS,
      })),
      mismatched: [],
    });
    const text = serializeLedger(ledger);
    expect(text.length).toBeLessThan(LEDGER_MAX_BYTES);
    expect(parseLedger(text)).toEqual({ ok: true, value: ledger });
  });

  test('of before, which told no pods apart, reads as one in which none stands out', () => {
    const text = serializeLedger(
      aServingLedger({ stable: { ...serving.stable!, evidence: looked } }),
    );
    const old = text.replace('"pods":[],', '').replace('"flagged":null,', '');
    expect(old).not.toMatch(/pods|flagged/);
    expect(parseLedger(old)).toEqual(parseLedger(text));
  });

  test('of a whole run stays small', () => {
    const fleet = simulateFleet({ seed: 9 });
    fleet.until('RolloutPromoted', 200);
    expect(serializeLedger(fleet.ledger).length).toBeLessThan(16_384);
  });
});
