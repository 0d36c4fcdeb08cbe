// The model server's side of the engine host: keeps one alive, passes batches, never goes down with it.
import { performance } from 'node:perf_hooks';
import type { EngineSetting } from '../config.ts';
import { encodeBatch } from './batch-frames.ts';
import type {
  BatchOutcome,
  BatchRequest,
  EngineClient,
  EnginePlan,
  EngineReport,
  EngineStatus,
  PlanReport,
  RowAnswer,
} from './engine-client.ts';
import { EngineError } from './engine-error.ts';
import type { Frame } from './frames.ts';
import { HostProcess } from './host-process.ts';
import { Lanes } from './lanes.ts';
import { PendingCalls, toOutcome } from './pending-calls.ts';
import type { AnswerHeader, OpenHeader, PongHeader } from './protocol.ts';
import type { ModelSource } from './segment-engine.ts';

export interface EngineClientOptions {
  /** The bundled host; its worker scripts lie beside it. */
  readonly hostScript: string;
  readonly source: ModelSource;
  readonly engine: EngineSetting;
  /** 0 = one per core. */
  readonly threads: number;
  /** @defaultValue 10,000: silence or a batch without end for longer than this (or 20 slowest warm batches) kills the host. */
  readonly silenceMs?: number;
}

const PING_EVERY_MS = 1000;
const SILENCE_MS = 10_000;
const SLOWEST_BATCHES = 20;
const RESTART_MS = { first: 250, most: 30_000 } as const;
/** A host that lived this long starts over with the first delay. */
const HEALTHY_MS = 60_000;

export function createEngineClient(options: EngineClientOptions): EngineClient & {
  /** Process id of the host, for tests and state. */
  readonly hostPid: () => number | undefined;
} {
  return new HostedEngine(options);
}

class HostedEngine implements EngineClient {
  slots = 1;
  status: EngineStatus = 'Starting';
  private readonly options: EngineClientOptions;
  private readonly calls = new PendingCalls();
  private lanes = new Lanes();
  private readonly statusListeners: ((status: EngineStatus, cause: string) => void)[] = [];
  private host: HostProcess | null = null;
  private known: PongHeader = { rssBytes: 0, activations: 0 };
  private lastHeardMs = 0;
  private slowestBatchMs = 0;
  private restartMs: number = RESTART_MS.first;
  private startedMs = 0;
  private pinger: NodeJS.Timeout | null = null;
  private restarter: NodeJS.Timeout | null = null;
  private ended: (() => void) | null = null;

  constructor(options: EngineClientOptions) {
    this.options = options;
  }

  readonly hostPid = (): number | undefined => this.host?.pid;

