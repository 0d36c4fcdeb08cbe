import type { Clock } from '../clock.ts';
import type { EngineClient, RowAnswer } from '../engine/engine-client.ts';
import { ServingError } from '../errors.ts';
import type { Serving, ServingControl } from '../serving.ts';
import { limitsOf, trackOf } from '../serving.ts';
import type { BatchLog, BatchObserver, BatchRow, RowInput } from './batch-log.ts';
import { toBatchRow, toRequest } from './batch-request.ts';
import { batchSize, batchWaitMs, mostInTurn } from './buckets.ts';
import type { InferJob, PendingJob, PendingRow } from './job.ts';
import { rowInput } from './job.ts';
import { createLinger } from './linger.ts';
import { createModalBatch } from './modal-batch.ts';
import { createPace } from './pace.ts';
import type { PoisonList } from './poison.ts';
import { createRowQueue } from './queue.ts';
import type { SourceFrames } from './source-frames.ts';

export interface BatcherDependencies {
  readonly engine: EngineClient;
  readonly servings: ServingControl;
  readonly observer: BatchObserver;
  readonly frames: SourceFrames;
  readonly poison: PoisonList;
  readonly clock: Clock;
}

export interface Batcher {
  /** Queues all rows of a job, or settles it with a refusal at once. Returns what to call when its client hangs up. */
  submit(job: InferJob): () => void;
  readonly queuedRows: number;
  /** Batch size in which most rows arrive. */
  readonly modalBatchRows: number;
  /** Resolves when nothing waits and nothing runs. */
  whenIdle(): Promise<void>;
}

