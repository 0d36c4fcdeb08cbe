// Windows count once and only once (exits.md 5.3 law 6, reliability.md B11): each is immutable and keyed (podUid, bootId, seq).
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';

/** One run of one pod: sequence numbers of windows start anew with each. */
export interface PodBoot {
  readonly podUid: string;
  readonly bootId: string;
}

/** Everything up to `seq` of this boot is counted or known to be lost. */
export interface Watermark extends PodBoot {
  readonly seq: number;
  /** Last tick with a report of this boot. */
  readonly seenMs: number;
}

/** What one pod answered, in any order and any multiplicity. */
export interface PodWindows extends PodBoot {
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
  /** Windows that fell off a pod's ring or were dropped: their audits are lost. */
  readonly missing: readonly { readonly podUid: string; readonly windows: number }[];
}

/** A hole with that many windows behind it is not filled any more. */
const PATIENCE_WINDOWS = 30;
/** Pods keep windows for 30 minutes: an older boot can bring nothing that was counted. */
const FORGET_MS = 3_600_000;

/**
 * Picks the windows that follow each pod's watermark without a hole. A hole that the pod can still fill ends the run: the
 * windows behind it come again with the next pull. A hole that it cannot (dropped, older than its ring, 30 windows behind it)
 * is counted as missing. A boot without a watermark starts at its oldest window. Windows of another boot than the report's
 * are ignored. Watermarks of boots not reported for an hour are forgotten.
 */
export function takeFresh(
  watermarks: readonly Watermark[],
  reports: readonly PodWindows[],
  nowMs: number,
): FreshEvidence {
  const marks = new Map(
    watermarks.filter((mark) => nowMs - mark.seenMs < FORGET_MS).map((mark) => [keyOf(mark), mark]),
  );
  const windows: EvidenceWindow[] = [];
  const missing: FreshEvidence['missing'][number][] = [];
  for (const report of [...reports].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
    const { podUid, bootId } = report;
    const run = followWatermark(marks.get(keyOf(report))?.seq ?? null, report);
    windows.push(...run.windows);
    if (run.missing > 0) missing.push({ podUid, windows: run.missing });
    if (run.seq !== null) marks.set(keyOf(report), { podUid, bootId, seq: run.seq, seenMs: nowMs });
  }
  return { windows, watermarks: [...marks.values()], missing };
}

const keyOf = ({ podUid, bootId }: PodBoot): string => `${podUid} ${bootId}`;

interface Run {
  readonly windows: readonly EvidenceWindow[];
  readonly seq: number | null;
  readonly missing: number;
}

function followWatermark(watermark: number | null, report: PodWindows): Run {
  const bySeq = new Map(
    report.windows
      .filter((window) => keyOf(window) === keyOf(report))
      .map((window) => [window.seq, window]),
  );
  const dropped = report.droppedSeqs.filter((seq) => Number.isSafeInteger(seq));
  const known = [...new Set([...bySeq.keys(), ...dropped])].sort((a, b) => a - b);
  if (watermark === null && known.length === 0) return { windows: [], seq: null, missing: 0 };
  let seq = Math.max(watermark ?? 0, report.oldestSeq - 1);
  let missing = watermark === null ? 0 : seq - watermark;
  const windows: EvidenceWindow[] = [];
  const ahead = known.filter((other) => other > seq);
  for (const [index, next] of ahead.entries()) {
    const hole = next - seq - 1;
    if (hole > 0 && ahead.length - index < PATIENCE_WINDOWS) break;
    missing += hole;
    seq = next;
    const window = bySeq.get(next);
    if (window === undefined) missing++;
    else windows.push(window);
  }
  return { windows, seq, missing };
}
