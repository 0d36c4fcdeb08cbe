import type { EngineError } from './engine-error.ts';

/** Which workers are free. One batch at a time on each; who finds none waits in order. */
export class Lanes {
  private free: number[] = [];
  /** The lane for what runs alone; null: there is none. */
  private lone: number | null = null;
  private isLoneBusy = false;
  private waiting: { resolve: (lane: number) => void; reject: (error: EngineError) => void }[] = [];

  open(count: number, hasLoneLane = false): void {
    this.free = Array.from({ length: count }, (_, lane) => lane);
    this.lone = hasLoneLane ? count : null;
    this.isLoneBusy = false;
  }

  /**
   * The lane that was busy last: its weights are still in the processor's caches.
   * @param isAlone nothing else runs: the batch may have the lane that takes all cores
   */
  async acquire(isAlone = false): Promise<number> {
    if (isAlone && this.lone !== null && !this.isLoneBusy) {
      this.isLoneBusy = true;
      return this.lone;
    }
    const lane = this.free.pop();
    if (lane !== undefined) return lane;
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  release(lane: number): void {
    if (lane === this.lone) {
      this.isLoneBusy = false;
      return;
    }
    const next = this.waiting.shift();
    if (next === undefined) this.free.push(lane);
    else next.resolve(lane);
  }

  /** The host is gone, and its workers with it. */
  close(error: EngineError): void {
    this.free = [];
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
