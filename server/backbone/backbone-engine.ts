import { setTimeout as wait } from 'node:timers/promises';
import type { LoadFailure } from '../../crds/wire/loading-state.ts';
import type {
  CompanionLostListener,
  EngineClient,
  EngineReport,
  StatusListener,
} from '../engine/engine-client.ts';
import { EngineError } from '../engine/engine-error.ts';
import { toLoadFailure } from './load-error.ts';
import type { LoadProgress } from './load-progress.ts';
import { retryDelayMs, type RetryDelays } from './retry-delay.ts';

export interface BackboneEngineOptions {
  /** False: the first failure is thrown, for a person who started the process. */
  readonly isPatient: boolean;
  /** Brings the backbone here and checks it; every failure is thrown. */
  readonly obtain: (signal: AbortSignal) => Promise<string>;
  readonly createEngine: (path: string) => EngineClient;
  readonly progress: LoadProgress;
  readonly onFailure: (failure: LoadFailure, retryMs: number) => void;
  /** [0, 1): spreads the retries of many pods. */
  readonly random: () => number;
  readonly retry?: RetryDelays;
}

const RETRY: RetryDelays = { firstMs: 1_000, mostOnTheWayMs: 60_000, mostMs: 300_000 };

/**
 * An engine that begins with fetching its backbone. In a pod it never gives up: a wrong URI, digest or format is told and tried
 * again, since a process that ended would hide the reason behind a crash loop. Once loaded it is the engine itself.
 */
export function createBackboneEngine(options: BackboneEngineOptions): EngineClient {
  const retry = options.retry ?? RETRY;
  const ending = new AbortController();
  const listeners: StatusListener[] = [];
  const lostListeners: CompanionLostListener[] = [];
  let inner: EngineClient | null = null;

  const tell: StatusListener = (status, end) => {
    for (const listener of listeners) listener(status, end);
  };

  function loaded(): EngineClient {
    if (inner !== null) return inner;
    throw new EngineError('EngineDown', 'the backbone is not loaded yet');
  }

  async function tryOnce(): Promise<EngineReport> {
    options.progress.fetching();
    const path = await options.obtain(ending.signal);
    options.progress.loading();
    const engine = options.createEngine(path);
    const abandon = (): void => void engine.close();
    ending.signal.addEventListener('abort', abandon);
    try {
      const report = await engine.start();
      inner = engine;
      engine.onStatus(tell);
      engine.onCompanionLost((name, why) => {
        for (const listener of lostListeners) listener(name, why);
      });
      tell('Up', null);
      return report;
    } finally {
      ending.signal.removeEventListener('abort', abandon);
    }
  }

  async function start(): Promise<EngineReport> {
    for (let failures = 0; ; failures++) {
      try {
        return await tryOnce();
      } catch (error) {
        if (ending.signal.aborted || !options.isPatient) throw error;
        const failure = toLoadFailure(error);
        const isOnTheWay = failure.code === 'BackboneFetchFailed';
        const retryMs = retryDelayMs({ failures, isOnTheWay }, retry, options.random);
        options.progress.failed(failure);
        options.onFailure(failure, retryMs);
        await wait(retryMs, undefined, { signal: ending.signal });
      }
    }
  }

  return {
    start,
    prepare: (plan) => loaded().prepare(plan),
    openCompanion: (companion) => loaded().openCompanion(companion),
    onCompanionLost: (listener) => {
      lostListeners.push(listener);
    },
    release: (planId) => loaded().release(planId),
    run: (batch, onRows) => loaded().run(batch, onRows),
    checkBackbone: () => loaded().checkBackbone(),
    get slots() {
      return inner?.slots ?? 1;
    },
    get loneSpeedup() {
      return inner?.loneSpeedup ?? null;
    },
    get status() {
      if (ending.signal.aborted) return 'Closed';
      return inner?.status ?? 'Starting';
    },
    onStatus: (listener) => {
      listeners.push(listener);
    },
    memory: () => inner?.memory() ?? { rssBytes: 0, activations: 0, plans: 0 },
    close: async () => {
      ending.abort();
      await inner?.close();
    },
  };
}
