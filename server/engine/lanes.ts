import type { EngineError } from './engine-error.ts';

/** Which workers are free. One batch at a time on each; who finds none waits in order. */
export class Lanes {
  private free: number[] = [];
  private waiting: { resolve: (lane: number) => void; reject: (error: EngineError) => void }[] = [];

  open(count: number): void {
    this.free = Array.from({ length: count }, (_, lane) => lane);
  }

  /** The lane that was busy last: its weights are still in the processor's caches. */
  async acquire(): Promise<number> {
    const lane = this.free.pop();
    if (lane !== undefined) return lane;
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  release(lane: number): void {
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
