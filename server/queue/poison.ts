import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';

/** Content hashes of rows that ended the engine twice; refused for ten minutes. */
export interface PoisonList {
  add(input: Uint8Array): void;
  has(input: Uint8Array): boolean;
}

const REFUSED_FOR_MS = 600_000;
const MAX_ENTRIES = 1_000;

export function createPoisonList(clock: Clock): PoisonList {
  const untilMs = new Map<string, number>();
  const digest = (input: Uint8Array) => createHash('sha256').update(input).digest('base64');

  return {
    add: (input) => {
      if (untilMs.size >= MAX_ENTRIES) {
        const [oldest] = untilMs.keys();
        if (oldest !== undefined) untilMs.delete(oldest);
      }
      untilMs.set(digest(input), clock.monotonicMs() + REFUSED_FOR_MS);
    },
    has: (input) => {
      // Hashing every row would cost more than serving it: look only while something is refused.
      if (untilMs.size === 0) return false;
      const nowMs = clock.monotonicMs();
      for (const [key, until] of untilMs) if (until <= nowMs) untilMs.delete(key);
      return untilMs.has(digest(input));
    },
  };
}
