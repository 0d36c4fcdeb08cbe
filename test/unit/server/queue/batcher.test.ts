import { beforeEach, describe, expect, test } from 'vitest';
import type { EngineClient } from '../../../../server/engine/engine-client.ts';
import type { ServingError } from '../../../../server/errors.ts';
import { createBatcher, type Batcher } from '../../../../server/queue/batcher.ts';
import type { BatchLog } from '../../../../server/queue/batch-log.ts';
import type { JobOutcome } from '../../../../server/queue/job.ts';
import { createPace } from '../../../../server/queue/pace.ts';
import { createPoisonList } from '../../../../server/queue/poison.ts';
import { createSourceFrames } from '../../../../server/queue/source-frames.ts';
import { createServingControl, DEFAULT_LIMITS } from '../../../../server/serving.ts';
import { eventually } from '../../../support/eventually.ts';
import { fakeClock, type FakeClock } from '../../../support/fake-clock.ts';
import { FAKE_COSTS } from '../../../support/fake-engine.ts';
import { aPolicy } from '../../../support/test-server.ts';

const NO_LOG: BatchLog = {
  answered: () => undefined,
  finished: () => undefined,
  failed: () => undefined,
  close: () => undefined,
};
const OUTCOME = {
  audits: [],
  samples: [],
  nonFiniteRows: [],
  nonFiniteHeads: [],
  seconds: { segment: 0, head: 0, companion: 0, compact: 0, audit: 0, plain: 0 },
  segments: [],
};

/** A batch that has begun; `end` answers all its rows. */
interface Running {
  readonly rows: readonly number[];
  readonly isAlone: boolean | undefined;
  readonly end: () => void;
  readonly fail: () => void;
}

let clock: FakeClock;
let running: Running[];
let engine: { -readonly [K in 'slots' | 'loneSpeedup']: EngineClient[K] };
let batcher: Batcher;
let started: number[];

beforeEach(() => {
  clock = fakeClock();
  running = [];
  started = [];
  const fake = {
    slots: 1,
    loneSpeedup: null,
    status: 'Up',
    run: (batch, onRows) =>
      new Promise((resolve, reject) => {
        // One byte per row: its number.
        const rows = batch.input.flatMap((piece) => [...piece]);
        started.push(...rows);
        const leave = (): void => {
          running.splice(running.indexOf(one), 1);
        };
        const end = (): void => {
          leave();
          onRows(rows.map((_, row) => ({ row, exit: -1, score: NaN, classId: 0, outputs: [] })));
          resolve(OUTCOME);
        };
        const fail = (): void => {
          leave();
          reject(new Error('the engine failed'));
        };
        const one = { rows, isAlone: batch.isAlone, end, fail };
        running.push(one);
      }),
  } satisfies Pick<EngineClient, 'slots' | 'loneSpeedup' | 'status' | 'run'>;
  engine = fake;
  const servings = createServingControl(() => undefined);
  servings.swap({
    policy: aPolicy({ limits: { ...DEFAULT_LIMITS, maxBatchSize: 2, maxQueueLength: 8 } }),
    planId: 1,
    plan: { tracks: [], samples: [] },
    costs: FAKE_COSTS,
    knownAnswers: [],
    candidateShare: 0,
    held: new Set(),
  });
  batcher = createBatcher({
    engine: fake as unknown as EngineClient,
    servings,
    observer: { open: () => NO_LOG, rowsFailed: () => undefined },
    frames: createSourceFrames(clock),
    poison: createPoisonList(clock),
    clock,
  });
});

interface Asked {
  outcome: JobOutcome | null;
  times: number;
  readonly hangUp: () => void;
}

/** @param withinMs time until its deadline. */
function ask(number: number, withinMs = 60_000): Asked {
  const receivedMs = clock.monotonicMs();
  const asked: Omit<Asked, 'hangUp'> = { outcome: null, times: 0 };
  const hangUp = batcher.submit({
    rows: 1,
    datatype: 'FP32',
    input: Uint8Array.of(number),
    rowBytes: 1,
    forced: null,
    receivedMs,
    deadlineMs: receivedMs + withinMs,
    trackDraw: 0,
    source: null,
    auditDraws: new Uint32Array(1),
    settle: (outcome) => {
      asked.outcome = outcome;
      asked.times += 1;
    },
  });
  return Object.assign(asked, { hangUp });
}

function refusal({ outcome }: Asked): string | undefined {
  return outcome?.ok === false ? (outcome.error satisfies ServingError).code : undefined;
}

async function batch(rows: readonly number[]): Promise<Running> {
  return eventually(() => {
    expect(running.map((one) => one.rows)).toEqual([rows]);
    return running[0]!;
  });
}

/** Runs one batch of one row that takes so long, so that the pace is known. */
async function pacedAt(batchMs: number): Promise<void> {
  ask(0);
  const first = await batch([0]);
  clock.advance(batchMs);
  first.end();
  await batcher.whenIdle();
  started = [];
}

