import type { KubeClock } from '../kube/clock.ts';

/** Runs at most so many things at once; the rest waits in order. */
export type Limit = <T>(run: () => Promise<T>) => Promise<T>;

/** How long a thing may keep its place. What takes longer goes on without one, so that silence is not waited for in a row. */
export interface Patience {
  readonly clock: KubeClock;
  readonly ms: number;
}

/** @param patience @defaultValue null: a place is kept to the end */
export function limitConcurrency(most: number, patience: Patience | null = null): Limit {
  const waiting: (() => void)[] = [];
  let taken = 0;

  function takePlace(): () => void {
    let isHeld = true;
    const leave = (): void => {
      if (!isHeld) return;
      isHeld = false;
      cancel?.();
      const next = waiting.shift();
      if (next === undefined) taken -= 1;
      else next();
    };
    const cancel = patience?.clock.schedule(patience.ms, leave);
    return leave;
  }

  return async (run) => {
    // A place that is handed on stays counted, so nobody slips in between.
    if (taken >= most) await new Promise<void>((wake) => waiting.push(wake));
    else taken += 1;
    const leave = takePlace();
    try {
      return await run();
    } finally {
      leave();
    }
  };
}
