import { expect, test } from 'vitest';
import type { PlannedTrack } from '../../../../server/engine/engine-client.ts';
import {
  addAudit,
  createPairedCounter,
  openTrackWindow,
  toServedCounters,
  toStrata,
} from '../../../../server/evidence/track-window.ts';
import { AGREEMENTS } from '../../../../server/core/agreement.ts';
import { fakeBundle } from '../../../support/test-server.ts';

const { F1, Strict } = AGREEMENTS;

function aPlannedTrack(more: Partial<PlannedTrack> = {}): PlannedTrack {
  return {
    track: 'stable',
    headRevision: `sha256:${'a'.repeat(64)}`,
    bundle: fakeBundle(1),
    activeExits: ['early', 'late'],
    lambdaIndex: 60,
    ...more,
  };
}

const scored = (scores: number[], classes: number[], backboneClass = 0) => ({
  scores: Float64Array.from(scores),
  classes: Int32Array.from(classes),
  lossTenths: Uint8Array.from(classes, (classId) => (classId === backboneClass ? 0 : 10)),
});

test('the 64 commonest classes stand alone, the others together', () => {
  const window = openTrackWindow('stable', aPlannedTrack());
  for (let classId = 0; classId < 70; classId++) {
    for (let i = 0; i < 100 - classId; i++) {
      addAudit(window, scored([0.99999, 0], [classId, 0], classId === 69 ? 0 : classId));
    }
  }
  const strata = toStrata(window);
  expect(strata).toHaveLength(65);
  expect(strata[0]).toEqual({ exit: 'early', classId: 0, audits: 100, disagreements: 0 });
  expect(strata.at(-1)).toEqual({
    exit: 'early',
    classId: -1,
    audits: 36 + 35 + 34 + 33 + 32 + 31,
    disagreements: 31,
  });
});

test('score bins cover logit -8 to 8, clamped; scores that are not finite fall in none', () => {
  const window = openTrackWindow('stable', aPlannedTrack());
  for (const score of [0, 1e-9, 0.5, 1 - 1e-9, 1, NaN])
    addAudit(window, scored([score, 0.5], [0, 0]));
  const [bins] = toServedCounters(window).scoreBins;
  expect(bins).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2]);
});

test('what an exit loses is summed in tenths of the rows that leave there', () => {
  const window = openTrackWindow('stable', aPlannedTrack());
  const loses = (...lossTenths: number[]): object => ({ lossTenths: Uint8Array.from(lossTenths) });
  addAudit(window, { ...scored([0.99999, 0], [1, 0]), ...loses(3, 10) });
  addAudit(window, { ...scored([0.99999, 0.99999], [1, 0]), ...loses(10, 10) });
  addAudit(window, { ...scored([0, 0.99999], [1, 0]), ...loses(10, 4) });
  addAudit(window, { ...scored([0, 0], [1, 0]), ...loses(10, 10) });
  expect(window.exitLossTenths).toEqual([13, 4]);
});

test('rows without heads have counters only', () => {
  const window = openTrackWindow('stable', null);
  addAudit(window, scored([], []));
  expect(window.grid.snapshot().n).toBe(0);
  expect(toStrata(window)).toEqual([]);
  expect(toServedCounters(window).rows).toEqual([0]);
});

test('pairs need two tracks and two lambdas', () => {
  const candidate = aPlannedTrack({ track: 'candidate' });
  expect(createPairedCounter([], Strict)).toBeNull();
  expect(createPairedCounter([aPlannedTrack()], Strict)).toBeNull();
  expect(createPairedCounter([aPlannedTrack({ lambdaIndex: null }), candidate], Strict)).toBeNull();
  expect(
    createPairedCounter([aPlannedTrack(), { ...candidate, lambdaIndex: null }], Strict),
  ).toBeNull();
});

test('a pair says where both would have left and who alone was wrong', () => {
  const paired = createPairedCounter(
    [aPlannedTrack(), aPlannedTrack({ track: 'candidate', lambdaIndex: 30 })],
    Strict,
  )!;
  const row = (stable: [number[], number[]], candidate: [number[], number[]]) => {
    paired.add({
      row: 0,
      backboneClass: 1,
      backboneConfidence: 1,
      tracks: [scored(...stable, 1), scored(...candidate, 1)],
    });
  };
  row(
    [
      [0.99999, 0],
      [1, 1],
    ],
    [
      [0.5, 0.99999],
      [0, 1],
    ],
  );
  row(
    [
      [0.99999, 0],
      [0, 1],
    ],
    [
      [0.5, 0.5],
      [0, 0],
    ],
  );
  row(
    [
      [0.5, 0.5],
      [0, 0],
    ],
    [
      [0.99999, 0],
      [2, 0],
    ],
  );
  row(
    [
      [0.99999, 0],
      [0, 1],
    ],
    [
      [0.99999, 0],
      [2, 0],
    ],
  );
  expect(paired.snapshot()).toMatchObject({
    stableExits: ['early', 'late'],
    stableLambdaIndex: 60,
    candidateLambdaIndex: 30,
    joint: [
      [1, 1, 1],
      [0, 0, 0],
      [1, 0, 0],
    ],
    onlyStableWrong: 1,
    onlyCandidateWrong: 1,
  });
});

test('of two answers that are both partly right the one that loses more is wrong, if parts count', () => {
  const tracks = [aPlannedTrack(), aPlannedTrack({ track: 'candidate', lambdaIndex: 60 })];
  const countOf = (agreement: typeof Strict) => {
    const paired = createPairedCounter(tracks, agreement)!;
    const half = { ...scored([0.99999, 0], [1, 1]), lossTenths: Uint8Array.of(5, 5) };
    const third = { ...scored([0.99999, 0], [1, 1]), lossTenths: Uint8Array.of(3, 3) };
    for (const pair of [
      [half, third],
      [half, half],
      [third, half],
      [half, third],
    ]) {
      paired.add({ row: 0, backboneClass: 1, backboneConfidence: 1, tracks: pair });
    }
    const { onlyStableWrong, onlyCandidateWrong } = paired.snapshot();
    return [onlyStableWrong, onlyCandidateWrong];
  };
  expect(countOf(F1)).toEqual([2, 1]);
  expect(countOf(Strict)).toEqual([0, 0]);
});
