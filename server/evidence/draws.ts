import { createHmac, randomFillSync } from 'node:crypto';

/** Unsigned 32-bit draws of the cryptographic generator: a client cannot guess which row is audited. */
export interface Draws {
  next(): number;
  /** One per row, before its content is looked at. */
  forRows(rows: number): Uint32Array;
  /** In [0, 1). */
  readonly uniform: () => number;
}

const POOL_SIZE = 1024;

export function createDraws(): Draws {
  const pool = new Uint32Array(POOL_SIZE);
  let used = POOL_SIZE;

  function next(): number {
    if (used === POOL_SIZE) {
      randomFillSync(pool);
      used = 0;
    }
    const draw = pool[used] ?? 0;
    used += 1;
    return draw;
  }

  return {
    next,
    forRows: (rows) => Uint32Array.from({ length: rows }, next),
    uniform: () => next() / 2 ** 32,
  };
}

/** The draw of a sticky client: the key changes with every rollout, so nobody can pick a track by picking a value. */
export function stickyDraw(key: string, value: string): number {
  return createHmac('sha256', key).update(value).digest().readUInt32BE(0);
}