describe('a row', () => {
  test('whose deadline has passed while it waited is not run', async () => {
    const first = ask(1);
    const { end } = await batch([1]);
    ask(2, 500);
    const last = ask(3);
    clock.advance(600);
    end();
    (await batch([3])).end();
    await eventually(() => {
      expect([first.outcome?.ok, last.outcome?.ok]).toEqual([true, true]);
    });
    expect(started).toEqual([1, 3]);
  });

  test('leaves its place when its client hangs up, and is not run', async () => {
    ask(1);
    const { end } = await batch([1]);
    const gone = ask(2);
    ask(3);
    expect(batcher.queuedRows).toBe(2);
    gone.hangUp();
    expect(batcher.queuedRows).toBe(1);
    end();
    (await batch([3])).end();
    await batcher.whenIdle();
    expect([started, gone.times]).toEqual([[1, 3], 0]);
  });
});

describe('with a lane that takes all cores', () => {
  beforeEach(() => {
    engine.slots = 2;
    engine.loneSpeedup = 1.9;
  });

  test('few rows take turns on it, one after the other', async () => {
    for (const number of [1, 2, 3, 4]) ask(number);
    for (const number of [1, 2, 3, 4]) {
      const turn = await batch([number]);
      expect(turn.isAlone).toBe(true);
      turn.end();
    }
    await batcher.whenIdle();
  });

  test('many rows are shared by the workers, and so are those that come while they run', async () => {
    for (const number of [1, 2, 3, 4, 5]) ask(number);
    await eventually(() => {
      expect(running.map(({ rows }) => rows)).toEqual([
        [1, 2],
        [3, 4],
      ]);
    });
    running[0]!.end();
    await eventually(() => {
      expect(running.map(({ rows }) => rows)).toEqual([[3, 4], [5]]);
    });
    expect(running.map(({ isAlone }) => isAlone)).toEqual([false, false]);
    running[0]!.end();
    running[0]!.end();
    await batcher.whenIdle();
    ask(6);
    const turn = await batch([6]);
    expect(turn.isAlone).toBe(true);
    turn.end();
  });

  test('a row in its turn does not keep many from the workers', async () => {
    ask(1);
    await batch([1]);
    for (const number of [2, 3, 4, 5]) ask(number);
    await eventually(() => {
      expect(running.map(({ rows }) => rows)).toEqual([[1], [2, 3]]);
    });
    expect(running.map(({ isAlone }) => isAlone)).toEqual([true, false]);
  });
});

describe('a row that failed', () => {
  test('runs again with nothing beside it, also of what comes while it runs', async () => {
    engine.slots = 2;
    ask(1);
    (await batch([1])).fail();
    const again = await batch([1]);
    ask(2);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(running).toHaveLength(1);
    again.end();
    (await batch([2])).end();
    await batcher.whenIdle();
  });
});

describe('what would wait longer than it may', () => {
  test('is refused at once, before its time is up; what has the time is queued', async () => {
    await pacedAt(100);
    const asked = [1, 2, 3, 4].map((number) => ask(number));
    // Two run and two wait: 400 ms, and 200 for the own batch.
    await batch([1, 2]);
    const hasty = ask(5, 500);
    expect(refusal(hasty)).toBe('no_time');
    expect(hasty.outcome).toMatchObject({ error: { status: 429, retryAfterSeconds: 1 } });
    const patient = ask(6, 1_000);
    expect(patient.outcome).toBeNull();
    for (const rows of [[1, 2], [3, 4], [6]]) (await batch(rows)).end();
    await batcher.whenIdle();
    expect([...asked, hasty, patient].map(({ times }) => times)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('is run all the same when nothing else is: what the engine took before may be over', async () => {
    await pacedAt(10_000);
    const hasty = ask(1, 500);
    (await batch([1])).end();
    await batcher.whenIdle();
    expect(hasty.outcome?.ok).toBe(true);
  });
});

test('ten times what the queue holds: each is answered once, and never more wait than may', async () => {
  const asked: Asked[] = [];
  for (let number = 1; number <= 80; number += 1) {
    asked.push(ask(number));
    expect(batcher.queuedRows).toBeLessThanOrEqual(8);
    if (number % 10 === 0) {
      await eventually(() => {
        expect(running).toHaveLength(1);
      });
      running[0]!.end();
    }
  }
  while (batcher.queuedRows > 0 || running.length > 0) {
    running[0]?.end();
    await new Promise(setImmediate);
  }
  await batcher.whenIdle();
  expect(asked.map(({ times }) => times)).toEqual(new Array(80).fill(1));
  const answered = asked.flatMap(({ outcome }, i) => (outcome?.ok === true ? [i + 1] : []));
  // In the order in which they came, none twice, none lost.
  expect(started).toEqual(answered);
  expect(new Set(asked.flatMap((one) => refusal(one) ?? []))).toEqual(new Set(['queue_full']));
});

describe('the pace', () => {
  test('is that of the last batches, and unknown before the first', () => {
    const pace = createPace();
    const limits = { slots: 2, maxBatchSize: 8 };
    expect(pace.batchMs(8)).toBe(0);
    expect(pace.waitMs({ queued: 100, running: 8 }, limits)).toBe(0);
    pace.ran(4, 40);
    expect(pace.batchMs(8)).toBe(80);
    // Alone, in a batch of its own; behind others, in a full one.
    expect(pace.waitMs({ queued: 0, running: 0 }, limits)).toBe(10);
    expect(pace.waitMs({ queued: 100, running: 8 }, limits)).toBe(540 + 80);
    for (let i = 0; i < 100; i += 1) pace.ran(8, 20);
    expect(pace.batchMs(8)).toBeCloseTo(20, 1);
  });
});
