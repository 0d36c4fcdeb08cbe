const DELAY_MS = { first: 250, most: 30_000 } as const;

/** When the next host is started: later after each one that did not live long, soon after one that did. */
export class RestartTimer {
  private readonly healthyMs: number;
  private delayMs: number = DELAY_MS.first;
  private startedMs = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @param healthyMs a host that lived so long was no failure. */
  constructor(healthyMs: number) {
    this.healthyMs = healthyMs;
  }

  started(nowMs: number): void {
    this.startedMs = nowMs;
  }

  /** One restart at a time: a host that ends while it is started is told twice. */
  schedule(nowMs: number, restart: () => void): void {
    if (this.timer !== null) return;
    if (nowMs - this.startedMs > this.healthyMs) this.delayMs = DELAY_MS.first;
    this.timer = setTimeout(() => {
      this.timer = null;
      restart();
    }, this.delayMs);
    this.delayMs = Math.min(DELAY_MS.most, this.delayMs * 2);
  }

  cancel(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
