// What a server decides alone, to the row: the smallest thing that switches exits off, and what just does not.
import { describe, expect, test } from 'vitest';
import type { AuditedRow, ScoredRow } from '../../../server/engine/engine-client.ts';
import type { Safety } from '../../../server/safety.ts';
import { aCandidate, aPolicy, aTrack } from '../../support/test-server.ts';
import { A, aSafety, B, POLICY, servingOf } from './safety-parts.ts';

const EXITS = ['early', 'late'];
const BOTH = aPolicy({ stable: aTrack(A), candidate: aCandidate(B, 0.25), auditRate: 1 });

const SURE = 0.99999;
type Scored = Omit<ScoredRow, 'lossTenths'>;
const scored = (scores: readonly number[], classId: number): Scored => ({
  scores: Float64Array.from(scores),
  classes: Int32Array.of(classId, classId),
});
const row = (backboneClass: number, ...tracks: readonly Scored[]): AuditedRow => ({
  row: 0,
  backboneClass,
  backboneConfidence: 1,
  tracks: tracks.map((track) => ({
    ...track,
    lossTenths: Uint8Array.from(track.classes, (classId) => (classId === backboneClass ? 0 : 10)),
  })),
});
const times = <T>(count: number, one: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => one(i));

/** Rows that the first exit answers; at most six of a class, so that no class stands out. */
const wrongEarly = (count: number): AuditedRow[] =>
  times(count, (i) => row(i % 9, scored([SURE, 0], (i + 1) % 9)));

describe('a class of one exit', () => {
  /** Rows of that class by the exit; between them many that agree, of other classes, so that the breaker stays closed. */
  function answer(
    safety: Safety,
    { wrong, right = 0, exit = 0 }: { wrong: number; right?: number; exit?: 0 | 1 },
    classId = 7,
  ): void {
    const scores = exit === 0 ? [SURE, SURE] : [0, SURE];
    const calm = (): AuditedRow[] => times(500, (i) => row(i % 5, scored([SURE, SURE], i % 5)));
    safety.onAudits(
      servingOf(POLICY),
      times(right, () => row(classId, scored(scores, classId))),
    );
    for (let i = 0; i < wrong; i++) {
      safety.onAudits(servingOf(POLICY), [...calm(), row(3, scored(scores, classId))]);
    }
  }

  test('is over budget with its twentieth disagreement, and cuts from that exit on', () => {
    const { safety, causes } = aSafety();
    answer(safety, { wrong: 19 });
    expect(safety.beforeCut(A, EXITS)).toEqual(EXITS);
    answer(safety, { wrong: 1 });
    expect(safety.beforeCut(A, EXITS)).toEqual([]);
    expect(safety.switchedOff(POLICY, A)).toEqual([{ exit: 'early', cause: 'breaker' }]);
    expect(causes).toEqual(['breaker']);
  });

  test('of the second exit leaves the first', () => {
    const { safety } = aSafety();
    answer(safety, { wrong: 20, exit: 1 });
    expect(safety.beforeCut(A, EXITS)).toEqual(['early']);
  });

  test('does not count what other classes or exits disagree on', () => {
    const { safety } = aSafety();
    answer(safety, { wrong: 12 }, 6);
    answer(safety, { wrong: 12 }, 7);
    answer(safety, { wrong: 12, exit: 1 }, 7);
    expect(safety.beforeCut(A, EXITS)).toEqual(EXITS);
  });

  test('that mostly agrees is not cut, however often it disagrees', () => {
    const { safety } = aSafety();
    answer(safety, { wrong: 40, right: 400 });
    expect(safety.beforeCut(A, EXITS)).toEqual(EXITS);
  });

  test('of a revision that is gone begins anew, of one that stays it goes on', () => {
    for (const [kept, before] of [
      [[], EXITS],
      [[A], []],
    ] as const) {
      const { safety } = aSafety();
      answer(safety, { wrong: 19 });
      safety.retain(kept);
      answer(safety, { wrong: 1 });
      expect(safety.beforeCut(A, EXITS)).toEqual(before);
    }
  });
});

