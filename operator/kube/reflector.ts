import { keyOf, type Api, type KubeObject, type ListOptions, type WatchEvent } from './api.ts';
import { ApiStatusError } from './api-status-error.ts';
import { fullJitterMs } from './backoff.ts';
import { sleep, type KubeClock } from './clock.ts';
import type { KindName } from './kinds.ts';
import { shareEqual } from './share-equal.ts';
import { createStore, type IndexBy, type Store, type StoreChange } from './store.ts';
import { createWatchdog, type Watchdog, type WatchdogEnding } from './watchdog.ts';

// A copy of one kind that is never silently dead: whatever happens to a watch, it ends in a new watch or in a new list.
// Versions are compared for equality only, since a restored store may go back in time.

/** Why a list was made. `Failure`: the watch or the list before it broke. */
export type ListCause = 'Start' | 'Periodic' | 'Expired' | 'Idle' | 'Failure';
/** How a watch ended. `Short`: cleanly, before it lived a second. */
export type WatchEnd = 'Clean' | 'Short' | 'Expired' | 'Failed' | 'Idle' | 'Periodic';

export interface ReflectorCounters {
  /** Those that were answered, whatever the answer: one that nobody takes costs nobody anything. */
  readonly lists: Readonly<Record<ListCause, number>>;
  readonly watchEnds: Readonly<Record<WatchEnd, number>>;
  readonly idleAborts: number;
  /** Differences that only a periodic list brought to light; a few arise when a change falls between watch and list. */
  readonly misses: number;
}

export interface ReflectorOptions {
  readonly api: Api;
  readonly kind: KindName;
  readonly clock: KubeClock;
  readonly random: () => number;
  /** Ends the loop. */
  readonly signal: AbortSignal;
  readonly select?: Pick<
    ListOptions,
    'namespace' | 'labelSelector' | 'fieldSelector' | 'pageSize' | 'metadataOnly'
  >;
  readonly indexBy?: IndexBy;
  /** Which objects to keep at all. @defaultValue all */
  readonly keeps?: (object: KubeObject) => boolean;
  /** What to keep of an object, for kinds whose bodies would fill the memory. */
  readonly trim?: (object: KubeObject) => KubeObject;
  /** For logs and conditions; the loop goes on by itself. */
  readonly onProblem?: (error: ApiStatusError) => void;
}

export interface Reflector extends Store {
  readonly kind: KindName;
  /** True once the first list is in; false when the loop ended before. */
  readonly synced: Promise<boolean>;
  readonly isSynced: boolean;
  /** What keeps it from being up to date, as one line; null while a watch stands. */
  readonly problem: string | null;
  readonly counters: ReflectorCounters;
  /** Handlers only put keys into queues. One that throws ends `run` with its error. */
  onKey(handler: (change: StoreChange) => void): void;
  /** The loop, once per reflector. Resolves when the signal ends it. */
  run(): Promise<void>;
}

const FIRST_BACKOFF_MS = 1_000;
const LAST_BACKOFF_MS = 30_000;
/** A watch that ended sooner is no progress. */
const SHORT_WATCH_MS = 1_000;
const RELIST_MS = 600_000;
const RELIST_SPREAD = 0.2;
const WATCH_SECONDS = 240;
const WATCH_SPREAD_SECONDS = 61;

export function createReflector(options: ReflectorOptions): Reflector {
  return new ReflectorLoop(options);
}

class ReflectorLoop implements Reflector {
  readonly kind: KindName;
  readonly synced: Promise<boolean>;
  isSynced = false;
  problem: string | null = 'not listed yet';
  readonly counters = {
    lists: { Start: 0, Periodic: 0, Expired: 0, Idle: 0, Failure: 0 },
    watchEnds: { Clean: 0, Short: 0, Expired: 0, Failed: 0, Idle: 0, Periodic: 0 },
    idleAborts: 0,
    misses: 0,
  };

  readonly #options: ReflectorOptions;
  readonly #store;
  readonly #handlers: ((change: StoreChange) => void)[] = [];
  #settle: (isSynced: boolean) => void = () => undefined;
  #isRunning = false;
  #failures = 0;
  #version = '';
  #relistAtMs = 0;
  /** Of any key: what the next one is likely to repeat. */
  #last: KubeObject | null = null;
  /** What a handler threw; told apart from what the API threw. */
  #thrown: { readonly error: unknown } | null = null;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.#store = createStore(options.indexBy);
    this.synced = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get size(): number {
    return this.#store.size;
  }

  get(key: string): KubeObject | undefined {
    return this.#store.get(key);
  }

  list(): readonly KubeObject[] {
    return this.#store.list();
  }

  listIndexed(value: string): readonly KubeObject[] {
    return this.#store.listIndexed(value);
  }

  onKey(handler: (change: StoreChange) => void): void {
    this.#handlers.push(handler);
  }

