import type { KubeClock } from './clock.ts';

/** A budget that all calls share: `burst` at once, then `perSecond`. First come, first served. */
export interface TokenBucket {
  /** Resolves when the call may start, or at once when the signal is or gets aborted. */
  take(signal?: AbortSignal): Promise<void>;
}

export interface BucketOptions {
  readonly clock: KubeClock;
  /** @defaultValue 20 */
  readonly perSecond?: number;
  /** @defaultValue 30 */
  readonly burst?: number;
}

interface Waiter {
  readonly go: () => void;
}

export function createTokenBucket({
  clock,
  perSecond = 20,
  burst = 30,
}: BucketOptions): TokenBucket {
  let tokens = burst;
  let filledMs = clock.monotonicMs();
  const waiting = new Set<Waiter>();
  let isArmed = false;

  const refill = (): void => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((nowMs - filledMs) * perSecond) / 1000);
    filledMs = nowMs;
  };
  const serve = (): void => {
    refill();
    for (const waiter of waiting) {
      // The sum of many small refills may stay a hair under one.
      if (tokens < 1 - 1e-6) break;
      tokens -= 1;
      waiting.delete(waiter);
      waiter.go();
    }
    arm();
  };
  const arm = (): void => {
    if (isArmed || waiting.size === 0) return;
    isArmed = true;
    clock.schedule(Math.ceil(((1 - tokens) * 1000) / perSecond), () => {
      isArmed = false;
      serve();
    });
  };
  return {
    take: (signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const leave = (): void => {
          waiting.delete(waiter);
          resolve();
        };
        const waiter: Waiter = {
          go: () => {
            signal?.removeEventListener('abort', leave);
            resolve();
          },
        };
        signal?.addEventListener('abort', leave, { once: true });
        waiting.add(waiter);
        serve();
      }),
  };
}
