import { setTimeout as sleep } from 'node:timers/promises';
import { comparePair } from '../crds/wire/policy.ts';
import type { Clock } from './clock.ts';
import type { PolicyPair } from './store/boot-counter.ts';

/** After an opening of heads, this many times as long without another: openings take at most a tenth of the time. */
const REST = 9;
/** Longest rest: what a policy waits at most for others that were applied. */
const MOST_REST_MS = 500;
/** Between two looks at an opening, or at a newer policy that goes first. */
const LOOK_MS = 5;

/** How often heads are opened while requests come: each opening takes processors and workers from them. */
export interface HeadPace {
  /**
   * Resolves when a policy may open its heads: at once where nothing was answered since the last opening began, else after the rest
   * that follows it. The newest goes first; others stay until `isWanted` says that they have nothing left to open.
   */
  turn(pair: PolicyPair, isWanted: () => boolean): Promise<void>;
  /** Runs one opening, whose time fixes the rest. */
  open<T>(opening: () => Promise<T>): Promise<T>;
}

export interface HeadPaceOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Batches that were started so far. */
  readonly batches: () => number;
  /** @defaultValue a timer */
  readonly wait?: (ms: number) => Promise<unknown>;
}

export function createHeadPace({ clock, batches, wait = sleep }: HeadPaceOptions): HeadPace {
  const waiting = new Set<PolicyPair>();
  let batchesBefore = Infinity;
  let isOpening = false;
  let dueMs = -Infinity;

  function restMs(): number {
    if (batches() <= batchesBefore) return 0;
    return isOpening ? LOOK_MS : Math.max(0, dueMs - clock.monotonicMs());
  }

  function waitMs(pair: PolicyPair): number {
    const isOlder = [...waiting].some((other) => comparePair(other, pair) > 0);
    return isOlder ? Math.max(LOOK_MS, restMs()) : restMs();
  }

  return {
    turn: async (pair, isWanted) => {
      waiting.add(pair);
      try {
        while (isWanted() && waitMs(pair) > 0) await wait(waitMs(pair));
      } finally {
        waiting.delete(pair);
      }
    },
    open: async (opening) => {
      const startMs = clock.monotonicMs();
      batchesBefore = batches();
      isOpening = true;
      try {
        return await opening();
      } finally {
        isOpening = false;
        const endMs = clock.monotonicMs();
        dueMs = endMs + Math.min(MOST_REST_MS, REST * (endMs - startMs));
      }
    },
  };
}
