// One worker thread: one engine, one batch at a time; plans are prepared between batches.
import { setImmediate as turn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { createBusyClock } from '../busy-clock.ts';
import type { PlanReport } from '../engine-client.ts';
import { EngineError, toEngineFailure } from '../engine-error.ts';
import { encodeFrame, type Frame } from '../frames.ts';
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
    port.postMessage(reply, reply.from === 'frame' ? [reply.bytes.buffer as ArrayBuffer] : []);
  };
  const postFrame = (frame: Frame): void => {
    post({ from: 'frame', bytes: encodeFrame(frame) });
  };
  const opened = (): OpenWorker => {
    if (open === null) throw new EngineError('EngineFailed', 'the engine has not loaded a model');
    return open;
  };

  async function run({ id, header, input, flags }: RunRequest): Promise<null> {
    const loaded = plans.get(header.planId);
    if (loaded === undefined) {
      throw new EngineError('PlanUnknown', `plan ${header.planId} is not loaded; prepare it again`);
    }
    const outcome = await runBatch(
      {
        ...opened(),
        engine,
        loaded,
        load,
        busyMs,
        emit: (answers) => {
          postFrame({ kind: 'rows', id, ...toRowsFrame(answers) });
        },
      },
      { rows: header.rows, datatype: header.datatype, input, flags },
    );
    postFrame({ kind: 'answer', id, header: { to: 'run', outcome }, blobs: [] });
    return null;
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

  async function handle(request: WorkerRequest): Promise<unknown> {
    switch (request.to) {
      case 'open':
        return openModel(request);
      case 'prepare':
        return prepare(request);
      case 'release':
        return release(request.planId);
      case 'run': {
        const done = batches.then(() => run(request));
        batches = done.catch(() => null);
        return done;
      }
    }
  }

  async function answer(request: WorkerRequest): Promise<void> {
    const { job } = request;
    try {
      const value = await handle(request);
      post({ from: 'done', job, value, activations: engine.stats().activations });
    } catch (error) {
      const failure = toEngineFailure(error);
      if (request.to === 'run')
        postFrame({ kind: 'failure', id: request.id, header: failure, blobs: [] });
      post({ from: 'failed', job, ...failure, activations: engine.stats().activations });
    }
  }

  port.on('message', (request: WorkerRequest) => {
    void answer(request);
  });
}
