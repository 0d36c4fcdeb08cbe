/** Runs at most so many things at once; the rest waits in order. */
export type Limit = <T>(run: () => Promise<T>) => Promise<T>;

export function limitConcurrency(most: number): Limit {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (run) => {
    // A place that is handed on stays counted, so nobody slips in between.
    if (running >= most) await new Promise<void>((wake) => waiting.push(wake));
    else running += 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
