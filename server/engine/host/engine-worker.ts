// One worker thread: one engine, one batch at a time; plans are prepared between batches.
import { setImmediate as turn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { createBusyClock } from '../busy-clock.ts';
import type { PlanReport } from '../engine-client.ts';
import { EngineError, toEngineFailure } from '../engine-error.ts';
import { encodeFrame } from '../frames.ts';
import type { WorkerReport } from '../protocol.ts';
import { toRowsFrame } from '../row-frames.ts';
import type { ModelDescription, SegmentEngine, SegmentPlan } from '../segment-engine.ts';
import { LoadRatio } from './batch-clock.ts';
import { loadPlan, releaseLoadedPlan, type LoadedPlan, type MeasuredPlans } from './loaded-plan.ts';
import { measureBackbone } from './measure-backbone.ts';
import { runBatch } from './run-batch.ts';
import type { WorkerReply, WorkerRequest } from './worker-messages.ts';

export interface WorkerEngine {
  readonly device: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly create: (pause: () => Promise<void>) => SegmentEngine;
}

type RunRequest = Extract<WorkerRequest, { to: 'run' }>;

interface OpenWorker {
  readonly model: ModelDescription;
  readonly whole: SegmentPlan;
}

export function serveWorker(port: MessagePort, { device, versions, create }: WorkerEngine): void {
  const plans = new Map<number, LoadedPlan>();
  const load = new LoadRatio();
  const busyMs = createBusyClock();
  const tables: MeasuredPlans = new Map();
  let open: OpenWorker | null = null;
  /** Batches run one after the other; preparing takes its steps between them. */
  let batches: Promise<unknown> = Promise.resolve();
  const engine = create(async () => {
    await turn();
    await batches;
  });

  const post = (reply: WorkerReply): void => {
    const bytes = reply.from === 'frame' ? reply.bytes : reply.frames;
    port.postMessage(reply, bytes === null ? [] : [bytes.buffer as ArrayBuffer]);
  };
  const opened = (): OpenWorker => {
    if (open === null) throw new EngineError('EngineFailed', 'the engine has not loaded a model');
    return open;
  };

  /** The frames that end the batch. */
  async function run({ id, header, input, flags }: RunRequest): Promise<Uint8Array> {
    const loaded = plans.get(header.planId);
    if (loaded === undefined) {
      throw new EngineError('PlanUnknown', `plan ${header.planId} is not loaded; prepare it again`);
    }
    const last: Buffer[] = [];
    const outcome = await runBatch(
      {
        ...opened(),
        engine,
        loaded,
        load,
        busyMs,
        emit: (answers, isLast) => {
          const bytes = encodeFrame({ kind: 'rows', id, ...toRowsFrame(answers) });
          // One message instead of two when the end follows at once: 0.1 ms per batch.
          if (isLast) last.push(bytes);
          else post({ from: 'frame', bytes });
        },
      },
      { rows: header.rows, datatype: header.datatype, input, flags },
    );
    last.push(encodeFrame({ kind: 'answer', id, header: { to: 'run', outcome }, blobs: [] }));
    return unpooled(last);
  }

  async function openModel({
    source,
    measures,
  }: Extract<WorkerRequest, { to: 'open' }>): Promise<WorkerReport> {
    const described = await engine.open(source);
    const whole = await engine.plan([]);
    const report = await measureBackbone(engine, described, measures);
    open = { model: report.model, whole };
    return { ...report, device, versions };
  }

  async function prepare(request: Extract<WorkerRequest, { to: 'prepare' }>): Promise<PlanReport> {
    const loaded = await loadPlan(
      { engine, model: opened().model, tables },
      request.plan,
      request.measured,
    );
    plans.set(request.planId, loaded);
    return { planId: request.planId, ...loaded.report };
  }

  async function release(planId: number): Promise<null> {
    const loaded = plans.get(planId);
    plans.delete(planId);
    if (loaded !== undefined) await releaseLoadedPlan(engine, loaded);
    return null;
  }

  async function runInTurn(request: RunRequest): Promise<void> {
    const done = batches.then(() => run(request));
    batches = done.catch(() => null);
    const frames = await done;
    post({ ...settled(request.job, frames), from: 'done', value: null });
  }

  async function handle(request: Exclude<WorkerRequest, RunRequest>): Promise<unknown> {
    switch (request.to) {
      case 'open':
        return openModel(request);
      case 'prepare':
        return prepare(request);
      case 'release':
        return release(request.planId);
    }
  }

  function settled(job: number, frames: Uint8Array | null) {
    return { job, frames, activations: engine.stats().activations };
  }

  async function answer(request: WorkerRequest): Promise<void> {
    const { job } = request;
    try {
      if (request.to === 'run') await runInTurn(request);
      else post({ ...settled(job, null), from: 'done', value: await handle(request) });
    } catch (error) {
      const failure = toEngineFailure(error);
      const frames =
        request.to === 'run'
          ? encodeFrame({ kind: 'failure', id: request.id, header: failure, blobs: [] })
          : null;
      post({ ...settled(job, frames), from: 'failed', ...failure });
    }
  }

  port.on('message', (request: WorkerRequest) => {
    void answer(request);
  });
}

/** Several frames as one, in memory of its own, so that it can be transferred. */
function unpooled(frames: readonly Buffer[]): Uint8Array {
  const whole = Buffer.allocUnsafeSlow(frames.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const frame of frames) offset += frame.copy(whole, offset);
  return whole;
}
