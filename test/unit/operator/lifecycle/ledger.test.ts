import { describe, expect, test } from 'vitest';
import {
  emptyLedger,
  LEDGER_MAX_BYTES,
  parseLedger,
  serializeLedger,
  watermarks,
  type Ledger,
} from '../../../../operator/lifecycle/ledger.ts';
import { emptyBlocks } from '../../../../operator/stats/dispersion.ts';
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

  test('of a service with 1,000 pods and 16 exits fits a ConfigMap', () => {
    const boot = (i: number) => ({
      podUid: `6f7d1c1e-3b2a-4a57-9d1b-${String(i).padStart(12, '0')}`,
      bootId: `9c1e77aa-0b64-4d09-8f2c-${String(i).padStart(12, '0')}`,
    });
    const looked = aLookedAttempt(3, 60);
    const wide = {
      n: 10_000,
      dis: looked.blocks.closed.dis,
      leave: Array.from({ length: 16 }, () => Array.from({ length: 120 }, () => 625)),
    };
    const look = { ...looked.looks[0]!, grid: wide };
    const evidence = anAttempt({
      blocks: { ...emptyBlocks(16), closed: wide, open: wide },
      looks: [look],
    });
    const exits = Array.from({ length: 16 }, (_, i) => `exit-${String(i)}`);
    const ledger = aServingLedger({
      stable: { ...serving.stable!, exits, evidence },
      candidate: aCandidate({
        exits,
        evidence: { ...evidence, looks: [] },
        loads: Array.from({ length: 200 }, (_, i) => ({ ...boot(i), atMs: START_MS })),
      }),
      watermarks: Array.from({ length: 1_000 }, (_, i) => ({
        ...boot(i),
        seq: 123_456,
        seenMs: START_MS,
      })),
      failed: Array.from({ length: 10 }, (_, i) => ({
        headRevision: aDigest(i),
        reason: 'Alarm' as const,
        atMs: START_MS,
      })),
    });
    expect(serializeLedger(ledger).length).toBeLessThan(LEDGER_MAX_BYTES);
  });

  test('of a whole run stays small', () => {
    const fleet = simulateFleet({ seed: 9 });
    fleet.until('RolloutPromoted', 200);
    expect(serializeLedger(fleet.ledger).length).toBeLessThan(16_384);
  });
});
