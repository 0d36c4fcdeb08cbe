/** At most `size` things at a time. `idle` resolves when none is left. */
export interface Slots {
  acquire(): Promise<void>;
  release(): void;
  idle(): Promise<void>;
  readonly busy: number;
}

export function createSlots(size: number): Slots {
  const waiting: (() => void)[] = [];
  const idlers: (() => void)[] = [];
  let busy = 0;
  return {
    acquire: () => {
      if (busy < size) {
        busy += 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    release: () => {
      const next = waiting.shift();
      if (next !== undefined) {
        next();
        return;
      }
      busy -= 1;
      if (busy === 0) for (const idler of idlers.splice(0)) idler();
    },
    idle: () => (busy === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    get busy() {
      return busy;
    },
  };
}
