/** Lets a few tasks run at once; the others wait in the order in which they came. */
export interface Gate {
  run<T>(task: () => Promise<T>): Promise<T>;
}

export function createGate(places: number): Gate {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function enter(): Promise<void> {
    if (running >= places) {
      // The place is handed over, so `running` stays.
      await new Promise<void>((wake) => waiting.push(wake));
      return;
    }
    running += 1;
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  return {
    run: async (task) => {
      await enter();
      try {
        return await task();
      } finally {
        leave();
      }
    },
  };
}
