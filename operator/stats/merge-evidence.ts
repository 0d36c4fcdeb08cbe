// Windows count once and only once (exits.md 5.3 law 6, reliability.md B11): each is immutable and keyed (podUid, bootId, seq).
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';

/** Everything up to `seq` of this boot of this pod is counted or known to be lost. */
export interface Watermark {
  readonly podUid: string;
  readonly bootId: string;
  readonly seq: number;
}

/** What one pod answered, in any order and any multiplicity. */
export interface PodWindows {
  readonly podUid: string;
  readonly bootId: string;
  readonly windows: readonly EvidenceWindow[];
  /** Windows that the parser dropped whole. */
  readonly droppedSeqs: readonly number[];
  /** Oldest seq that the pod still keeps. */
  readonly oldestSeq: number;
}

/** Windows never counted before, with the watermarks after counting them. */
export interface FreshEvidence {
  /** Sorted by pod, boot and seq: equal whatever order they came in. */
  readonly windows: readonly EvidenceWindow[];
  readonly watermarks: readonly Watermark[];
  /** Windows per pod that fell off its ring or were dropped: their audits are lost. */
  readonly missing: readonly { readonly podUid: string; readonly windows: number }[];
}

const PATIENCE_WINDOWS = 30;

/**
 * Picks the windows that follow each pod's watermark without a hole. A hole that the pod can still fill ends the run: the
 * windows behind it come again with the next pull. A hole that it cannot (dropped, older than its ring, or with
 * 30 windows behind it) is counted as missing.
 * A boot without a watermark starts at its oldest window. Windows of another pod or boot than the report's are ignored.
 */
export function takeFresh(
  watermarks: readonly Watermark[],
  reports: readonly PodWindows[],
): FreshEvidence {
  const marks = new Map(watermarks.map((mark) => [keyOf(mark), mark]));
  const windows: EvidenceWindow[] = [];
  const missing = new Map<string, number>();
  for (const report of [...reports].sort(compareKeys)) {
    const run = followWatermark(marks.get(keyOf(report))?.seq ?? null, report);
    windows.push(...run.windows);
    if (run.missing > 0)
      missing.set(report.podUid, (missing.get(report.podUid) ?? 0) + run.missing);
    const { podUid, bootId } = report;
    if (run.seq !== null) marks.set(keyOf(report), { podUid, bootId, seq: run.seq });
  }
  return {
    windows,
    watermarks: [...marks.values()].sort(compareKeys),
    missing: [...missing].map(([podUid, count]) => ({ podUid, windows: count })),
  };
}

interface Run {
  readonly windows: readonly EvidenceWindow[];
  readonly seq: number | null;
  readonly missing: number;
}

function followWatermark(watermark: number | null, report: PodWindows): Run {
  const own = report.windows.filter(
    (window) => window.podUid === report.podUid && window.bootId === report.bootId,
  );
  const bySeq = new Map(own.map((window) => [window.seq, window]));
  const dropped = new Set(report.droppedSeqs);
  const isKnown = (seq: number): boolean => bySeq.has(seq) || dropped.has(seq);
  if (watermark === null && bySeq.size + dropped.size === 0) {
    return { windows: [], seq: null, missing: 0 };
  }
  const start = Math.max(watermark ?? 0, report.oldestSeq - 1);
  let missing = watermark === null ? 0 : start - watermark;
  const windows: EvidenceWindow[] = [];
  let seq = start;
  while (isKnown(seq + 1) || isGivenUp(seq, bySeq)) {
    seq++;
    const window = bySeq.get(seq);
    if (window === undefined) missing++;
    else windows.push(window);
  }
  return { windows, seq, missing };
}

/** A hole with that many windows behind it is not coming any more. */
function isGivenUp(seq: number, bySeq: ReadonlyMap<number, EvidenceWindow>): boolean {
  let behind = 0;
  for (const other of bySeq.keys()) if (other > seq) behind++;
  return behind >= PATIENCE_WINDOWS;
}

const keyOf = ({ podUid, bootId }: Omit<Watermark, 'seq'>): string => `${podUid} ${bootId}`;

function compareKeys(a: Omit<Watermark, 'seq'>, b: Omit<Watermark, 'seq'>): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
