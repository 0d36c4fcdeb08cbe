import { beforeEach, describe, expect, test } from 'vitest';
import { TerminalError } from '../../../../operator/kube/terminal-error.ts';
import {
  createWorkQueue,
  type Pass,
  type PassResult,
  type WorkQueue,
} from '../../../../operator/kube/work-queue.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { fakeKubeClock, type FakeKubeClock } from '../../../support/kube-clock.ts';
import { apiError } from '../../../support/kube-scripted-api.ts';

let clock: FakeKubeClock;
let stop: AbortController;
let passes: Pass[];
let queue: WorkQueue;
/** Passes at work, in order of their start; tests end them. */
let work: { readonly key: string; end(result?: PassResult): void; fail(error: unknown): void }[];

const DONE: PassResult = { kind: 'Done' };

beforeEach(() => {
  clock = fakeKubeClock();
  stop = new AbortController();
  passes = [];
  work = [];
  queue = createWorkQueue({
    clock,
    random: () => 0,
    signal: stop.signal,
    onPass: (pass) => passes.push(pass),
  });
});

function run(): Promise<void> {
  return queue.run(
    (key) =>
      new Promise((resolve, reject) => {
        work.push({
          key,
          end: (result = DONE) => {
            resolve(result);
          },
          fail: reject,
        });
      }),
  );
}

/** Ends passes by themselves. */
function runTo(result: (key: string, nth: number) => PassResult | Error): Promise<void> {
  const counts = new Map<string, number>();
  return queue.run((key) => {
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    const value = result(key, nth);
    return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
  });
}

const keys = () => work.map(({ key }) => key);

describe('a key', () => {
  test('added many times before its pass is worked on once', async () => {
    void run();
    for (let i = 0; i < 100; i++) queue.add('ns/a');
    await clock.pass(0);
    expect(keys()).toEqual(['ns/a']);
    expect(queue.counters.adds).toBe(1);
  });

  test('added while it is worked on is worked on once more, afterwards, never by two workers', async () => {
    void run();
    queue.add('a');
    await clock.pass(0);
    queue.add('a');
    queue.add('a');
    await clock.pass(0);
    expect(keys()).toEqual(['a']);
    expect([queue.depth, queue.active]).toEqual([0, 1]);
    work[0]!.end();
    await clock.pass(0);
    expect(keys()).toEqual(['a', 'a']);
    work[1]!.end();
    await clock.pass(60_000);
    expect(keys()).toHaveLength(2);
  });

  test('never starts in the turn that adds it', () => {
    void run();
    queue.add('a');
    expect(work).toHaveLength(0);
  });

  test('added before the queue runs waits for it', async () => {
    queue.add('a');
    await clock.pass(1_000);
    expect(queue.depth).toBe(1);
    void run();
    await clock.pass(0);
    expect(keys()).toEqual(['a']);
  });
});

test('at most four keys are worked on at once, in the order in which they came', async () => {
  void run();
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) queue.add(key);
  await clock.pass(0);
  expect(keys()).toEqual(['a', 'b', 'c', 'd']);
  expect([queue.depth, queue.active]).toEqual([2, 4]);
  work[2]!.end();
  await clock.pass(0);
  expect(keys()).toEqual(['a', 'b', 'c', 'd', 'e']);
});

