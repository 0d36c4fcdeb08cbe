import { expect, test } from 'vitest';
import type { EvidenceWindow } from '../../../../crds/wire/evidence.ts';
import { createWindowRing } from '../../../../server/evidence/window-ring.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const aWindow = (seq: number) => ({ seq }) as unknown as EvidenceWindow;

test('before the first window a watermark of 0 is no gap', () => {
  const ring = createWindowRing(fakeClock());
  expect([ring.oldestSeq, ring.newestSeq, ring.after(0)]).toEqual([1, 0, []]);
});

test('windows are kept for 30 minutes, and their numbers go on', () => {
  const clock = fakeClock();
  const ring = createWindowRing(clock);
  ring.add(aWindow);
  clock.advance(20 * 60_000);
  ring.add(aWindow);
  clock.advance(11 * 60_000);
  expect([ring.oldestSeq, ring.newestSeq]).toEqual([2, 2]);
  clock.advance(20 * 60_000);
  expect([ring.oldestSeq, ring.newestSeq, ring.after(0)]).toEqual([3, 2, []]);
  ring.add(aWindow);
  expect(ring.after(2).map(({ seq }) => seq)).toEqual([3]);
});

test('an answer holds 256 windows, the ring 2,000', () => {
  const ring = createWindowRing(fakeClock());
  for (let i = 0; i < 2_500; i++) ring.add(aWindow);
  expect(ring.oldestSeq).toBe(501);
  const first = ring.after(0);
  expect([first.length, first[0]?.seq, first.at(-1)?.seq]).toEqual([256, 501, 756]);
});
