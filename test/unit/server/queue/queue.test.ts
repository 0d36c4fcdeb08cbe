import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchSize, batchWaitMs } from '../../../../server/queue/buckets.ts';
import type { InferJob, PendingJob } from '../../../../server/queue/job.ts';
import { rowInput } from '../../../../server/queue/job.ts';
import { createPoisonList } from '../../../../server/queue/poison.ts';
import { createRowQueue } from '../../../../server/queue/queue.ts';
import { fakeClock } from '../../../support/fake-clock.ts';

const NOW = { nowMs: 0, endMs: 0 };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function aJob(rows: number, more: Partial<InferJob> = {}): PendingJob {
  const job: InferJob = {
    rows,
    datatype: 'FP32',
    input: Uint8Array.from({ length: rows * 2 }, (_, i) => i),
    rowBytes: 2,
    forced: null,
    receivedMs: 0,
    deadlineMs: 1000,
    trackDraw: 0,
    source: null,
    auditDraws: new Uint32Array(rows),
    settle: () => undefined,
    ...more,
  };
  return { job, answers: [], answered: 0, queued: 0, settled: false, timer: null };
}

describe('the queue', () => {
  test('gives rows in the order they came, across jobs', () => {
    const queue = createRowQueue();
    const [a, b] = [aJob(2), aJob(3)];
    queue.push(a);
    queue.push(b);
    expect(queue.length).toBe(5);
    expect(queue.take(3, NOW).map((row) => [row.pending === a, row.index])).toEqual([
      [true, 0],
      [true, 1],
      [false, 0],
    ]);
    expect(queue.length).toBe(2);
  });

  test('keeps nothing of the rows that were taken or that ended, while others wait', async () => {
    const queue = createRowQueue();
    const refs: WeakRef<PendingJob>[] = [];
    const push = (more: Partial<InferJob>, count: number): void => {
      for (let i = 0; i < count; i++) {
        const pending = aJob(1, more);
        refs.push(new WeakRef(pending));
        queue.push(pending);
      }
    };
    // In a function of its own: what a test's frame has touched stays alive with it.
    ((): void => {
      push({}, 3);
      push({ deadlineMs: 1 }, 2);
      push({}, 2);
      expect(queue.take(3, NOW)).toHaveLength(3);
      const ended = refs[5]?.deref();
      if (ended === undefined) throw new Error('the queue does not keep what waits');
      ended.settled = true;
      queue.forget(ended);
    })();
    queue.push(aJob(1));
    expect(queue.take(1, { nowMs: 5, endMs: 5 })).toHaveLength(1);
    // A reference that was looked at holds until the turn ends.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(refs.map((ref) => ref.deref() === undefined)).toEqual(refs.map(() => true));
    expect(queue.oldestReceivedMs()).toBe(0);
  });

  test('never mixes datatypes in a batch', () => {
    const queue = createRowQueue();
    queue.push(aJob(2));
    queue.push(aJob(2, { datatype: 'UINT8' }));
    expect(queue.take(10, NOW)).toHaveLength(2);
    expect(queue.take(10, NOW).every(({ pending }) => pending.job.datatype === 'UINT8')).toBe(true);
  });

  test('a job that ended frees its places at once and is skipped', () => {
    const queue = createRowQueue();
    const [a, b] = [aJob(3), aJob(1)];
    queue.push(a);
    queue.push(b);
    a.settled = true;
    queue.forget(a);
    expect(queue.length).toBe(1);
    expect(queue.oldestReceivedMs()).toBe(0);
    expect(queue.take(10, NOW).map(({ pending }) => pending)).toEqual([b]);
    expect(queue.oldestReceivedMs()).toBeNull();
  });

  test('rows that a batch would answer too late are passed over, and keep their places until their deadline', () => {
    const queue = createRowQueue();
    const [late, early] = [aJob(2, { deadlineMs: 50 }), aJob(1, { deadlineMs: 500 })];
    queue.push(late);
    queue.push(early);
    const taken = queue.take(10, { nowMs: 10, endMs: 60 });
    expect(taken.map(({ pending }) => pending)).toEqual([early]);
    expect(queue.length).toBe(2);
    late.settled = true;
    queue.forget(late);
    expect(queue.length).toBe(0);
  });

  test('where all would be late, the oldest whose deadline is still to come are taken', () => {
    const queue = createRowQueue();
    const [gone, late] = [aJob(1, { deadlineMs: 5 }), aJob(1, { deadlineMs: 50 })];
    queue.push(gone);
    queue.push(late);
    const taken = queue.take(10, { nowMs: 10, endMs: 60 });
    expect(taken.map(({ pending }) => pending)).toEqual([late]);
  });

  test('a row that failed waits apart, and not at all when its job has ended', () => {
    const queue = createRowQueue();
    const [a, b] = [aJob(1), aJob(1)];
    queue.retry({ pending: a, index: 0, failures: 1 });
    queue.retry({ pending: b, index: 0, failures: 1 });
    a.settled = true;
    queue.forget(a);
    expect([queue.length, queue.retries]).toEqual([1, 1]);
    expect(queue.takeRetry()?.pending).toBe(b);
    expect(queue.takeRetry()).toBeNull();
    expect(queue.length).toBe(0);
  });

  test('its count is the number of rows of jobs that go on, whatever happens', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), n: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant('take' as const), n: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ kind: fc.constant('end' as const), n: fc.nat(9) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = createRowQueue();
        const jobs: PendingJob[] = [];
        const waiting = new Map<PendingJob, number>();
        for (const { kind, n } of steps) {
          if (kind === 'push') {
            const job = aJob(n);
            jobs.push(job);
            waiting.set(job, n);
            queue.push(job);
          } else if (kind === 'take') {
            for (const { pending } of queue.take(n, NOW))
              waiting.set(pending, waiting.get(pending)! - 1);
          } else {
            const job = jobs[n];
            if (job === undefined || job.settled) continue;
            job.settled = true;
            queue.forget(job);
            waiting.set(job, 0);
          }
          expect(queue.length).toBe([...waiting.values()].reduce((a, b) => a + b, 0));
        }
      }),
      { seed: 11 },
    );
  });

  test('a row is its part of the request', () => {
    expect([...rowInput({ pending: aJob(3), index: 1, failures: 0 })]).toEqual([2, 3]);
  });
});

