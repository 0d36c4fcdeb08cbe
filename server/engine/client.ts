// The model server's side of the engine host: keeps one alive, passes batches, never goes down with it.
import { performance } from 'node:perf_hooks';
import type { EngineSetting } from '../config.ts';
import { isSameAnswer, type BackboneAnswer } from './backbone-answer.ts';
import type {
  BatchOutcome,
  BatchRequest,
  CompanionLostListener,
  CompanionSource,
  EngineClient,
  EngineMemory,
  EnginePlan,
  EngineReport,
  EngineStatus,
  LoadedCompanion,
  PlanReport,
  RowAnswer,
  StatusListener,
} from './engine-client.ts';
import { EngineError, toEngineFailure } from './engine-error.ts';
import type { Frame } from './frames.ts';
import { Heartbeat } from './heartbeat.ts';
import type { HostEnd } from './host-end.ts';
import { HostProcess } from './host-process.ts';
import { Lanes } from './lanes.ts';
import { MemoryWatch } from './memory-watch.ts';
import { PendingCalls, toOutcome } from './pending-calls.ts';
import type { AnswerHeader, OpenHeader, PongHeader } from './protocol.ts';
import { RestartTimer } from './restart-timer.ts';
import type { ModelSource } from './segment-engine.ts';

export interface EngineClientOptions {
  /** The bundled host; its worker scripts lie beside it. */
  readonly hostScript: string;
  readonly source: ModelSource;
  readonly engine: EngineSetting;
  /** 0 = one per core. */
  readonly threads: number;
  /** Of one pass when nothing else is under way. @defaultValue 1: as any other */
  readonly loneThreads?: number;
  /** @defaultValue 10,000: silence or a batch without end for longer than this (or 20 slowest warm batches) ends the host. */
  readonly silenceMs?: number;
  /** Resident memory above which the host is drained and ended. @defaultValue null: none */
  readonly memoryBytes?: number | null;
  /** @defaultValue 60,000: a host that lived this long is healthy: the next restart waits least, and its size is judged. */
  readonly healthyMs?: number;
}

const PING_EVERY_MS = 1_000;
const SILENCE_MS = 10_000;
/** Preparing and loading again may take minutes on a large model; this is for a worker that will never answer. */
const CHANGE_MS = 300_000;
const DRAIN_MS = 10_000;
const HEALTHY_MS = 60_000;
const UNKNOWN_MEMORY: EngineMemory = { rssBytes: 0, activations: 0, plans: 0 };

export function createEngineClient(options: EngineClientOptions): EngineClient & {
  /** Process id of the host, for tests and state. */
  readonly hostPid: () => number | undefined;
} {
  return new HostedEngine(options);
}

interface KnownCompanion {
  readonly companion: CompanionSource;
  readonly answer: BackboneAnswer;
}

class HostedEngine implements EngineClient {
  slots = 1;
  loneSpeedup: number | null = null;
  status: EngineStatus = 'Starting';
  private readonly options: EngineClientOptions;
  private readonly silenceMs: number;
  private readonly healthyMs: number;
  private readonly lookEveryMs: number;
  private readonly calls = new PendingCalls();
  private lanes = new Lanes();
  private readonly statusListeners: StatusListener[] = [];
  private readonly lostListeners: CompanionLostListener[] = [];
  private host: HostProcess | null = null;
  private known = UNKNOWN_MEMORY;
  private heartbeat: Heartbeat;
  private memoryWatch: MemoryWatch;
  /** What the first host answered to the fixed row. */
  private rightAnswer: BackboneAnswer | null = null;
  /** Loaded again after a restart, with what each answered at first. */
  private readonly companions = new Map<string, KnownCompanion>();
  private readonly restarts: RestartTimer;
  private pinger: NodeJS.Timeout | null = null;
  private ended: (() => void) | null = null;

  constructor(options: EngineClientOptions) {
    this.options = options;
    this.silenceMs = options.silenceMs ?? SILENCE_MS;
    this.healthyMs = options.healthyMs ?? HEALTHY_MS;
    this.restarts = new RestartTimer(this.healthyMs);
    this.lookEveryMs = Math.min(PING_EVERY_MS, this.silenceMs / 4);
    [this.heartbeat, this.memoryWatch] = this.newWatches(performance.now());
  }

  readonly hostPid = (): number | undefined => this.host?.pid;

