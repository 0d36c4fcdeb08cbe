import { InvariantError } from '../../server/core/invariant.ts';
import { ApiStatusError } from './api-status-error.ts';
import { halfJitterMs } from './backoff.ts';
import type { CancelAlarm, KubeClock } from './clock.ts';
import { TerminalError } from './terminal-error.ts';

// Keys, never objects: what a worker sees is what the stores hold when it starts. A key is in at most one of the three
// sets' roles at a time: queued (waits), processing (one worker has it), dirty (wanted again once that worker is done).

/** What a pass came to. A throw is a failure: the key comes back with growing delay. */
export type PassResult =
  | { readonly kind: 'Done' }
  /** Look again after that long; an earlier wish stays. */
  | { readonly kind: 'RequeueAfter'; readonly delayMs: number };

/** One pass over one key. The signal says that the process is ending; a pass may finish what it is at. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<PassResult>;

/** Outcomes as metrics name them. `Conflict` is a failure that says someone else was faster. */
export type PassOutcome = 'Done' | 'RequeueAfter' | 'Conflict' | 'Failed' | 'Terminal';

export interface Pass {
  readonly key: string;
  readonly outcome: PassOutcome;
  /** From the first `add` that asked for this pass to its start. */
  readonly waitedMs: number;
  readonly tookMs: number;
  readonly error: unknown;
  /** How long until the key comes back by itself; null: not by itself. */
  readonly retryInMs: number | null;
}

export interface WorkQueueCounters {
  readonly adds: number;
  /** Passes that ended in a retry with growing delay. */
  readonly retries: number;
  readonly outcomes: Readonly<Record<PassOutcome, number>>;
}

export interface WorkQueueOptions {
  readonly clock: KubeClock;
  readonly random: () => number;
  /** No pass starts after it; `run` resolves when those at work have ended. */
  readonly signal: AbortSignal;
  /** @defaultValue 4 */
  readonly workers?: number | undefined;
  /** After every pass, for logs and metrics. */
  readonly onPass?: (pass: Pass) => void;
}

export interface WorkQueue {
  /** Keys waiting to be worked on, delayed ones not counted. */
  readonly depth: number;
  /** Keys with a worker. */
  readonly active: number;
  /** Keys that may have one at once. */
  readonly workers: number;
  /** Age of the oldest pass still running, and the sum of all of them. */
  readonly longestRunningMs: number;
  readonly unfinishedMs: number;
  readonly counters: WorkQueueCounters;
  /** Asks for a pass that starts after now. Costs nothing when one is asked for already. */
  add(key: string): void;
  /** The same, later; of several delays the earliest wins. */
  addAfter(key: string, delayMs: number): void;
  /** Works until the signal ends it. Rejects with an `InvariantError` that a pass threw: the process must not go on. */
  run(reconcile: Reconcile): Promise<void>;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
/** Passes at once unless a queue is told otherwise. */
const WORKERS = 4;

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyQueue(options);
}

interface Delayed {
  readonly dueMs: number;
  readonly cancel: CancelAlarm;
}

interface Running {
  readonly reconcile: Reconcile;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

class KeyQueue implements WorkQueue {
  readonly counters = {
    adds: 0,
    retries: 0,
    outcomes: { Done: 0, RequeueAfter: 0, Conflict: 0, Failed: 0, Terminal: 0 },
  };

  readonly #options: WorkQueueOptions;
  /** Queued and dirty keys, with the time of the first wish; insertion order is the queue's. */
  readonly #wanted = new Map<string, number>();
  readonly #processing = new Map<string, number>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  #running: Running | null = null;
  #isDispatching = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  get workers(): number {
    return this.#options.workers ?? WORKERS;
  }

  get depth(): number {
    let dirty = 0;
    for (const key of this.#processing.keys()) if (this.#wanted.has(key)) dirty += 1;
    return this.#wanted.size - dirty;
  }

  get active(): number {
    return this.#processing.size;
  }

  get longestRunningMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    return Math.max(0, ...[...this.#processing.values()].map((startMs) => nowMs - startMs));
  }

  get unfinishedMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    let sum = 0;
    for (const startMs of this.#processing.values()) sum += nowMs - startMs;
    return sum;
  }

  add(key: string): void {
    if (this.#wanted.has(key)) return;
    this.counters.adds += 1;
    this.#wanted.set(key, this.#options.clock.monotonicMs());
    // Not in the caller's turn: all wishes of one list or event are one pass, and no event handler runs it.
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    queueMicrotask(() => {
      this.#isDispatching = false;
      this.#dispatch();
    });
  }

  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const { clock, signal } = this.#options;
    if (signal.aborted) return;
    const dueMs = clock.monotonicMs() + delayMs;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.dueMs <= dueMs) return;
    earlier?.cancel();
    const cancel = clock.schedule(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, cancel });
  }

  run(reconcile: Reconcile): Promise<void> {
    if (this.#running !== null) return Promise.reject(new Error('The work queue already runs.'));
    const { signal } = this.#options;
    return new Promise((resolve, reject) => {
      this.#running = { reconcile, resolve, reject };
      const stop = (): void => {
        for (const { cancel } of this.#delayed.values()) cancel();
        this.#delayed.clear();
        this.#dispatch();
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      this.#dispatch();
    });
  }

  /** Starts as many passes as there are idle workers and free keys. */
  #dispatch(): void {
    const { signal } = this.#options;
    if (this.#running === null) return;
    if (signal.aborted) {
      if (this.#processing.size === 0) this.#running.resolve();
      return;
    }
    for (const [key, wantedMs] of this.#wanted) {
      if (this.#processing.size >= this.workers) return;
      if (this.#processing.has(key)) continue;
      this.#wanted.delete(key);
      void this.#work(this.#running, key, wantedMs);
    }
  }

  async #work(running: Running, key: string, wantedMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    const startMs = clock.monotonicMs();
    this.#processing.set(key, startMs);
    let ended: Ended;
    try {
      ended = this.#ended(key, await running.reconcile(key, signal));
    } catch (error) {
      if (error instanceof InvariantError) running.reject(error);
      ended = this.#failed(key, error);
    }
    this.#processing.delete(key);
    this.counters.outcomes[ended.outcome] += 1;
    this.#options.onPass?.({
      key,
      ...ended,
      waitedMs: startMs - wantedMs,
      tookMs: clock.monotonicMs() - startMs,
    });
    if (ended.retryInMs !== null) this.addAfter(key, ended.retryInMs);
    this.#dispatch();
  }

  #ended(key: string, result: PassResult): Ended {
    this.#failures.delete(key);
    const retryInMs = result.kind === 'RequeueAfter' ? result.delayMs : null;
    return { outcome: result.kind, error: null, retryInMs };
  }

  #failed(key: string, error: unknown): Ended {
    if (error instanceof TerminalError) {
      this.#failures.delete(key);
      return { outcome: 'Terminal', error, retryInMs: null };
    }
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.counters.retries += 1;
    const status = error instanceof ApiStatusError ? error : null;
    const delayMs = halfJitterMs(failures, {
      firstMs: FIRST_RETRY_MS,
      lastMs: LAST_RETRY_MS,
      random: this.#options.random,
    });
    return {
      outcome: status?.isConflict === true ? 'Conflict' : 'Failed',
      error,
      retryInMs: Math.max(delayMs, (status?.retryAfterSeconds ?? 0) * 1000),
    };
  }
}

type Ended = Pick<Pass, 'outcome' | 'error' | 'retryInMs'>;
