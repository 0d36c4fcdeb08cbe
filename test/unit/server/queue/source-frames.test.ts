import { expect, test } from 'vitest';
import type { KeyFrame } from '../../../../server/core/detection/frame-memory.ts';
import type { BatchRow } from '../../../../server/queue/batch-log.ts';
import type { PendingRow } from '../../../../server/queue/job.ts';
import { createSourceFrames, sourceOf } from '../../../../server/queue/source-frames.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { aPolicy } from '../../../support/test-server.ts';

const FRAME: KeyFrame = { features: new Float32Array(4), boxes: [], margin: 0.1, nearCut: 0 };

const aRow = (source: string | null, failures = 0): PendingRow =>
  ({ pending: { job: { source } }, index: 0, failures }) as unknown as PendingRow;
const asked = (forced: BatchRow['forced'] = null): BatchRow => ({
  ...{ track: 'stable', audited: false, sampled: false, forced, waitedMs: 0 },
});

test('a source is the value of the header that the policy names, and the name of that header', () => {
  const policy = aPolicy({
    exits: [{ name: 'still', tensor: 'a', sourceHeader: 'X-Camera', mode: 'Active' }],
  });
  expect(sourceOf(policy, { 'x-camera': 'door' })).toBe('x-camera: door');
  expect(sourceOf(policy, { 'x-room': 'door' })).toBeNull();
  expect(sourceOf(aPolicy(), { 'x-camera': 'door' })).toBeNull();
  expect(sourceOf(null, { 'x-camera': 'door' })).toBeNull();
  const off = { ...policy, exits: [{ ...policy.exits[0]!, mode: 'Disabled' as const }] };
  expect(sourceOf(off, { 'x-camera': 'door' })).toBeNull();
});

test('frames of one source in one batch wait for the first answer, each for itself', () => {
  const frames = createSourceFrames(fakeClock());
  const rows = [aRow('a'), aRow('a'), aRow(null)];
  const batch = frames.open(
    rows,
    rows.map(() => asked()),
  );
  expect([0, 1, 2].map((row) => batch.isKey(row))).toEqual([true, true, false]);
  expect(batch.recalled).toEqual([]);
  batch.keep([{ row: 0, frame: FRAME }]);
  const next = frames.open([aRow('a'), aRow('b')], [asked(), asked()]);
  expect(next.recalled).toMatchObject([{ row: 0, key: { age: 2 } }]);
  expect([0, 1].map((row) => next.isKey(row))).toEqual([false, true]);
});

test('a row that comes again is not counted again, and one that has no choice takes no part', () => {
  const frames = createSourceFrames(fakeClock());
  frames.open([aRow('a')], [asked()]).keep([{ row: 0, frame: FRAME }]);
  expect(frames.open([aRow('a', 1)], [asked('engine_retry')]).recalled).toEqual([]);
  const optedOut = frames.open([aRow('a')], [asked('opt_out')]);
  expect([optedOut.recalled, optedOut.isKey(0)]).toEqual([[], false]);
  optedOut.keep([{ row: 0, frame: FRAME }]);
  // Exits are off, and its audit is told what it would have been answered.
  const off = frames.open([aRow('a')], [asked('exits_off')]);
  expect(off.recalled).toMatchObject([{ row: 0, key: { age: 2 } }]);
});

test('what was under way when everything was forgotten is not kept', () => {
  const frames = createSourceFrames(fakeClock());
  const late = frames.open([aRow('a')], [asked()]);
  frames.forget();
  late.keep([{ row: 0, frame: FRAME }]);
  expect(frames.open([aRow('a')], [asked()]).isKey(0)).toBe(true);
});