describe('the breaker of a track', () => {
  test('tells once that it opened', () => {
    const { safety, causes } = aSafety();
    safety.onAudits(servingOf(POLICY), wrongEarly(54));
    expect(causes).toEqual(['breaker']);
  });

  test('does not count rows that no head answered, nor rows without this track', () => {
    const { safety, causes } = aSafety();
    safety.onAudits(
      servingOf(POLICY),
      times(54, (i) => row(1 + (i % 3), scored([0, 0], 0))),
    );
    safety.onAudits(
      servingOf(POLICY),
      times(54, (i) => row(i % 3)),
    );
    expect(causes).toEqual([]);
    expect(safety.view(POLICY).held).toEqual(new Set());
  });

  test('of the candidate holds the candidate alone', () => {
    const { safety } = aSafety();
    const right = (i: number): Scored => scored([SURE, 0], i % 9);
    const wrong = (i: number): Scored => scored([SURE, 0], (i + 1) % 9);
    safety.onAudits(
      servingOf(BOTH),
      times(54, (i) => row(i % 9, right(i), wrong(i))),
    );
    expect(safety.view(BOTH).held).toEqual(new Set(['candidate']));
    expect(safety.switchedOff(BOTH, B)).toEqual(EXITS.map((exit) => ({ exit, cause: 'breaker' })));
    expect(safety.switchedOff(BOTH, A)).toEqual([]);
  });

  test('knows nothing of tracks that the policy does not name', () => {
    const { safety, causes } = aSafety();
    const { plan } = servingOf(POLICY);
    safety.onAudits(servingOf({ ...POLICY, stable: null }, { plan }), wrongEarly(54));
    expect(causes).toEqual([]);
    const shadow = aPolicy({ stable: aTrack(A, { certificate: null, lambdaIndex: null }) });
    expect(safety.view(shadow).held).toEqual(new Set());
  });
});

describe('what is off', () => {
  test('by the breaker is every active exit of the track, and none of other heads', () => {
    const { safety } = aSafety();
    safety.onAudits(servingOf(POLICY), wrongEarly(54));
    expect(safety.switchedOff(POLICY, A)).toEqual(
      EXITS.map((exit) => ({ exit, cause: 'breaker' })),
    );
    expect(safety.switchedOff(POLICY, B)).toEqual([]);
    expect(safety.switchedOff(null, A)).toEqual([]);
  });

  test('by silence is stable, not the candidate, whose share is gone anyway', () => {
    const { clock, safety } = aSafety();
    clock.advance(300_001);
    expect(safety.switchedOff(BOTH, A)).toEqual(
      EXITS.map((exit) => ({ exit, cause: 'stale_policy' })),
    );
    expect(safety.switchedOff(BOTH, B)).toEqual([]);
  });

  test('by two causes is named once, by its own cut', () => {
    const { safety } = aSafety();
    safety.onNumeric(servingOf(POLICY), [{ track: 'stable', exit: 'late', rows: 10 }]);
    safety.onAudits(servingOf(POLICY), wrongEarly(54));
    expect(safety.switchedOff(POLICY, A)).toEqual([
      { exit: 'late', cause: 'numeric' },
      { exit: 'early', cause: 'breaker' },
    ]);
    expect(safety.switchedOff(null, A)).toEqual([{ exit: 'late', cause: 'numeric' }]);
  });
});

describe('rows that are not finite', () => {
  const nan = (exit: string, rows: number) => [{ track: 'stable' as const, exit, rows }];

  test('are counted for a minute, its last moment included', () => {
    for (const [laterMs, before] of [
      [60_000, ['early']],
      [60_001, EXITS],
    ] as const) {
      const { clock, safety } = aSafety();
      clock.advance(10_000);
      safety.onNumeric(servingOf(POLICY), nan('late', 9));
      clock.advance(laterMs);
      safety.onNumeric(servingOf(POLICY), nan('late', 1));
      expect(safety.beforeCut(A, EXITS)).toEqual(before);
    }
  });

  test('of two exits do not add up, and those of a revision that stays are kept', () => {
    const { safety } = aSafety();
    safety.onNumeric(servingOf(POLICY), [...nan('early', 9), ...nan('late', 9)]);
    expect(safety.beforeCut(A, EXITS)).toEqual(EXITS);
    safety.retain([A]);
    safety.onNumeric(servingOf(POLICY), nan('late', 1));
    expect(safety.beforeCut(A, EXITS)).toEqual(['early']);
  });
});

test('silence is unknown before the first word, and counted from the last', () => {
  const { clock, safety } = aSafety();
  clock.advance(5_000);
  expect(safety.silentMs()).toBeNull();
  safety.heard();
  clock.advance(2_000);
  expect(safety.silentMs()).toBe(2_000);
});

test('own audits count for a day of buckets, not a bucket longer', () => {
  const { clock, safety } = aSafety();
  const bucketMs = 600_000;
  clock.advance(bucketMs - (clock.monotonicMs() % bucketMs));
  safety.onAudits(
    servingOf(POLICY),
    times(299, () => row(0, scored([SURE, 0], 0))),
  );
  clock.advance(144 * bucketMs - 1);
  expect(safety.view(POLICY)).toEqual({ held: new Set(), isStale: true });
  clock.advance(1);
  expect(safety.view(POLICY).held).toEqual(new Set(['stable']));
});