export function createBatcher(dependencies: BatcherDependencies): Batcher {
  const { engine, servings, observer, frames, poison, clock } = dependencies;
  const queue = createRowQueue();
  const modalBatch = createModalBatch();
  const pace = createPace();
  const idleWaiters: (() => void)[] = [];
  const linger = createLinger(() => clock.monotonicMs());
  const underWay: Record<BatchKind, number> = { retry: 0, turn: 0, share: 0 };
  const inFlight = (): number => underWay.retry + underWay.turn + underWay.share;
  let runningRows = 0;
  let isScheduled = false;
  let waitTimer: NodeJS.Timeout | null = null;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // After the poll phase: requests that arrived in the same turn share a batch.
    setImmediate(() => {
      isScheduled = false;
      pump();
    });
  }

  function pump(): void {
    if (waitTimer !== null) clearTimeout(waitTimer);
    waitTimer = null;
    for (let next = nextBatch(); next.rows.length > 0; next = nextBatch()) void runBatch(next);
    if (inFlight() === 0 && queue.length === 0) for (const wake of idleWaiters.splice(0)) wake();
  }

  function nextBatch(): Batch {
    const serving = servings.current();
    if (serving === null || inFlight() >= engine.slots || queue.length === 0) return NOTHING;
    // A row that may kill the engine runs with nothing else in flight, so that only it can be blamed.
    if (underWay.retry > 0) return NOTHING;
    if (queue.retries > 0) return inFlight() > 0 ? NOTHING : retryOf(queue.takeRetry());
    if (!takesTurns()) return { kind: 'share', rows: nextShare(serving) };
    return inFlight() > 0 ? NOTHING : { kind: 'turn', rows: takeNow(1) };
  }

  /** Few rows, and none of them in a batch on a worker with one thread. */
  function takesTurns(): boolean {
    const rows = queue.length + runningRows;
    return underWay.share === 0 && rows <= mostInTurn(engine.loneSpeedup);
  }

  function takeNow(rows: number): PendingRow[] {
    const nowMs = clock.monotonicMs();
    return queue.take(rows, { nowMs, endMs: nowMs + pace.batchMs(rows) });
  }

  function nextShare(serving: Serving): PendingRow[] {
    const limits = limitsOf(serving);
    const { maxBatchSize, maxQueueDelayMs } = limits;
    const shared = { slots: engine.slots, maxBatchSize, maxQueueDelayMs };
    const size = batchSize(queue.length, runningRows, shared);
    const waitMs = batchWaitMs(serving.costs, size, limits);
    const waitedMs = clock.monotonicMs() - (queue.oldestReceivedMs() ?? 0);
    const atHand = { queued: queue.length, running: runningRows };
    const lingerMs = linger.waitMs(atHand, serving.costs, shared);
    if (waitMs - waitedMs >= 1 || lingerMs > 0) {
      waitTimer = setTimeout(pump, Math.max(waitMs - waitedMs, lingerMs));
      return [];
    }
    return takeNow(size);
  }

  async function runBatch({ kind, rows }: Batch): Promise<void> {
    const serving = servings.acquire();
    if (serving === null) return;
    underWay[kind] += 1;
    runningRows += rows.length;
    modalBatch.add(rows.length);
    const nowMs = clock.monotonicMs();
    const batchRows = rows.map((row) => toBatchRow(row, serving, nowMs));
    const log = observer.open(serving, batchRows, (row) => inputAt(rows[row]));
    const answers: (RowAnswer | undefined)[] = [];
    const own = frames.open(rows, batchRows);
    const request = toRequest(rows, batchRows, serving, { isAlone: kind !== 'share', frames: own });
    try {
      const outcome = await engine.run(request, (left) => {
        linger.answered(left.length);
        for (const answer of left) {
          const row = rows[answer.row];
          const batchRow = batchRows[answer.row];
          // An answer for a row that was not asked, or twice, belongs to nobody.
          if (row === undefined || batchRow === undefined || answers[answer.row]) continue;
          answers[answer.row] = answer;
          deliver(row, batchRow, answer, { serving, log });
        }
      });
      pace.ran(rows.length, clock.monotonicMs() - nowMs);
      own.keep(outcome.keyFrames ?? []);
      log.finished(outcome, answers);
      retryUnanswered(rows, answers, 'the engine left it out');
    } catch (error) {
      log.failed();
      retryUnanswered(rows, answers, error instanceof Error ? error.message : 'unknown failure');
    } finally {
      log.close();
      servings.release(serving);
      underWay[kind] -= 1;
      runningRows -= rows.length;
      schedule();
    }
  }

  function deliver(
    { pending, index }: PendingRow,
    row: BatchRow,
    answer: RowAnswer,
    { serving, log }: { readonly serving: Serving; readonly log: BatchLog },
  ): void {
    if (pending.settled) return;
    const planned = answer.exit >= 0 ? trackOf(serving, row.track) : null;
    const exit = planned?.bundle.heads[answer.exit]?.exit ?? 'backbone';
    const answered = {
      answer,
      serving,
      track: row.track,
      exit,
      headRevision: trackOf(serving, row.track)?.headRevision ?? null,
    };
    pending.answers[index] = answered;
    pending.answered += 1;
    const latencyMs = clock.monotonicMs() - pending.job.receivedMs;
    log.answered({ ...answered, row, latencyMs });
    if (pending.answered === pending.job.rows) settle(pending, null);
  }

  function retryUnanswered(
    rows: readonly PendingRow[],
    answers: readonly (RowAnswer | undefined)[],
    detail: string,
  ): void {
    rows.forEach((row, i) => {
      if (answers[i] !== undefined || row.pending.settled) return;
      row.failures += 1;
      if (row.failures === 1) {
        queue.retry(row);
        return;
      }
      const hostDied = engine.status !== 'Up';
      if (hostDied) poison.add(rowInput(row));
      const error = hostDied
        ? new ServingError('poison_row')
        : new ServingError('engine_failed', { detail });
      fail(row.pending, error);
    });
  }

  function settle(pending: PendingJob, error: ServingError | null): void {
    if (pending.settled) return;
    pending.settled = true;
    if (pending.timer !== null) clearTimeout(pending.timer);
    queue.forget(pending);
    pending.job.settle(error === null ? { ok: true, rows: pending.answers } : { ok: false, error });
  }

  function fail(pending: PendingJob, error: ServingError): void {
    if (pending.settled) return;
    const { job } = pending;
    observer.rowsFailed(servings.latest(), job.trackDraw, job.rows - pending.answered);
    settle(pending, error);
    schedule();
  }

  function onDeadline(pending: PendingJob): void {
    const { receivedMs, deadlineMs } = pending.job;
    const seconds = Math.round(deadlineMs - receivedMs) / 1000;
    fail(
      pending,
      servings.current() === null
        ? new ServingError('engine_down')
        : new ServingError('deadline', { value: seconds }),
    );
  }

  servings.onSwap(schedule);

  return {
    submit: (job) => {
      const pending: PendingJob = {
        job,
        answers: [],
        answered: 0,
        queued: 0,
        settled: false,
        timer: null,
      };
      const refusal = refuse(job);
      if (refusal !== null) {
        settle(pending, refusal);
        return () => undefined;
      }
      queue.push(pending);
      linger.arrived(job.rows);
      const remainingMs = Math.max(0, job.deadlineMs - clock.monotonicMs());
      pending.timer = setTimeout(onDeadline, remainingMs, pending);
      schedule();
      return () => {
        if (pending.settled) return;
        pending.settled = true;
        if (pending.timer !== null) clearTimeout(pending.timer);
        queue.forget(pending);
        schedule();
      };
    },
    get queuedRows() {
      return queue.length;
    },
    get modalBatchRows() {
      return modalBatch.rows;
    },
    whenIdle: () => {
      schedule();
      return new Promise((wake) => idleWaiters.push(wake));
    },
  };

  /** Behind all that waits and runs, the job would not be answered before its deadline. */
  function isTooLate(job: InferJob, maxBatchSize: number): boolean {
    const limits = { slots: engine.slots, maxBatchSize };
    const waitMs = pace.waitMs({ queued: queue.length, running: runningRows }, limits);
    return inFlight() > 0 && waitMs > job.deadlineMs - clock.monotonicMs();
  }

  function refuse(job: InferJob): ServingError | null {
    const { maxQueueLength } = limitsOf(servings.latest());
    if (job.rows > maxQueueLength) {
      return new ServingError('too_many_rows', { value: job.rows, expected: maxQueueLength });
    }
    if (queue.length + job.rows > maxQueueLength) {
      return new ServingError('queue_full', { value: queue.length });
    }
    if (isTooLate(job, limitsOf(servings.latest()).maxBatchSize)) {
      const seconds = Math.round(job.deadlineMs - job.receivedMs) / 1000;
      return new ServingError('no_time', { value: queue.length, expected: seconds });
    }
    for (let index = 0; index < job.rows; index++) {
      const start = index * job.rowBytes;
      if (poison.has(job.input.subarray(start, start + job.rowBytes))) {
        return new ServingError('poison_row');
      }
    }
    return null;
  }
}

function inputAt(row: PendingRow | undefined): RowInput | null {
  return row === undefined ? null : { bytes: rowInput(row), datatype: row.pending.job.datatype };
}

/** A row that failed once, a row on all cores, or a worker's share of the rows. */
type BatchKind = 'retry' | 'turn' | 'share';

interface Batch {
  readonly kind: BatchKind;
  readonly rows: readonly PendingRow[];
}

const NOTHING: Batch = { kind: 'share', rows: [] };

function retryOf(row: PendingRow | null): Batch {
  return { kind: 'retry', rows: row === null ? [] : [row] };
}
