import type { Api, KubeObject } from './api.ts';
import { ApiStatusError } from './api-status-error.ts';
import { halfJitterMs } from './backoff.ts';
import { sleep, type KubeClock } from './clock.ts';
import { KINDS } from './kinds.ts';
import { microTime } from './micro-time.ts';

export interface EventFacts {
  /** What it is about; the event lands in its namespace. Of it only its name and version are kept. */
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** Short, unique, UpperCamelCase: people switch on it. */
  readonly reason: string;
  /** What was done or tried, UpperCamelCase. */
  readonly action: string;
  /** Cut at 1,024 characters. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly api: Api;
  readonly clock: KubeClock;
  readonly random: () => number;
  /** After it nothing more is written. */
  readonly signal: AbortSignal;
  /** A qualified name, for example `layercache.io/operator`. */
  readonly controller: string;
  /** This process; at most 128 characters. */
  readonly instance: string;
}

export interface EventRecorder {
  readonly counters: EventCounters;
  /**
   * Says it once. Equal events (object, type, reason, note) become one object with a count that is written at most
   * every 5 minutes. Never throws and never waits: an event that cannot be written is counted and forgotten.
   */
  record(event: EventFacts): void;
  /** Resolves when everything recorded so far is written or given up; repeats that wait for their 5 minutes are not. */
  settled(): Promise<void>;
}

export interface EventCounters {
  readonly recorded: number;
  readonly written: number;
  readonly dropped: number;
}

const SERIES_MS = 300_000;
/** The API server deletes events after an hour, so a series does not outlive it. */
const FORGET_MS = 3_600_000;
const MAX_SERIES = 4_096;
const MAX_WAITING = 1_024;
const MAX_NOTE = 1_024;
const ATTEMPTS = 4;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

/** Equal events, in the order of their last writing. */
interface Series {
  readonly facts: EventFacts;
  name: string;
  count: number;
  /** How often when last written. */
  writtenCount: number;
  writtenMs: number;
  seenMs: number;
  isWaiting: boolean;
}

class Recorder implements EventRecorder {
  readonly counters = { recorded: 0, written: 0, dropped: 0 };
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(event: EventFacts): void {
    this.counters.recorded += 1;
    const nowMs = this.#options.clock.monotonicMs();
    const { regarding, type, reason, note } = event;
    const key = JSON.stringify([regarding.metadata.uid, type, reason, note]);
    const known = this.#series.get(key);
    if (known !== undefined && nowMs - known.seenMs < FORGET_MS) {
      known.count += 1;
      known.seenMs = nowMs;
      this.#writeLater(known);
      return;
    }
    const series: Series = {
      facts: { ...event, regarding: referenceTo(regarding) },
      name: this.#nameFor(regarding),
      count: 1,
      writtenCount: 0,
      writtenMs: nowMs,
      seenMs: nowMs,
      isWaiting: false,
    };
    this.#series.delete(key);
    this.#series.set(key, series);
    this.#forgetOldest(nowMs);
    this.#enqueue(() => this.#create(series));
  }

  settled(): Promise<void> {
    return this.#tail;
  }

  #writeLater(series: Series): void {
    if (series.isWaiting) return;
    series.isWaiting = true;
    const { clock, signal } = this.#options;
    const dueMs = series.writtenMs + SERIES_MS - clock.monotonicMs();
    const write = (): void => {
      series.isWaiting = false;
      if (signal.aborted) return;
      series.writtenMs = clock.monotonicMs();
      this.#enqueue(() => this.#update(series));
    };
    if (dueMs <= 0) write();
    else {
      const cancel = clock.schedule(dueMs, () => {
        signal.removeEventListener('abort', cancel);
        write();
      });
      signal.addEventListener('abort', cancel, { once: true });
    }
  }

  #forgetOldest(nowMs: number): void {
    for (const [key, series] of this.#series) {
      const isOld = nowMs - series.seenMs >= FORGET_MS && !series.isWaiting;
      if (!isOld && this.#series.size <= MAX_SERIES) return;
      this.#series.delete(key);
    }
  }

  #enqueue(write: () => Promise<void>): void {
    if (this.#waiting >= MAX_WAITING) {
      this.counters.dropped += 1;
      return;
    }
    this.#waiting += 1;
    this.#tail = this.#tail.then(async () => {
      const isWritten = await this.#attempt(write);
      this.#waiting -= 1;
      if (isWritten) this.counters.written += 1;
      else this.counters.dropped += 1;
    });
  }

  async #attempt(write: () => Promise<void>): Promise<boolean> {
    const { clock, random, signal } = this.#options;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await write();
        return true;
      } catch (error) {
        const status = error instanceof ApiStatusError ? error : null;
        const isWorthRepeating = status?.isUncertain === true || status?.status === 429;
        if (!isWorthRepeating || attempt === ATTEMPTS) return false;
        const delayMs = halfJitterMs(attempt, { firstMs: 1_000, lastMs: 30_000, random });
        await sleep(clock, Math.max(delayMs, (status.retryAfterSeconds ?? 0) * 1000), signal);
      }
    }
    return false;
  }

  async #create(series: Series): Promise<void> {
    const count = series.count;
    try {
      await this.#options.api.create(this.#body(series, count));
    } catch (error) {
      // An earlier try arrived and its answer was lost: the name is ours alone.
      if (!(error instanceof ApiStatusError && error.isAlreadyExists)) throw error;
    }
    series.writtenCount = count;
  }

  async #update(series: Series): Promise<void> {
    if (series.count === series.writtenCount) return;
    const count = series.count;
    const { namespace } = series.facts.regarding.metadata;
    try {
      await this.#options.api.mergePatch(
        { kind: 'Event', name: series.name, ...(namespace === undefined ? {} : { namespace }) },
        { series: this.#count(count) },
      );
      series.writtenCount = count;
    } catch (error) {
      if (!(error instanceof ApiStatusError && error.isNotFound)) throw error;
      series.name = this.#nameFor(series.facts.regarding);
      await this.#create(series);
    }
  }

  #count(count: number): { readonly count: number; readonly lastObservedTime: string } {
    return { count, lastObservedTime: microTime(this.#options.clock.nowMs()) };
  }

  #body({ facts, name }: Series, count: number): KubeObject {
    const { clock, controller, instance } = this.#options;
    const { apiVersion, kind, metadata } = facts.regarding;
    const namespace = metadata.namespace ?? 'default';
    return {
      apiVersion: KINDS.Event.apiVersion,
      kind: KINDS.Event.kind,
      metadata: { name, namespace },
      eventTime: microTime(clock.nowMs()),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      type: facts.type,
      reason: facts.reason,
      action: facts.action,
      note: facts.note.length <= MAX_NOTE ? facts.note : `${facts.note.slice(0, MAX_NOTE - 3)}...`,
      regarding: {
        apiVersion,
        kind,
        namespace,
        name: metadata.name,
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
      },
      ...(count > 1 ? { series: this.#count(count) } : {}),
    };
  }

  /** As other tools name them, unique by time and chance. */
  #nameFor({ metadata }: KubeObject): string {
    const { clock, random } = this.#options;
    const nonce = Math.floor(random() * 2 ** 32).toString(16);
    return `${metadata.name}.${Math.floor(clock.nowMs()).toString(16)}${nonce.padStart(8, '0')}`;
  }
}

/** A series lives for an hour, and thousands of whole objects would with it. */
function referenceTo({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  const named = { name, namespace, uid, resourceVersion } as KubeObject['metadata'];
  return { apiVersion, kind, metadata: named };
}