  async start(): Promise<EngineReport> {
    try {
      const report = await this.startHost();
      this.setStatus('Up', null);
      return report;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async prepare(plan: EnginePlan): Promise<PlanReport> {
    const answer = await this.ask(this.upHost(), 'prepare', { plan });
    if (answer.to !== 'prepare') throw unexpected(answer);
    this.heartbeat.ran(Math.max(0, ...answer.report.costs.plainMs.filter(Number.isFinite)));
    return answer.report;
  }

  openCompanion(companion: CompanionSource): Promise<LoadedCompanion> {
    return this.openBeside(this.upHost(), companion);
  }

  onCompanionLost(listener: CompanionLostListener): void {
    this.lostListeners.push(listener);
  }

  async release(planId: number): Promise<void> {
    // A host that died took its plans with it.
    if (this.status === 'Up') await this.ask(this.upHost(), 'release', { planId });
  }

  async run(
    batch: BatchRequest,
    onRows: (rows: readonly RowAnswer[]) => void,
  ): Promise<BatchOutcome> {
    const host = this.upHost();
    const { lanes } = this;
    const lane = await lanes.acquire(batch.isAlone);
    const startMs = performance.now();
    const answer = await this.calls
      .add(
        (id) => {
          host.sendTo(lane, id, batch);
        },
        { onRows, sinceMs: this.heartbeat.atMs(startMs) },
      )
      .finally(() => {
        lanes.release(lane);
      });
    this.heartbeat.ran(performance.now() - startMs);
    return toOutcome(answer);
  }

  checkBackbone(): Promise<boolean> {
    return this.checkHost(this.upHost());
  }

  onStatus(listener: StatusListener): void {
    this.statusListeners.push(listener);
  }

  memory(): EngineMemory {
    return this.known;
  }

  async close(): Promise<void> {
    if (this.status === 'Closed') return;
    this.setStatus('Closed', null);
    this.restarts.cancel();
    const { host } = this;
    if (host === null) return;
    await new Promise<void>((resolve) => {
      this.ended = resolve;
      host.kill('exit', 'closed');
    });
  }

  private newWatches(nowMs: number): [Heartbeat, MemoryWatch] {
    const { silenceMs, lookEveryMs, healthyMs: settleMs } = this;
    return [
      new Heartbeat({ silenceMs, changeMs: CHANGE_MS, lookEveryMs }, nowMs),
      new MemoryWatch({ limitBytes: this.options.memoryBytes ?? null, settleMs }, nowMs),
    ];
  }

  private async startHost(): Promise<EngineReport> {
    this.restarts.started(performance.now());
    const host = await HostProcess.start(this.options.hostScript, {
      onFrame: (frame) => {
        this.receive(frame);
      },
      onEnd: (end) => {
        this.hostEnded(end);
      },
    });
    this.host = host;
    [this.heartbeat, this.memoryWatch] = this.newWatches(performance.now());
    this.pinger = setInterval(() => {
      this.checkHeartbeat(host);
    }, this.lookEveryMs);
    const { source, engine, threads, loneThreads = 1 } = this.options;
    const header: OpenHeader = { source, engine, threads, loneThreads };
    if (this.isClosed()) host.kill('exit', 'closed');
    const answer = await this.ask(host, 'open', header);
    if (answer.to !== 'open') throw unexpected(answer);
    const hasLoneLane = answer.loneSpeedup !== null;
    await host.lanesConnected(answer.slots + (hasLoneLane ? 1 : 0));
    this.rightAnswer ??= answer.answer;
    if (!(await this.checkHost(host))) throw new EngineError('EngineFailed', WRONG_ANSWER);
    await this.reopenCompanions(host);
    this.lanes = new Lanes();
    this.lanes.open(answer.slots, hasLoneLane);
    this.slots = answer.slots;
    this.loneSpeedup = answer.loneSpeedup;
    return answer.report;
  }

  /** Remembered once it runs: one that ends the host is not tried again after the restart. */
  private async openBeside(
    host: HostProcess,
    companion: CompanionSource,
  ): Promise<LoadedCompanion> {
    const { name } = companion;
    const before = this.companions.get(name);
    this.companions.delete(name);
    const found = await this.ask(host, 'companion', { companion });
    if (found.to !== 'companion') throw unexpected(found);
    if (before?.companion.source.path === companion.source.path) {
      if (!isSameAnswer(before.answer, found.answer)) {
        throw new EngineError('EngineFailed', `companion ${name} no longer gives its known answer`);
      }
    }
    this.companions.set(name, { companion, answer: found.answer });
    return found.loaded;
  }

  /** A companion that no longer loads leaves its exit off, never the backbone: plans that name it are refused. */
  private async reopenCompanions(host: HostProcess): Promise<void> {
    for (const { companion } of [...this.companions.values()]) {
      try {
        await this.openBeside(host, companion);
      } catch (error) {
        const why = toEngineFailure(error);
        for (const listener of this.lostListeners) listener(companion.name, why);
        if (this.host !== host) throw error;
      }
    }
  }

  private ask(
    host: HostProcess,
    kind: 'open' | 'companion' | 'prepare' | 'release' | 'check',
    header: unknown,
  ): Promise<AnswerHeader> {
    return this.calls.add(
      (id) => {
        host.send({ kind, id, header, blobs: [] });
      },
      {
        // How long the first load takes is nobody's guess; a pod has a startup deadline for it.
        sinceMs: this.status === 'Starting' ? null : this.heartbeat.atMs(performance.now()),
      },
    );
  }

  private async checkHost(host: HostProcess): Promise<boolean> {
    const { rightAnswer } = this;
    const reply = await this.ask(host, 'check', null);
    if (reply.to !== 'check' || rightAnswer === null) throw unexpected(reply);
    if (reply.answers.every((answer) => isSameAnswer(rightAnswer, answer))) return true;
    host.kill('wrong_answers', WRONG_ANSWER);
    return false;
  }

  private upHost(): HostProcess {
    if (this.status === 'Up' && this.host !== null) return this.host;
    throw new EngineError(
      'EngineDown',
      `the engine host is ${this.status}; it is restarted by itself, try again shortly`,
    );
  }

  private receive(frame: Frame): void {
    const nowMs = performance.now();
    this.heartbeat.heard(nowMs);
    if (frame.kind !== 'pong') {
      this.calls.receive(frame);
      return;
    }
    this.known = frame.header as PongHeader;
    const tooLarge = this.memoryWatch.heard(this.known.rssBytes, nowMs);
    if (tooLarge !== null && this.status === 'Up' && this.slots > 0) void this.recycle(tooLarge);
  }

  /** Takes no more batches, lets those under way end, and ends the host; another one follows. */
  private async recycle(detail: string): Promise<void> {
    const { host } = this;
    this.slots = 0;
    const untilMs = performance.now() + DRAIN_MS;
    while (!this.calls.isEmpty && performance.now() < untilMs && this.host === host) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    if (this.host === host) host?.kill('memory', detail);
  }

  private checkHeartbeat(host: HostProcess): void {
    const problem = this.heartbeat.look(performance.now(), this.calls.awaited());
    if (problem !== null) host.kill('stuck', problem);
    else host.send({ kind: 'ping', id: 0, header: null, blobs: [] });
  }

  private hostEnded(end: HostEnd): void {
    this.host = null;
    this.known = UNKNOWN_MEMORY;
    if (this.pinger !== null) clearInterval(this.pinger);
    const gone = new EngineError('EngineDown', `the engine host is gone: ${end.detail}`);
    this.lanes.close(gone);
    this.calls.rejectAll(gone);
    this.ended?.();
    if (this.status === 'Starting' || this.status === 'Closed') return;
    this.setStatus('Down', end);
    this.scheduleRestart();
  }

  private scheduleRestart(): void {
    this.restarts.schedule(performance.now(), () => void this.restart());
  }

  private async restart(): Promise<void> {
    try {
      await this.startHost();
      this.setStatus('Up', null);
    } catch (error) {
      if (this.isClosed()) return;
      if (this.host === null) this.scheduleRestart();
      else this.host.kill('exit', error instanceof Error ? error.message : 'it did not start');
    }
  }

  private isClosed(): boolean {
    return this.status === 'Closed';
  }

  private setStatus(status: EngineStatus, end: HostEnd | null): void {
    // A host that ends before it was up again is told too.
    if (this.status === status && status !== 'Down') return;
    this.status = status;
    for (const listener of this.statusListeners) listener(status, end);
  }
}

const WRONG_ANSWER = 'its backbone no longer gives its known answer';
const DRAIN_LOOK_MS = 5;

function unexpected(answer: AnswerHeader): EngineError {
  return new EngineError('EngineFailed', `the host answered with ${answer.to}`);
}
