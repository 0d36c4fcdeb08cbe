// The host's main thread: models and plans for the workers, heartbeats answered. It never runs a model itself, and batches go
// from the server's main process to a worker directly.
import { availableParallelism } from 'node:os';
import { isSameAnswer, type BackboneAnswer } from '../backbone-answer.ts';
import type { CompanionSource, EnginePlan, EngineReport, PlanReport } from '../engine-client.ts';
import { EngineError, toEngineFailure } from '../engine-error.ts';
import { encodeFrame, type Frame } from '../frames.ts';
import type {
  AnswerHeader,
  CompanionHeader,
  OpenHeader,
  PrepareHeader,
  ReleaseHeader,
  WorkerReport,
} from '../protocol.ts';
import { readsModel, selectEngine, type EngineKind } from '../select.ts';
import type { CompanionFinding } from './engine-worker.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** More of a row's time must go, or answering it sooner is not worth a further copy of the model in memory. */
const WORTH_A_COPY = 0.85;

export type HostedWorker = Pick<WorkerHandle, 'ask' | 'activations' | 'plans'>;

export interface HostSurroundings {
  readonly write: (bytes: Uint8Array) => void;
  readonly startWorker: (kind: EngineKind, passThreads: number) => HostedWorker;
}

export class EngineHost {
  private readonly surroundings: HostSurroundings;
  private workers: readonly HostedWorker[] = [];
  private kind: EngineKind | null = null;
  private nextPlanId = 1;
  /** Opening, preparing and releasing go one after the other. */
  private changes: Promise<unknown> = Promise.resolve();

  constructor(surroundings: HostSurroundings) {
    this.surroundings = surroundings;
  }

  receive(frame: Frame): void {
    if (frame.kind === 'ping') {
      const rssBytes = process.memoryUsage.rss();
      this.reply(frame, 'pong', { rssBytes, ...this.counts() });
    } else this.change(frame);
  }

  private counts(): { readonly activations: number; readonly plans: number } {
    const total = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0);
    return {
      activations: total(this.workers.map(({ activations }) => activations)),
      plans: total(this.workers.map(({ plans }) => plans)),
    };
  }

  private reply(frame: Frame, kind: 'answer' | 'failure' | 'pong', header: unknown): void {
    this.surroundings.write(encodeFrame({ kind, id: frame.id, header, blobs: [] }));
  }

  private change(frame: Frame): void {
    this.changes = this.changes
      .then(() => this.handle(frame))
      .then(
        (answer) => {
          this.reply(frame, 'answer', answer);
        },
        (error: unknown) => {
          this.reply(frame, 'failure', toEngineFailure(error));
        },
      );
  }

  private async handle(frame: Frame): Promise<AnswerHeader> {
    if (frame.kind === 'open') return this.open(frame.header as OpenHeader);
    if (frame.kind === 'prepare') {
      return { to: 'prepare', report: await this.prepare((frame.header as PrepareHeader).plan) };
    }
    if (frame.kind === 'companion') {
      return this.openCompanion((frame.header as CompanionHeader).companion);
    }
    if (frame.kind === 'release') {
      const { planId } = frame.header as ReleaseHeader;
      await Promise.all(this.workers.map((worker) => worker.ask({ to: 'release', planId })));
      return { to: 'release' };
    }
    if (frame.kind === 'check') return { to: 'check', answers: await this.check() };
    throw new EngineError('EngineFailed', `the host does not take ${frame.kind}`);
  }

  private async open(header: OpenHeader): Promise<AnswerHeader> {
    const selected = selectEngine(header.engine, header.source);
    this.kind = selected.kind;
    const threads = Math.max(1, header.threads > 0 ? header.threads : availableParallelism());
    this.workers = Array.from({ length: threads }, () =>
      this.surroundings.startWorker(selected.kind, 1),
    );
    const { source } = header;
    const [first, ...others] = this.workers;
    if (first === undefined) throw new EngineError('EngineFailed', 'no worker was started');
    // The first measures while the others are quiet.
    const measured = (await first.ask({ to: 'open', source, measures: true })) as WorkerReport;
    await Promise.all(others.map((worker) => worker.ask({ to: 'open', source, measures: false })));
    const lone = await this.startLoneWorker(first, selected.kind, header);
    if (lone !== null) this.workers = [...this.workers, lone.worker];
    const report: EngineReport = {
      model: measured.model,
      engine: {
        kind: selected.kind,
        device: measured.device,
        threads,
        versions: measured.versions,
        skipped: selected.skipped,
      },
      headCost: measured.headCost,
      costs: measured.costs,
    };
    const loneSpeedup = lone?.speedup ?? null;
    return { to: 'open', report, slots: threads, loneSpeedup, answer: measured.answer };
  }

  /** Started last: its lane is behind those of the others. Null: not wanted, or no sooner with what it would run. */
  private async startLoneWorker(
    first: HostedWorker,
    kind: EngineKind,
    { source, loneThreads }: OpenHeader,
  ): Promise<{ readonly worker: HostedWorker; readonly speedup: number } | null> {
    if (kind !== 'onnx' || loneThreads < 2) return null;
    const left = Number(await first.ask({ to: 'compare', source, passThreads: loneThreads }));
    if (left > WORTH_A_COPY) return null;
    const worker = this.surroundings.startWorker(kind, loneThreads);
    await worker.ask({ to: 'open', source, measures: false });
    return { worker, speedup: 1 / left };
  }

  /** In every worker; the first measures while the others go on serving. */
  private async openCompanion(companion: CompanionSource): Promise<AnswerHeader> {
    const { name, source } = companion;
    if (this.kind === null || !readsModel(this.kind, source)) {
      throw new EngineError(
        'CompanionMismatch',
        `exits[${name}].model ${source.path} is nothing that engine ${this.kind ?? 'none'} reads, which runs the backbone: convert it to the format of the backbone`,
      );
    }
    const findings: CompanionFinding[] = [];
    for (const worker of this.workers) {
      const measures = findings.length === 0;
      const found = await worker.ask({ to: 'companion', companion, measures });
      findings.push(found as CompanionFinding);
    }
    const [first] = findings;
    if (first === undefined) throw new EngineError('EngineFailed', 'no worker is there');
    if (findings.some(({ answer }) => !isSameAnswer(first.answer, answer))) {
      throw new EngineError(
        'EngineFailed',
        `exits[${name}].model answers one row differently from one worker to another: it is not used`,
      );
    }
    return { to: 'companion', ...first };
  }

  private async check(): Promise<readonly BackboneAnswer[]> {
    const answers = this.workers.map((worker) => worker.ask({ to: 'check' }));
    return (await Promise.all(answers)) as BackboneAnswer[];
  }

  private async prepare(plan: EnginePlan): Promise<PlanReport> {
    const planId = this.nextPlanId;
    this.nextPlanId += 1;
    let measured: PlanReport | null = null;
    try {
      // One after the other: the others go on serving.
      for (const worker of this.workers) {
        const report = (await worker.ask({ to: 'prepare', planId, plan, measured })) as PlanReport;
        measured ??= report;
      }
    } catch (error) {
      await Promise.all(this.workers.map((worker) => worker.ask({ to: 'release', planId })));
      throw error;
    }
    if (measured === null) throw new EngineError('EngineFailed', 'no worker is there to prepare');
    return measured;
  }
}