  async start(): Promise<EngineReport> {
    try {
      const report = await this.startHost();
      this.setStatus('Up', '');
      return report;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async prepare(plan: EnginePlan): Promise<PlanReport> {
    const answer = await this.ask('prepare', { plan });
    if (answer.to !== 'prepare') throw unexpected(answer);
    const slowest = Math.max(0, ...answer.report.costs.plainMs.filter(Number.isFinite));
    this.slowestBatchMs = Math.max(this.slowestBatchMs, slowest);
    return answer.report;
  }

  async release(planId: number): Promise<void> {
    // A host that died took its plans with it.
    if (this.status === 'Up') await this.ask('release', { planId });
  }

  async run(
    batch: BatchRequest,
    onRows: (rows: readonly RowAnswer[]) => void,
  ): Promise<BatchOutcome> {
    const host = this.upHost();
    const { lanes } = this;
    const lane = await lanes.acquire();
    const nowMs = performance.now();
    const answer = await this.calls
      .add(
        (id) => {
          host.sendTo(lane, encodeBatch(id, batch));
        },
        { onRows, nowMs },
      )
      .finally(() => {
        lanes.release(lane);
      });
    this.slowestBatchMs = Math.max(this.slowestBatchMs, performance.now() - nowMs);
    return toOutcome(answer);
  }

  onStatus(listener: (status: EngineStatus, cause: string) => void): void {
    this.statusListeners.push(listener);
  }

  memory(): { readonly rssBytes: number; readonly activations: number } {
    return this.known;
  }

  async close(): Promise<void> {
    if (this.status === 'Closed') return;
    this.setStatus('Closed', 'closed');
    if (this.restarter !== null) clearTimeout(this.restarter);
    const { host } = this;
    if (host === null) return;
    await new Promise<void>((resolve) => {
      this.ended = resolve;
      host.kill('closed');
    });
  }

  private async startHost(): Promise<EngineReport> {
    this.startedMs = performance.now();
    this.lastHeardMs = this.startedMs;
    const host = await HostProcess.start(this.options.hostScript, {
      onFrame: (frame) => {
        this.receive(frame);
      },
      onEnd: (cause) => {
        this.hostEnded(cause);
      },
    });
    this.host = host;
    this.pinger = setInterval(() => {
      this.checkHeartbeat(host);
    }, PING_EVERY_MS);
    const { source, engine, threads } = this.options;
    const header: OpenHeader = { source, engine, threads };
    const answer = await this.calls.add((id) => {
      host.send({ kind: 'open', id, header, blobs: [] });
    }, null);
    if (answer.to !== 'open') throw unexpected(answer);
    await host.lanesConnected(answer.slots);
    this.lanes = new Lanes();
    this.lanes.open(answer.slots);
    this.slots = answer.slots;
    return answer.report;
  }

  private ask(kind: 'prepare' | 'release', header: unknown): Promise<AnswerHeader> {
    const host = this.upHost();
    return this.calls.add((id) => {
      host.send({ kind, id, header, blobs: [] });
    }, null);
  }

  private upHost(): HostProcess {
    if (this.status === 'Up' && this.host !== null) return this.host;
    throw new EngineError(
      'EngineDown',
      `the engine host is ${this.status}; it is restarted by itself, try again shortly`,
    );
  }

  private receive(frame: Frame): void {
    this.lastHeardMs = performance.now();
    if (frame.kind === 'pong') this.known = frame.header as PongHeader;
    else this.calls.receive(frame);
  }

  /** Silence, or a batch that does not end: the kernel or the process is stuck. */
  private checkHeartbeat(host: HostProcess): void {
    const nowMs = performance.now();
    const limitMs = Math.max(
      this.options.silenceMs ?? SILENCE_MS,
      SLOWEST_BATCHES * this.slowestBatchMs,
    );
    const oldestMs = this.calls.oldestBatchMs();
    if (nowMs - this.lastHeardMs > limitMs) host.kill(`no heartbeat for ${Math.round(limitMs)} ms`);
    else if (oldestMs !== null && nowMs - oldestMs > limitMs) {
      host.kill(`a batch did not end within ${Math.round(limitMs)} ms`);
    } else host.send({ kind: 'ping', id: 0, header: null, blobs: [] });
  }

  private hostEnded(cause: string): void {
    this.host = null;
    this.known = { rssBytes: 0, activations: 0 };
    if (this.pinger !== null) clearInterval(this.pinger);
    const gone = new EngineError('EngineDown', `the engine host is gone: ${cause}`);
    this.lanes.close(gone);
    this.calls.rejectAll(gone);
    this.ended?.();
    if (this.status === 'Starting' || this.status === 'Closed') return;
    this.setStatus('Down', cause);
    this.scheduleRestart();
  }

  private scheduleRestart(): void {
    const livedMs = performance.now() - this.startedMs;
    if (livedMs > HEALTHY_MS) this.restartMs = RESTART_MS.first;
    this.restarter = setTimeout(() => {
      void this.restart();
    }, this.restartMs);
    this.restartMs = Math.min(RESTART_MS.most, this.restartMs * 2);
  }

  private async restart(): Promise<void> {
    try {
      await this.startHost();
      this.setStatus('Up', '');
    } catch (error) {
      if (this.isClosed()) return;
      if (this.host === null) this.scheduleRestart();
      else this.host.kill(error instanceof Error ? error.message : 'it did not start');
    }
  }

  private isClosed(): boolean {
    return this.status === 'Closed';
  }

  private setStatus(status: EngineStatus, cause: string): void {
    if (this.status === status) return;
    this.status = status;
    for (const listener of this.statusListeners) listener(status, cause);
  }
}

function unexpected(answer: AnswerHeader): EngineError {
  return new EngineError('EngineFailed', `the host answered with ${answer.to}`);
}
