import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import type { Clock } from '../clock.ts';
import type { WindowRing } from './window-ring.ts';

/** Who pulls evidence: whether anybody does, and how far. */
export interface EvidenceReader {
  /** An answer with these windows has left. */
  answered(windows: readonly EvidenceWindow[]): void;
  /** Wall clock; null: nobody ever has. */
  readonly lastReadMs: number | null;
  /**
   * Resolves when no window with rows is unread, or after `withinMs`: true when all are read. At once where nobody reads: a server
   * without an operator has nothing to wait for.
   */
  allRead(ring: WindowRing, withinMs: number): Promise<boolean>;
}

/** Three polls of an operator: who has missed them all is not there. */
const LISTENS_MS = 90_000;

export function createEvidenceReader(clock: Clock): EvidenceReader {
  let readSeq = 0;
  let heardMs = -Infinity;
  let lastReadMs: number | null = null;
  let wake: () => void = () => undefined;

  function isDone(ring: WindowRing): boolean {
    return !ring.after(readSeq).some(hasRows);
  }

  return {
    answered: (windows) => {
      heardMs = clock.monotonicMs();
      lastReadMs = clock.nowMs();
      readSeq = Math.max(readSeq, windows.at(-1)?.seq ?? 0);
      wake();
    },
    get lastReadMs() {
      return lastReadMs;
    },
    allRead: async (ring, withinMs) => {
      if (isDone(ring)) return true;
      if (clock.monotonicMs() - heardMs > LISTENS_MS) return false;
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          resolve(false);
        }, withinMs);
        wake = () => {
          if (!isDone(ring)) return;
          clearTimeout(timer);
          resolve(true);
        };
      });
    },
  };
}

/** Somebody was answered or failed in it: an empty window tells an operator nothing. */
function hasRows({ served, auditsChosen }: EvidenceWindow): boolean {
  const answered = served.rows.reduce((sum, rows) => sum + rows, 0);
  return answered + served.optedOut + served.errors + auditsChosen > 0;
}
