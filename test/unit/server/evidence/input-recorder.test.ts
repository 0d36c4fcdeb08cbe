import { expect, test } from 'vitest';
import { decodeHalf } from '../../../../crds/wire/half-float.ts';
import { encodeInputBatch, parseInputBatch } from '../../../../crds/wire/inputs.ts';
import { createInputRecorder } from '../../../../server/evidence/input-recorder.ts';
import { BACKBONE_DIGEST } from '../../../support/builders.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const ROW_BYTES = 2 * 4 + 128;

function aRecorder(rows = 3) {
  const clock = fakeClock();
  const recorder = createInputRecorder({
    ...{ podUid: 'pod', bootId: 'boot', backboneDigest: BACKBONE_DIGEST, rowShape: [2, 2] },
    ...{ maxBytes: rows * ROW_BYTES, retentionMs: 60_000, clock },
  });
  const offer = (sequence: number): void => {
    recorder.offer(sequence, Float32Array.of(sequence, 0.5, -1, 2));
  };
  const held = (): number[] => [...recorder.read(0, 100).sequence];
  return { clock, recorder, offer, held };
}

test('holds rows by their number, and gives them as a document that is read again', () => {
  const { recorder, offer } = aRecorder();
  offer(3);
  offer(7);
  const batch = recorder.read(0, 10);
  expect(batch).toMatchObject({ rowCount: 2, nextAfter: 7, rowShape: [2, 2], podUid: 'pod' });
  expect([...decodeHalf(batch.inputs)]).toEqual([3, 0.5, -1, 2, 7, 0.5, -1, 2]);
  expect(parseInputBatch(encodeInputBatch(batch))).toEqual({ ok: true, value: batch });
  expect(recorder.read(3, 10).rowCount).toBe(1);
  expect(recorder.read(7, 10)).toMatchObject({ rowCount: 0, nextAfter: 7 });
  expect(recorder.read(0, 1)).toMatchObject({ rowCount: 1, nextAfter: 3 });
});

test('never holds more rows than its memory takes: the oldest make room', () => {
  const { recorder, offer, held } = aRecorder();
  for (let row = 1; row <= 100; row++) {
    offer(row);
    expect(recorder.counts().rows).toBeLessThanOrEqual(3);
  }
  expect(held()).toEqual([98, 99, 100]);
  expect(recorder.counts()).toEqual({ rows: 3, maxRows: 3, retentionSeconds: 60 });
});

test('forgets rows that were held long enough, without any traffic', () => {
  const { clock, recorder, offer, held } = aRecorder();
  offer(1);
  clock.advance(40_000);
  offer(2);
  clock.advance(20_001);
  recorder.expire();
  expect(held()).toEqual([2]);
  clock.advance(40_000);
  expect(recorder.counts().rows).toBe(0);
});

test('forgets all when told to, and goes on', () => {
  const { recorder, offer, held } = aRecorder();
  offer(1);
  recorder.wipe();
  expect(held()).toEqual([]);
  offer(2);
  expect(held()).toEqual([2]);
});

test('holds nothing where no row fits, nor rows of another size', () => {
  const { offer, held } = aRecorder(0);
  offer(1);
  expect(held()).toEqual([]);
  const other = aRecorder();
  other.recorder.offer(1, Float32Array.of(1));
  expect(other.held()).toEqual([]);
});
