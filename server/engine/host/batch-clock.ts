// Busy seconds of one batch by kind (exits.md 10).
import type { BusyClock } from '../busy-clock.ts';
import type { BatchOutcome, SegmentTime } from '../engine-client.ts';

/** Share of a new batch in the running ratio. */
const NEW_SHARE = 0.05;

/**
 * Running ratio of what work takes now to what the table says. The machine of the measurement and of the moment differ
 * (other workers, other processes), and plain time is never measured beside a batch, so the table is scaled by this.
 */
export class LoadRatio {
  private ratio = 1;

  get value(): number {
    return this.ratio;
  }

  add(actualMs: number, tableMs: number): void {
    if (!(tableMs > 0)) return;
    const ratio = Math.min(10, Math.max(0.1, actualMs / tableMs));
    this.ratio += NEW_SHARE * (ratio - this.ratio);
  }
}

/** Batches from one look at the busy clock to the next: two looks are system calls that take 0.03 ms together. */
const LOOK_EVERY = 8;
/** Share of a new look. */
const LOOK_SHARE = 0.25;

/** Running ratio of busy to elapsed time of the thread while it runs batches. */
export class BusyShare {
  private readonly busyMs: BusyClock;
  private batches = 0;
  private share = 1;

  constructor(busyMs: BusyClock) {
    this.busyMs = busyMs;
  }

  /** Called as a batch starts. @returns what to call as it ends with its elapsed milliseconds; gives its busy milliseconds. */
  start(): (elapsedMs: number) => number {
    const isLook = this.batches % LOOK_EVERY === 0;
    this.batches += 1;
    if (!isLook) return (elapsedMs) => elapsedMs * this.share;
    const startMs = this.busyMs();
    return (elapsedMs) => {
      const busyMs = this.busyMs() - startMs;
      if (elapsedMs > 0) {
        const weight = this.batches <= LOOK_EVERY ? 1 : LOOK_SHARE;
        this.share += weight * (busyMs / elapsedMs - this.share);
      }
      return busyMs;
    };
  }
}

/** What a step worked for. */
export interface StepRows {
  /** Rows that had no answer yet. */
  readonly serving: number;
  /** Rows that only an audit or a sample kept. */
  readonly auditing: number;
}

export class BatchClock {
  private readonly end: (elapsedMs: number) => number;
  private segmentMs = 0;
  private headMs = 0;
  private companionMs = 0;
  private compactMs = 0;
  private auditMs = 0;
  private tableMs = 0;
  /** As they ran. */
  readonly segments: SegmentTime[] = [];

  constructor(busy: BusyShare) {
    this.end = busy.start();
  }

  /** One segment: its heads' share as the table has it, audits their share by rows. */
  addSegment(
    { cut, ms: elapsedMs }: SegmentTime,
    table: { readonly segmentMs: number; readonly headMs: number },
    rows: StepRows,
  ): void {
    this.segments.push({ cut, ms: elapsedMs });
    const total = table.segmentMs + table.headMs;
    const headShare = total > 0 ? table.headMs / total : 0;
    const auditShare = rows.auditing / Math.max(1, rows.serving + rows.auditing);
    this.auditMs += elapsedMs * auditShare;
    this.headMs += elapsedMs * (1 - auditShare) * headShare;
    this.segmentMs += elapsedMs * (1 - auditShare) * (1 - headShare);
    this.tableMs += total;
  }

  /** A companion with its scores; audits have their share by rows. */
  addCompanion(time: SegmentTime, tableMs: number, rows: StepRows): void {
    this.segments.push(time);
    const auditShare = rows.auditing / Math.max(1, rows.serving + rows.auditing);
    this.auditMs += time.ms * auditShare;
    this.companionMs += time.ms * (1 - auditShare);
    this.tableMs += tableMs;
  }

  addCompaction(elapsedMs: number): void {
    this.compactMs += elapsedMs;
  }

  /** Steps are timed by elapsed time, which is cheap; now and then the whole by busy time, which is true. One scales the other. */
  seconds(plainMs: number, load: LoadRatio): BatchOutcome['seconds'] {
    const { segmentMs, headMs, companionMs, compactMs, auditMs } = this;
    const elapsedMs = segmentMs + headMs + companionMs + compactMs + auditMs;
    const busyMs = this.end(elapsedMs);
    load.add(busyMs, this.tableMs);
    const scale = elapsedMs > 0 ? busyMs / elapsedMs / 1000 : 0;
    return {
      segment: segmentMs * scale,
      head: headMs * scale,
      companion: companionMs * scale,
      compact: compactMs * scale,
      audit: auditMs * scale,
      plain: (plainMs * load.value) / 1000,
    };
  }
}
