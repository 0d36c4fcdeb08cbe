import { expect, test } from 'vitest';
import { decodeHalf } from '../../../../crds/wire/half-float.ts';
import { encodeSampleBatch, parseSampleBatch } from '../../../../crds/wire/samples.ts';
import type { SampledRow } from '../../../../server/engine/engine-client.ts';
import { createSampleRecorder } from '../../../../server/evidence/sample-recorder.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { fakeReport } from '../../../support/fake-engine.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const EXITS = [{ name: 'early', tensor: 'cut_a' }];

function aRecorder(memoryBytes = 2 ** 20, classCount = 3) {
  const clock = fakeClock();
  const random = seededRandom(5);
  const model = { ...fakeReport().model, classCount };
  const recorder = createSampleRecorder({
    podUid: 'pod',
    bootId: 'boot',
    model,
    memoryBytes,
    clock,
    random: () => random.uniform(),
  });
  return { clock, recorder };
}

function aRow(backboneClass: number, features = [0.5, -2]): SampledRow {
  return {
    row: 0,
    backboneClass,
    logProbabilities: Float32Array.of(-1, -2, -3),
    features: [Float32Array.from(features)],
  };
}

test('keeps features as half floats, the backbone’s answer, sequence and minute', () => {
  const { clock, recorder } = aRecorder();
  recorder.offer(EXITS, [aRow(0)]);
  clock.advance(61_000);
  recorder.offer(EXITS, [aRow(2, [1, 70_000])]);
  const batch = recorder.read('recent', 0, 10);
  expect([...batch.minute]).toEqual([0, 1]);
  expect([...batch.teacherClass]).toEqual([0, 2]);
  expect([...decodeHalf(batch.features[0]!)]).toEqual([0.5, -2, 1, 65_504]);
  expect([...batch.teacherLogProbabilities.slice(0, 3)]).toEqual([-1, -2, -3]);
  expect(parseSampleBatch(encodeSampleBatch(batch))).toMatchObject({ ok: true });
});

test('skips rows that are not finite or have another shape', () => {
  const { recorder } = aRecorder();
  const odd = { ...aRow(0), features: [Float32Array.of(1)] };
  expect(recorder.offer(EXITS, [aRow(0, [NaN, 1]), aRow(0, [Infinity, 1]), odd, aRow(1)])).toEqual({
    kept: 1,
    skipped: 3,
  });
  expect(recorder.counts()).toEqual({ long: 1, recent: 1, seen: 1 });
});

test('the ring holds the last rows, the reservoir an even draw of all', () => {
  // Two halves of 10 rows: 2 * 2 bytes of features, 8 * 3 of answers, 64 of overhead each.
  const { recorder } = aRecorder(20 * 92);
  for (let i = 0; i < 1000; i++) recorder.offer(EXITS, [aRow(i % 3)]);
  expect(recorder.counts()).toEqual({ long: 10, recent: 10, seen: 1000 });
  expect(recorder.capacityRows()).toBe(10);
  expect([...recorder.read('recent', 0, 100).sequence]).toEqual(
    Array.from({ length: 10 }, (_, i) => 991 + i),
  );
  const { sequence, rowsSeen } = recorder.read('long', 0, 100);
  expect(rowsSeen).toBe(1000);
  const mean = sequence.reduce((a, b) => a + b, 0) / 10;
  // Uniform over 1..1000: standard error of the mean of ten is 91.
  expect(Math.abs(mean - 500)).toBeLessThan(3 * 91);
});

test('a restart forgets rows, never sequence numbers', () => {
  const { recorder } = aRecorder();
  recorder.offer(EXITS, [aRow(0), aRow(1)]);
  recorder.restart();
  recorder.offer(EXITS, [aRow(2)]);
  expect(recorder.read('long', 0, 10)).toMatchObject({ rowsSeen: 1, nextAfter: 3 });
  expect(recorder.read('long', 3, 10)).toMatchObject({ rowCount: 0, nextAfter: 3 });
});

test('other exits start a new layout', () => {
  const { recorder } = aRecorder();
  recorder.offer(EXITS, [aRow(0)]);
  recorder.offer([{ name: 'late', tensor: 'cut_b' }], [aRow(1)]);
  const batch = recorder.read('long', 0, 10);
  expect(batch.exits.map(({ name }) => name)).toEqual(['late']);
  expect([...batch.sequence]).toEqual([2]);
});

test('of many classes the 64 most probable are kept, best first', () => {
  const { recorder } = aRecorder(2 ** 20, 200);
  const logProbabilities = Float32Array.from({ length: 200 }, (_, c) => -Math.abs(c - 100));
  recorder.offer(EXITS, [{ ...aRow(100), logProbabilities }]);
  const batch = recorder.read('long', 0, 1);
  expect(batch.topCount).toBe(64);
  expect([...batch.teacherTopClasses.slice(0, 3)]).toEqual([100, 99, 101]);
  expect([...batch.teacherLogProbabilities.slice(0, 3)]).toEqual([-0, -1, -1]);
});

test('nothing is offered without exits, nothing is kept without memory', () => {
  const { recorder } = aRecorder(10);
  expect(recorder.offer([], [aRow(0)])).toEqual({ kept: 0, skipped: 0 });
  recorder.offer(EXITS, [aRow(0)]);
  expect(recorder.counts()).toEqual({ long: 0, recent: 0, seen: 0 });
});
