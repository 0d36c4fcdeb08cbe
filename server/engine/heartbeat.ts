// Whether the host still lives, judged in time in which this process looked: one that was itself stopped (a frozen virtual machine,
// a debugger) finds the answers of the meantime unread, and must not take them for silence.

/** A call that waits for the host. */
export interface Awaited {
  readonly isBatch: boolean;
  /** By `Heartbeat.atMs`; null: it may take as long as it takes. */
  readonly sinceMs: number | null;
}

export interface HeartbeatLimits {
  /** Silence, and a batch without end. */
  readonly silenceMs: number;
  /** Anything else that a host is asked: loading, preparing. */
  readonly changeMs: number;
  readonly lookEveryMs: number;
}

const SLOWEST_BATCHES = 20;
const SLOWEST_CHANGES = 1_000;
/** Share of the slowest batch that is remembered after each further one: a limit that only grows would end up seeing nothing. */
const REMEMBERED = 0.99;

export class Heartbeat {
  private readonly limits: HeartbeatLimits;
  private lookedMs: number;
  private watchedMs = 0;
  private heardMs = 0;
  private slowestMs = 0;

  constructor(limits: HeartbeatLimits, nowMs: number) {
    this.limits = limits;
    this.lookedMs = nowMs;
  }

  heard(nowMs: number): void {
    this.heardMs = this.atMs(nowMs);
  }

  /** A warm batch took so long, here or in a table. */
  ran(batchMs: number): void {
    this.slowestMs = Math.max(batchMs, this.slowestMs * REMEMBERED);
  }

  /** Watched time. */
  atMs(nowMs: number): number {
    return this.watchedMs + Math.min(nowMs - this.lookedMs, 2 * this.limits.lookEveryMs);
  }

  /** What is wrong; null: nothing. To be called every `lookEveryMs`. */
  look(nowMs: number, awaited: Iterable<Awaited>): string | null {
    this.watchedMs = this.atMs(nowMs);
    this.lookedMs = nowMs;
    const batchMs = Math.max(this.limits.silenceMs, SLOWEST_BATCHES * this.slowestMs);
    const changeMs = Math.max(this.limits.changeMs, SLOWEST_CHANGES * this.slowestMs);
    if (this.watchedMs - this.heardMs > batchMs) {
      return `no heartbeat for ${Math.round(batchMs)} ms`;
    }
    for (const { isBatch, sinceMs } of awaited) {
      const limitMs = isBatch ? batchMs : changeMs;
      if (sinceMs === null || this.watchedMs - sinceMs <= limitMs) continue;
      return `${isBatch ? 'a batch' : 'a change of models or plans'} did not end within ${Math.round(limitMs)} ms`;
    }
    return null;
  }
}
