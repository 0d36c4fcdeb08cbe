import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { createHeadPace, type HeadPace } from '../../../server/head-pace.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';

let clock: FakeClock;
let batches: number;
let waitedMs: number;
let pace: HeadPace;
beforeEach(() => {
  clock = fakeClock();
  batches = 0;
  waitedMs = 0;
  pace = createHeadPace({
    clock,
    batches: () => batches,
    wait: async (ms) => {
      clock.advance(ms);
      waitedMs += ms;
      await turn();
    },
  });
});

const always = (): boolean => true;
const pairOf = (revision: number) => ({ epoch: 1, revision });
/** An opening of heads that takes so long, while so many batches are started. */
const opening = (ms: number, started: number) => async (): Promise<void> => {
  await turn();
  batches += started;
  clock.advance(ms);
};

describe('heads', () => {
  test('are opened at once for the first time, whatever was answered before', async () => {
    batches = 100;
    await pace.turn(pairOf(1), always);
    expect(waitedMs).toBe(0);
  });

  test('are opened at once where nothing was answered since the last opening began', async () => {
    await pace.open(opening(30, 0));
    await pace.turn(pairOf(2), always);
    expect(waitedMs).toBe(0);
  });

  test.each([
    ['nine times as long as the last opening took', 30, 270],
    ['half a second at most', 200, 500],
  ])('rest for %s while requests come', async (_, tookMs, restMs) => {
    await pace.open(opening(tookMs, 1));
    await pace.turn(pairOf(2), always);
    expect(waitedMs).toBe(restMs);
  });

  test('rest after an opening that failed, too', async () => {
    const failing = pace.open(async () => {
      await opening(20, 1)();
      throw new Error('refused');
    });
    await expect(failing).rejects.toThrow('refused');
    await pace.turn(pairOf(2), always);
    expect(waitedMs).toBe(180);
  });

  test('that have rested long enough wait no more', async () => {
    await pace.open(opening(30, 1));
    clock.advance(1_000);
    await pace.turn(pairOf(2), always);
    expect(waitedMs).toBe(0);
  });
});

test('a policy that has nothing left to open does not wait', async () => {
  await pace.open(opening(30, 1));
  await pace.turn(pairOf(2), () => false);
  expect(waitedMs).toBe(0);
});

test('a policy that comes during an opening rests after it like any other', async () => {
  let end = (): void => undefined;
  const open = pace.open(() => new Promise<void>((resolve) => (end = resolve)));
  batches += 1;
  const later = pace.turn(pairOf(2), always);
  for (let i = 0; i < 4; i += 1) await turn();
  const openedMs = waitedMs;
  expect(openedMs).toBeGreaterThan(0);
  end();
  await open;
  await later;
  expect(waitedMs - openedMs).toBeGreaterThanOrEqual(9 * openedMs);
});

test('of several that wait the newest goes first, and older ones when they have nothing left to open', async () => {
  await pace.open(opening(30, 1));
  const order: number[] = [];
  const waiting = [2, 4, 3].map(async (revision) => {
    await pace.turn(pairOf(revision), () => order.length === 0 || revision > order[0]!);
    order.push(revision);
  });
  await Promise.all(waiting);
  expect(order[0]).toBe(4);
  expect([...order].sort()).toEqual([2, 3, 4]);
});