describe('a failure', () => {
  test('brings its key back after 1 s, then 2, up to 60, and success starts anew', async () => {
    void runTo((_, nth) => (nth <= 8 ? new Error('no') : DONE));
    queue.add('a');
    await clock.pass(600_000);
    expect(passes.map(({ retryInMs }) => retryInMs)).toEqual([
      1_000,
      2_000,
      4_000,
      8_000,
      16_000,
      32_000,
      60_000,
      60_000,
      null,
    ]);
    expect(queue.counters).toMatchObject({ retries: 8, outcomes: { Failed: 8, Done: 1 } });
  });

  test('after a success waits 1 s again', async () => {
    void runTo((_, nth) => (nth === 4 ? DONE : new Error('no')));
    queue.add('a');
    await clock.pass(10_000);
    queue.add('a');
    await clock.pass(0);
    expect(passes.map(({ retryInMs }) => retryInMs)).toEqual([1_000, 2_000, 4_000, null, 1_000]);
  });

  test('is spread by up to half its wait, so that keys that failed together do not return together', async () => {
    const spread = createWorkQueue({
      clock,
      random: () => 0.999,
      signal: stop.signal,
      onPass: (pass) => passes.push(pass),
    });
    void spread.run(() => Promise.reject(new Error('no')));
    spread.add('a');
    await clock.pass(0);
    expect(passes[0]!.retryInMs).toBeCloseTo(500.5);
  });

  test('of one key delays no other', async () => {
    void runTo((key) => (key === 'bad' ? new Error('no') : DONE));
    queue.add('bad');
    queue.add('good');
    await clock.pass(0);
    expect(passes.map(({ key, outcome }) => [key, outcome])).toEqual([
      ['bad', 'Failed'],
      ['good', 'Done'],
    ]);
  });

  test('that says how long to wait is obeyed', async () => {
    void runTo(() => apiError(429, 'TooManyRequests', 90));
    queue.add('a');
    await clock.pass(89_999);
    expect(passes).toHaveLength(1);
    await clock.pass(1);
    expect(passes).toHaveLength(2);
  });

  test('by a lost race counts as a conflict and comes back', async () => {
    void runTo((_, nth) => (nth === 1 ? apiError(409, 'Conflict') : DONE));
    queue.add('a');
    await clock.pass(1_000);
    expect(passes.map(({ outcome }) => outcome)).toEqual(['Conflict', 'Done']);
  });

  test('that no retry can heal is forgotten and counted, and a change brings the key back at once', async () => {
    void runTo((_, nth) => (nth === 1 ? new TerminalError('InvalidSpec', 'fix the field') : DONE));
    queue.add('a');
    await clock.pass(600_000);
    expect(passes.map(({ outcome }) => outcome)).toEqual(['Terminal']);
    queue.add('a');
    await clock.pass(0);
    expect(passes.map(({ outcome }) => outcome)).toEqual(['Terminal', 'Done']);
  });

  test('waiting for its retry does not hold up a change', async () => {
    void runTo(() => new Error('no'));
    queue.add('a');
    await clock.pass(0);
    queue.add('a');
    await clock.pass(0);
    expect(passes).toHaveLength(2);
  });
});

describe('a delay', () => {
  test('asked for by a pass brings the key back then, and is no failure', async () => {
    void runTo((_, nth) => (nth === 1 ? { kind: 'RequeueAfter', delayMs: 30_000 } : DONE));
    queue.add('a');
    await clock.pass(29_999);
    expect(passes).toHaveLength(1);
    await clock.pass(1);
    expect(passes.map(({ outcome }) => outcome)).toEqual(['RequeueAfter', 'Done']);
    expect(queue.counters.retries).toBe(0);
  });

  test('that is earlier wins over one that is later, in either order', async () => {
    void run();
    queue.addAfter('a', 10_000);
    queue.addAfter('a', 3_000);
    queue.addAfter('a', 60_000);
    await clock.pass(2_999);
    expect(work).toHaveLength(0);
    await clock.pass(1);
    expect(keys()).toEqual(['a']);
    work[0]!.end();
    await clock.pass(600_000);
    expect(keys()).toEqual(['a']);
  });

  test('of zero or less is none', async () => {
    void run();
    queue.addAfter('a', 0);
    await clock.pass(0);
    expect(keys()).toEqual(['a']);
  });
});

describe('the end', () => {
  test('waits for the passes at work and starts no other', async () => {
    let isOver = false;
    const running = run().then(() => {
      isOver = true;
    });
    queue.add('a');
    await clock.pass(0);
    queue.add('b');
    queue.addAfter('c', 1_000);
    stop.abort();
    queue.add('d');
    queue.addAfter('e', 1);
    await clock.pass(60_000);
    expect(isOver).toBe(false);
    work[0]!.fail(new Error('interrupted'));
    await running;
    await clock.pass(60_000);
    expect(keys()).toEqual(['a']);
    expect(clock.alarms).toBe(0);
  });

  test('comes at once when nothing is at work', async () => {
    const running = run();
    stop.abort();
    await running;
    await createWorkQueue({ clock, random: () => 0, signal: stop.signal }).run(() =>
      Promise.resolve(DONE),
    );
  });

  test('by a broken invariant reaches the caller: the process must not go on', async () => {
    const running = runTo(() => new InvariantError('impossible'));
    queue.add('a');
    await expect(running).rejects.toThrow(InvariantError);
  });
});

test('a queue runs once', async () => {
  void run();
  await expect(queue.run(() => Promise.resolve(DONE))).rejects.toThrow('already runs');
});

test('every pass reports how long its key waited and how long it took', async () => {
  queue.add('a');
  await clock.pass(250);
  void run();
  await clock.pass(0);
  await clock.pass(40);
  expect([queue.longestRunningMs, queue.unfinishedMs]).toEqual([40, 40]);
  work[0]!.end();
  await clock.pass(0);
  expect(passes).toMatchObject([{ key: 'a', waitedMs: 250, tookMs: 40, error: null }]);
  expect([queue.longestRunningMs, queue.unfinishedMs]).toEqual([0, 0]);
});