  async run(): Promise<void> {
    if (this.#isRunning) throw new Error(`The ${this.kind} reflector already runs.`);
    this.#isRunning = true;
    const { signal } = this.#options;
    let cause: ListCause | null = 'Start';
    try {
      while (!signal.aborted) {
        if (cause === null) cause = await this.#watch();
        else cause = await this.#list(cause);
      }
    } finally {
      this.#settle(false);
    }
  }

  /** Takes a list in; null when a watch may follow. */
  async #list(cause: ListCause): Promise<ListCause | null> {
    const { api, kind, select, signal, clock, random } = this.#options;
    let list;
    try {
      list = await api.list(kind, { ...select, signal, keep: (object) => this.#kept(object) });
    } catch (error) {
      if (error instanceof ApiStatusError && error.status !== 0) this.counters.lists[cause] += 1;
      return await this.#recover(error);
    }
    this.counters.lists[cause] += 1;
    const changes = this.#store.replace(list.items);
    if (cause === 'Periodic') this.counters.misses += changes.length;
    this.#version = list.resourceVersion;
    this.#relistAtMs = clock.monotonicMs() + RELIST_MS * (1 + RELIST_SPREAD * (2 * random() - 1));
    this.isSynced = true;
    this.problem = null;
    this.#tell(changes);
    this.#settle(true);
    return null;
  }

  /** One watch. Null when the next may follow at once, else why to list. */
  async #watch(): Promise<ListCause | null> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const watchdog = this.#guard();
    try {
      await this.#follow(watchdog);
    } catch (error) {
      if (this.#thrown !== null) throw this.#thrown.error;
      if (watchdog.ending !== null) return this.#end(watchdog.ending);
      if (clock.monotonicMs() - startedMs > SHORT_WATCH_MS) this.#failures = 0;
      if (!this.#options.signal.aborted) this.counters.watchEnds[endOf(error)] += 1;
      return await this.#recover(error);
    } finally {
      watchdog.release();
    }
    if (watchdog.ending !== null) return this.#end(watchdog.ending);
    if (clock.monotonicMs() - startedMs > SHORT_WATCH_MS) {
      this.#failures = 0;
      this.counters.watchEnds.Clean += 1;
    } else {
      this.counters.watchEnds.Short += 1;
      await this.#backOff(null);
    }
    return null;
  }

  async #follow(watchdog: Watchdog): Promise<void> {
    const { api, kind, select, random } = this.#options;
    const timeoutSeconds = WATCH_SECONDS + Math.floor(random() * WATCH_SPREAD_SECONDS);
    const watch = {
      ...select,
      resourceVersion: this.#version,
      timeoutSeconds,
      signal: watchdog.signal,
    };
    await api.watch(kind, watch, (event) => {
      watchdog.seen();
      this.#take(event);
    });
  }

  #take(event: WatchEvent): void {
    if (event.type === 'BOOKMARK') {
      if (event.resourceVersion !== '') this.#version = event.resourceVersion;
      return;
    }
    const { object } = event;
    const kept = this.#kept(object);
    if (kept !== null) this.#tell(this.#store.take(event.type, kept));
    this.#version = object.metadata.resourceVersion ?? this.#version;
  }

  /** Objects of a kind are alike: of what they say in the same places all hold one copy, also after each of them has changed. */
  #kept(object: KubeObject): KubeObject | null {
    if (this.#options.keeps?.(object) === false) return null;
    const trimmed = this.#options.trim?.(object) ?? object;
    const likeLast = shareEqual(trimmed, this.#last);
    this.#last = shareEqual(likeLast, this.#store.get(keyOf(trimmed)));
    return this.#last;
  }

  #tell(changes: readonly StoreChange[]): void {
    try {
      for (const change of changes) for (const handler of this.#handlers) handler(change);
    } catch (error) {
      this.#thrown = { error };
      throw error;
    }
  }

  #end(ending: WatchdogEnding): ListCause {
    this.counters.watchEnds[ending] += 1;
    if (ending === 'Idle') this.counters.idleAborts += 1;
    return ending;
  }

  /** Waits as long as the failure asks for, then lists. An expired version is no failure unless it comes again at once. */
  async #recover(error: unknown): Promise<ListCause> {
    if (!(error instanceof ApiStatusError)) throw error;
    if (this.#options.signal.aborted) return 'Failure';
    this.problem = error.message;
    this.#options.onProblem?.(error);
    if (error.isExpired && this.#failures === 0) this.#failures = 1;
    else await this.#backOff(error.retryAfterSeconds);
    return error.isExpired ? 'Expired' : 'Failure';
  }

  async #backOff(retryAfterSeconds: number | null): Promise<void> {
    const { clock, random, signal } = this.#options;
    this.#failures += 1;
    const delayMs = fullJitterMs(this.#failures, {
      firstMs: FIRST_BACKOFF_MS,
      lastMs: LAST_BACKOFF_MS,
      random,
    });
    await sleep(clock, Math.max(delayMs, (retryAfterSeconds ?? 0) * 1000), signal);
  }

  #guard(): Watchdog {
    const { clock, signal } = this.#options;
    return createWatchdog(clock, signal, this.#relistAtMs - clock.monotonicMs());
  }
}

function endOf(error: unknown): WatchEnd {
  return error instanceof ApiStatusError && error.isExpired ? 'Expired' : 'Failed';
}