describe('batches', () => {
  test.each([
    [1, 0, 2, 32, 1],
    [8, 0, 2, 32, 4],
    [9, 0, 2, 32, 5],
    [100, 0, 2, 32, 32],
    [3, 3, 2, 32, 3],
    [5, 1, 2, 32, 3],
    [5, 30, 2, 32, 5],
    [3, 0, 1, 32, 3],
    [5, 0, 0, 32, 5],
  ])('%i rows wait, %i run, %i slots, at most %i: %i', (...row) => {
    const [waiting, running, slots, maxBatchSize, size] = row;
    expect(batchSize(waiting, running, { slots, maxBatchSize })).toBe(size);
  });

  const costs = (plainMs: readonly number[]) => ({
    batchSizes: [1, 4, 16],
    cuts: [],
    plainMs,
    segmentMs: [],
    headMs: [],
    compactMs: [],
  });
  const limits = { maxBatchSize: 16, maxQueueDelayMs: 5 };

  test('nobody waits where larger batches are no cheaper per row', () => {
    expect(batchWaitMs(costs([10, 39, 150]), 1, limits)).toBe(0);
  });

  test('where they are, a batch waits, but no longer than running it now would take', () => {
    expect(batchWaitMs(costs([10, 12, 20]), 1, limits)).toBe(5);
    expect(batchWaitMs(costs([1, 1.2, 2]), 1, limits)).toBe(1);
  });

  test('a full batch, a table without sizes and delay 0 never wait', () => {
    expect(batchWaitMs(costs([10, 12, 20]), 16, limits)).toBe(0);
    expect(batchWaitMs({ ...costs([]), batchSizes: [] }, 1, limits)).toBe(0);
    expect(batchWaitMs(costs([10, 12, 20]), 1, { ...limits, maxQueueDelayMs: 0 })).toBe(0);
  });

  test('sizes between and beyond the measured ones are priced by lines', () => {
    expect(batchWaitMs(costs([10, 12, 14]), 10, limits)).toBe(5);
    expect(batchWaitMs(costs([10, 12, 14]), 20, { maxBatchSize: 64, maxQueueDelayMs: 5 })).toBe(0);
  });
});

test('a poison row is refused for ten minutes, by content', () => {
  const clock = fakeClock();
  const poison = createPoisonList(clock);
  expect(poison.has(new Uint8Array([1, 2]))).toBe(false);
  poison.add(new Uint8Array([1, 2]));
  clock.advance(599_000);
  expect(poison.has(new Uint8Array([1, 2]))).toBe(true);
  expect(poison.has(new Uint8Array([2, 1]))).toBe(false);
  clock.advance(1_000);
  expect(poison.has(new Uint8Array([1, 2]))).toBe(false);
});

test('the poison list is bounded: the oldest entry goes', () => {
  const poison = createPoisonList(fakeClock());
  for (let i = 0; i <= 1_000; i++) poison.add(Uint8Array.of(i & 255, i >> 8));
  expect(poison.has(Uint8Array.of(0, 0))).toBe(false);
  expect(poison.has(Uint8Array.of(1, 0))).toBe(true);
});
