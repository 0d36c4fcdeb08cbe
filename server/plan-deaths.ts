import type { PolicyPair } from './store/boot-counter.ts';

/**
 * Policies whose plan ended the engine host while it was prepared. Twice, and it is not prepared again by this process: a host that dies
 * for heads, comes back and dies for them again would answer nothing in between.
 */
export interface PlanDeaths {
  isDeadly(pair: PolicyPair): boolean;
  died(pair: PolicyPair): void;
  survived(pair: PolicyPair): void;
}

const DEATHS = 2;
const MAX_ENTRIES = 16;

export function createPlanDeaths(): PlanDeaths {
  const deaths = new Map<string, number>();
  const keyOf = ({ epoch, revision }: PolicyPair): string => `${epoch}.${revision}`;
  return {
    isDeadly: (pair) => (deaths.get(keyOf(pair)) ?? 0) >= DEATHS,
    died: (pair) => {
      const key = keyOf(pair);
      const count = (deaths.get(key) ?? 0) + 1;
      deaths.delete(key);
      deaths.set(key, count);
      const [oldest] = deaths.keys();
      if (deaths.size > MAX_ENTRIES && oldest !== undefined) deaths.delete(oldest);
    },
    survived: (pair) => {
      deaths.delete(keyOf(pair));
    },
  };
}
