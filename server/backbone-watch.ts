import type { Clock } from './clock.ts';
import type { EngineClient } from './engine/engine-client.ts';

/**
 * A backbone that gives numbers that are not finite: the client's input, or an engine that went wrong? Ten in a minute, and the known
 * answer says which. A wrong one ends the engine host; a right one changes nothing.
 */
export interface BackboneWatch {
  onNonFinite(rows: number): void;
}

export interface BackboneWatchOptions {
  readonly engine: Pick<EngineClient, 'checkBackbone'>;
  readonly clock: Clock;
  readonly onChecked: (isRight: boolean) => void;
}

const BURST_ROWS = 10;
const BURST_MS = 60_000;
/** Asking takes every worker one row, and a client may send such rows for ever. */
const CHECK_EVERY_MS = 1_000;

export function createBackboneWatch(options: BackboneWatchOptions): BackboneWatch {
  const { engine, clock, onChecked } = options;
  let recent: { readonly atMs: number; readonly rows: number }[] = [];
  let checkedMs = -Infinity;

  async function check(): Promise<void> {
    try {
      onChecked(await engine.checkBackbone());
    } catch {
      // The host is gone: the next one is asked before it serves.
    }
  }

  return {
    onNonFinite: (rows) => {
      const nowMs = clock.monotonicMs();
      recent = recent.filter(({ atMs }) => nowMs - atMs <= BURST_MS);
      recent.push({ atMs: nowMs, rows });
      const total = recent.reduce((sum, entry) => sum + entry.rows, 0);
      if (total < BURST_ROWS || nowMs - checkedMs < CHECK_EVERY_MS) return;
      recent = [];
      checkedMs = nowMs;
      void check();
    },
  };
}
