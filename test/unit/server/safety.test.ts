import { describe, expect, test } from 'vitest';
import type { Track } from '../../../crds/wire/evidence.ts';
import type { AuditedRow } from '../../../server/engine/engine-client.ts';
import { GOOD_CERTIFICATE, aTrack } from '../../support/test-server.ts';
import { A, aSafety, POLICY, servingOf } from './safety-parts.ts';

function anAudit(backboneClass: number, headClass: number): AuditedRow {
  const track = {
    scores: Float64Array.of(0.99999, 0),
    classes: Int32Array.of(headClass, headClass),
    lossTenths: new Uint8Array(2).fill(headClass === backboneClass ? 0 : 10),
  };
  return { row: 0, backboneClass, backboneConfidence: 1, tracks: [track] };
}

describe('the breaker', () => {
  test('counts parts of rows where the certificate does, whole rows where any loss disagrees', () => {
    // One row in twenty loses a tenth: half the budget of 1 % in losses, five times it in disagreements.
    const rows = Array.from({ length: 400 }, (_, i): AuditedRow => {
      const audit = anAudit(i % 9, i % 9);
      const lossTenths = new Uint8Array(2).fill(i % 20 === 19 ? 1 : 0);
      return { ...audit, tracks: audit.tracks.map((track) => ({ ...track, lossTenths })) };
    });
    const tripsOn = (agreement: 'Strict' | 'F1'): boolean => {
      const { causes, safety } = aSafety();
      const certificate = { ...GOOD_CERTIFICATE, agreement };
      const policy = { ...POLICY, stable: aTrack(A, { certificate }) };
      safety.onAudits(servingOf(policy), rows);
      return causes.length > 0;
    };
    expect([tripsOn('Strict'), tripsOn('F1')]).toEqual([true, false]);
  });

  test('never counts while nothing may leave: exits off, held, no policy', () => {
    const { causes, safety } = aSafety();
    const wrong = Array.from({ length: 50 }, (_, i) => anAudit(i % 7, (i + 1) % 7));
    safety.onAudits(servingOf({ ...POLICY, exitsEnabled: false }), wrong);
    safety.onAudits(servingOf(POLICY, { held: new Set<Track>(['stable']) }), wrong);
    safety.onAudits(servingOf(POLICY, { policy: null }), wrong);
    expect(causes).toEqual([]);
    safety.onAudits(servingOf(POLICY), wrong);
    expect(causes).toContain('breaker');
    expect([...safety.view(POLICY).held]).toEqual(['stable']);
  });

  test('opens per certificate: only other audits, look or attempt close it', () => {
    const { safety } = aSafety();
    safety.onAudits(
      servingOf(POLICY),
      Array.from({ length: 50 }, (_, i) => anAudit(i % 7, (i + 1) % 7)),
    );
    const holds = (certificate: object, lambdaIndex = 60) =>
      safety.view({
        ...POLICY,
        stable: aTrack(A, { lambdaIndex, certificate: { ...GOOD_CERTIFICATE, ...certificate } }),
      }).held.size === 1;
    expect(holds({})).toBe(true);
    expect(holds({ disagreements: 1 }, 5)).toBe(true);
    expect(holds({ audits: 1_001 })).toBe(false);
    expect(holds({ look: 2 })).toBe(false);
    expect(holds({ attempt: 2 })).toBe(false);
  });
});

describe('staleness', () => {
  test('begins after maxAgeSeconds of silence and ends with a word of the operator', () => {
    const { clock, safety } = aSafety();
    clock.advance(300_000);
    expect(safety.view(POLICY)).toEqual({ held: new Set(), isStale: false });
    clock.advance(1);
    expect(safety.view(POLICY)).toEqual({ held: new Set(['stable']), isStale: true });
    safety.heard();
    expect(safety.view(POLICY)).toEqual({ held: new Set(), isStale: false });
  });

  test('leaves stable exits to a server with 299 own audits in the last 24 hours', () => {
    const { clock, safety } = aSafety();
    const audits = (count: number) => {
      safety.onAudits(
        servingOf(POLICY),
        Array.from({ length: count }, () => anAudit(0, 0)),
      );
    };
    audits(298);
    clock.advance(301_000);
    expect(safety.view(POLICY).held.size).toBe(1);
    audits(1);
    expect(safety.view(POLICY).held.size).toBe(0);
    clock.advance(25 * 3_600_000);
    expect(safety.view(POLICY).held.size).toBe(1);
  });
});

describe('numeric bursts', () => {
  const nan = (rows: number) => [{ track: 'stable' as const, exit: 'late', rows }];

  test('ten in a minute cut the exit and what follows it, for that revision alone', () => {
    const { causes, safety } = aSafety();
    safety.onNumeric(servingOf(POLICY), nan(9));
    expect(safety.beforeCut(A, ['early', 'late'])).toEqual(['early', 'late']);
    safety.onNumeric(servingOf(POLICY), nan(1));
    safety.onNumeric(servingOf(POLICY), nan(5));
    expect(causes).toEqual(['numeric']);
    expect(safety.beforeCut(A, ['early', 'late'])).toEqual(['early']);
    expect(safety.beforeCut(A, ['late', 'early'])).toEqual([]);
    expect(safety.beforeCut(`sha256:${'b'.repeat(64)}`, ['early', 'late'])).toEqual([
      'early',
      'late',
    ]);
    expect(safety.switchedOff(POLICY, A)).toEqual([{ exit: 'late', cause: 'numeric' }]);
  });

  test('counts of a revision that is gone are forgotten, its cut is not', () => {
    const { safety } = aSafety();
    safety.onNumeric(servingOf(POLICY), nan(9));
    safety.retain([]);
    safety.onNumeric(servingOf(POLICY), nan(9));
    expect(safety.beforeCut(A, ['late'])).toEqual(['late']);
    safety.onNumeric(servingOf(POLICY), nan(1));
    safety.retain([]);
    expect(safety.beforeCut(A, ['late'])).toEqual([]);
  });

  test('of a track that is not loaded are nobody’s', () => {
    const { causes, safety } = aSafety();
    safety.onNumeric(servingOf(POLICY), [{ track: 'candidate', exit: 'late', rows: 50 }]);
    expect(causes).toEqual([]);
  });
});
