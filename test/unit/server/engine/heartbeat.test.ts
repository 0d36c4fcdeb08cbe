import { describe, expect, test } from 'vitest';
import { Heartbeat, type Awaited } from '../../../../server/engine/heartbeat.ts';

const LIMITS = { silenceMs: 10_000, changeMs: 300_000, lookEveryMs: 1_000 };

/** Looks every second up to `untilMs`; the first problem with its time. */
function lookUntil(
  heartbeat: Heartbeat,
  { fromMs = 0, untilMs, awaited = [] }: { fromMs?: number; untilMs: number; awaited?: Awaited[] },
): [number, string] | null {
  for (let nowMs = fromMs + 1_000; nowMs <= untilMs; nowMs += 1_000) {
    const problem = heartbeat.look(nowMs, awaited);
    if (problem !== null) return [nowMs, problem];
  }
  return null;
}

test('a host that is silent for longer than the limit has no heartbeat', () => {
  expect(lookUntil(new Heartbeat(LIMITS, 0), { untilMs: 60_000 })).toEqual([
    11_000,
    'no heartbeat for 10000 ms',
  ]);
});

test('a host that answers lives, however old it is', () => {
  const heartbeat = new Heartbeat(LIMITS, 0);
  for (let nowMs = 1_000; nowMs <= 600_000; nowMs += 1_000) {
    expect(heartbeat.look(nowMs, [])).toBeNull();
    heartbeat.heard(nowMs + 3);
  }
});

test('time in which this process did not look is not silence of the host', () => {
  const heartbeat = new Heartbeat(LIMITS, 0);
  const awaited = [{ isBatch: true, sinceMs: heartbeat.atMs(900) }];
  expect(heartbeat.look(1_000, awaited)).toBeNull();
  // Stopped for ten minutes; the answers of that time are not read yet.
  expect(heartbeat.look(601_000, awaited)).toBeNull();
  expect(lookUntil(heartbeat, { fromMs: 601_000, untilMs: 700_000 })?.[0]).toBe(609_000);
});

describe('what a host was asked', () => {
  const living = (): Heartbeat => new Heartbeat({ ...LIMITS, silenceMs: 10_000 }, 0);
  function firstProblem(heartbeat: Heartbeat, awaited: Awaited, untilMs = 900_000) {
    for (let nowMs = 1_000; nowMs <= untilMs; nowMs += 1_000) {
      heartbeat.heard(nowMs);
      const problem = heartbeat.look(nowMs, [awaited]);
      if (problem !== null) return [nowMs, problem];
    }
    return null;
  }

  test('a batch must end within 20 of the slowest batches', () => {
    const slow = living();
    slow.ran(2_000);
    expect(firstProblem(living(), { isBatch: true, sinceMs: 0 })).toEqual([
      11_000,
      'a batch did not end within 10000 ms',
    ]);
    expect(firstProblem(slow, { isBatch: true, sinceMs: 0 })?.[0]).toBe(41_000);
  });

  test('one slow batch is forgotten: a limit that only grew would end up seeing nothing', () => {
    const heartbeat = living();
    heartbeat.ran(9_000);
    for (let i = 0; i < 600; i += 1) heartbeat.ran(5);
    expect(firstProblem(heartbeat, { isBatch: true, sinceMs: 0 })?.[0]).toBe(11_000);
  });

  test('preparing may take minutes, and the first load as long as it takes', () => {
    expect(firstProblem(living(), { isBatch: false, sinceMs: 0 })).toEqual([
      301_000,
      'a change of models or plans did not end within 300000 ms',
    ]);
    expect(firstProblem(living(), { isBatch: false, sinceMs: null })).toBeNull();
  });
});
