import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import type { Clock } from '../clock.ts';

/** Immutable windows of the last 30 minutes, with consecutive sequence numbers. */
export interface WindowRing {
  /** Numbers the window and keeps it. */
  add(build: (seq: number) => EvidenceWindow): void;
  /** The oldest windows after `seq`, as many as one answer may hold. */
  after(seq: number): readonly EvidenceWindow[];
  /** With nothing kept: the next number, so that a watermark just before it is no gap. */
  readonly oldestSeq: number;
  readonly newestSeq: number;
}

const KEPT_MS = 30 * 60_000;
const WINDOWS_PER_ANSWER = 256;

export function createWindowRing(clock: Clock): WindowRing {
  let kept: { readonly window: EvidenceWindow; readonly closedMs: number }[] = [];
  let newestSeq = 0;

  function dropOld(): void {
    const horizonMs = clock.monotonicMs() - KEPT_MS;
    const first = kept.findIndex(({ closedMs }) => closedMs >= horizonMs);
    const tooMany = Math.max(0, kept.length - WIRE_LIMITS.windows);
    const drop = Math.max(first === -1 ? kept.length : first, tooMany);
    if (drop > 0) kept = kept.slice(drop);
  }

  return {
    add: (build) => {
      newestSeq += 1;
      kept.push({ window: build(newestSeq), closedMs: clock.monotonicMs() });
      dropOld();
    },
    after: (seq) => {
      dropOld();
      return kept
        .filter(({ window }) => window.seq > seq)
        .slice(0, WINDOWS_PER_ANSWER)
        .map(({ window }) => window);
    },
    get oldestSeq() {
      dropOld();
      return kept[0]?.window.seq ?? newestSeq + 1;
    },
    get newestSeq() {
      return newestSeq;
    },
  };
}
