// One worker thread: one engine, one batch at a time; plans are prepared between batches. Batches come over the worker's own
// connection to the server's main process, plans and models from the host's main thread.
import { setImmediate as turn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { BackboneAnswer } from '../backbone-answer.ts';
import { createBusyClock } from '../busy-clock.ts';
import type { BatchOutcome, LoadedCompanion, PlanReport } from '../engine-client.ts';
import { EngineError, toEngineFailure } from '../engine-error.ts';
import { decodeBatch, encodeDone, encodeRows } from '../batch-frames.ts';
import { encodeFrame, type Frame } from '../frames.ts';
import { InputReader } from '../input-memory.ts';
import type { WorkerReport } from '../protocol.ts';
import type { ModelDescription, SegmentEngine, SegmentPlan } from '../segment-engine.ts';
import { BusyShare, LoadRatio } from './batch-clock.ts';
import { compareThreads } from './compare-threads.ts';
import { answerFixedRow } from './fixed-row.ts';
import {
  loadPlan,
  releaseLoadedPlan,
  tableKey,
  type LoadedPlan,
  type MeasuredPlans,
} from './loaded-plan.ts';
import { measureBackbone } from './measure-backbone.ts';
import { openCompanion, type OpenCompanion } from './open-companion.ts';
import { runBatch } from './run-batch.ts';
import { slicedBy } from './time-slice.ts';
import type { WorkerReply, WorkerRequest } from './worker-messages.ts';

export interface WorkerEngine {
  readonly device: string;
  readonly versions: Readonly<Record<string, string>>;
  /** @param passThreads threads of one pass; an engine that has no such choice takes one. */
  readonly create: (pause: () => Promise<void>, passThreads: number) => SegmentEngine;
}

/** The worker's connection to the server's main process. */
export interface BatchLane {
  /** Resolves once frames can be written. */
  readonly connected: Promise<void>;
  readonly write: (bytes: Uint8Array) => void;
  readonly onFrame: (listener: (frame: Frame) => void) => void;
}

export interface WorkerPorts {
  readonly host: MessagePort;
  readonly lane: BatchLane;
  /** Two Int32 for the host's heartbeat: live activations, plans. */
  readonly counts: Int32Array;
  readonly passThreads: number;
}

interface OpenWorker {
  readonly model: ModelDescription;
  readonly whole: SegmentPlan;
  /** Of one row through the backbone; 0: another worker measures. */
  readonly plainMs: number;
}

/** What a worker found in a companion. */
export interface CompanionFinding {
  readonly loaded: LoadedCompanion;
  readonly answer: BackboneAnswer;
}

export function serveWorker(
  { host, lane, counts, passThreads }: WorkerPorts,
  { device, versions, create }: WorkerEngine,
): void {
  const plans = new Map<number, LoadedPlan>();
  const load = new LoadRatio();
  const ownMs = createBusyClock();
  // The other threads of a pass work for about as long as this one does.
  const busy = new BusyShare(() => ownMs() * passThreads);
  const tables: MeasuredPlans = new Map();
  const companions = new Map<string, OpenCompanion>();
  const inputs = new InputReader();
  /** The digest that was opened last under a name. */
  const lastOf = new Map<string, string>();
  let open: OpenWorker | null = null;
  /** Batches run one after the other; preparing takes its steps between them. */
  let batches: Promise<unknown> = Promise.resolve();
  const pause = async (): Promise<void> => {
    await turn();
    await batches;
  };
  const engine = create(pause, passThreads);

  const post = (reply: WorkerReply): void => {
    host.postMessage(reply);
  };
  const count = (): void => {
    const own = engine.stats();
    let { activations } = own;
    for (const companion of companions.values())
      activations += companion.engine.stats().activations;
    Atomics.store(counts, 0, activations);
    Atomics.store(counts, 1, own.plans);
  };
  const opened = (): OpenWorker => {
    if (open === null) throw new EngineError('EngineFailed', 'the engine has not loaded a model');
    return open;
  };

  async function run(frame: Frame): Promise<void> {
    const { id } = frame;
    const { planId, input, ...batch } = decodeBatch(frame);
    const loaded = plans.get(planId);
    if (loaded === undefined) {
      throw new EngineError('PlanUnknown', `plan ${planId} is not loaded; prepare it again`);
    }
    const last: Buffer[] = [];
    const outcome = await runBatch(
      {
        ...opened(),
        engine,
        loaded,
        load,
        busy,
        emit: (answers, isLast) => {
          const bytes = encodeRows(id, answers);
          // One write instead of two when the end follows at once.
          if (isLast) last.push(bytes);
          else lane.write(bytes);
        },
      },
      { ...batch, input: input instanceof Uint8Array ? input : inputs.read(input) },
    );
    last.push(encodeDone(id, outcome) ?? encodeFrame(outcomeFrame(id, outcome)));
    lane.write(Buffer.concat(last));
  }

  async function openModel({
    source,
    measures,
  }: Extract<WorkerRequest, { to: 'open' }>): Promise<WorkerReport> {
    await lane.connected;
    const described = await engine.open(source);
    const whole = await engine.plan([]);
    const report = await measureBackbone(engine, described, measures);
    open = { model: report.model, whole, plainMs: report.costs.plainMs[0] ?? 0 };
    // The first plan that is served mostly has no cut, and this is its table.
    if (measures) tables.set(tableKey(whole), report.costs);
    const answer = await answerFixedRow(engine, whole, described);
    return { ...report, device, versions, answer };
  }

  async function prepare(request: Extract<WorkerRequest, { to: 'prepare' }>): Promise<PlanReport> {
    const loaded = await loadPlan(
      { engine, model: opened().model, tables, companions, yieldTurn: slicedBy(pause) },
      request.plan,
      request.measured,
    );
    plans.set(request.planId, loaded);
    return { planId: request.planId, ...loaded.report };
  }

  async function openBeside({
    companion,
    measures,
  }: Extract<WorkerRequest, { to: 'companion' }>): Promise<CompanionFinding> {
    const { model: backbone, plainMs } = opened();
    const beside = { backbone, pause, measures, create: () => create(pause, passThreads) };
    const found = await openCompanion(companion, beside);
    const { model, whole, costs } = found;
    const answer = await answerFixedRow(found.engine, whole, model);
    await companions.get(model.digest)?.engine.close();
    companions.set(model.digest, found);
    await putOut(lastOf.get(companion.name) ?? model.digest, model.digest);
    lastOf.set(companion.name, model.digest);
    const { digest, format, sizeBytes, macs } = model;
    const msShare = plainMs > 0 ? (costs[0]?.runMs ?? 0) / plainMs : 0;
    return { loaded: { digest, format, sizeBytes, macs, msShare }, answer };
  }

  /** The one before under the same name goes, unless a plan still runs it. */
  async function putOut(former: string, digest: string): Promise<void> {
    const companion = companions.get(former);
    const isUsed = [...plans.values()].some(({ full }) =>
      full.companions.some((used) => used.companion === companion),
    );
    if (former === digest || companion === undefined || isUsed) return;
    companions.delete(former);
    await companion.engine.close();
  }

  async function release(planId: number): Promise<null> {
    const loaded = plans.get(planId);
    plans.delete(planId);
    if (loaded !== undefined) await releaseLoadedPlan(engine, loaded);
    return null;
  }

  async function check(): Promise<BackboneAnswer> {
    const { model, whole } = opened();
    const done = batches.then(() => answerFixedRow(engine, whole, model));
    batches = done.catch(() => null);
    return done;
  }

  async function runInTurn(frame: Frame): Promise<void> {
    const done = batches.then(() => run(frame));
    batches = done.catch(() => null);
    try {
      await done;
    } catch (error) {
      const header = toEngineFailure(error);
      lane.write(encodeFrame({ kind: 'failure', id: frame.id, header, blobs: [] }));
    } finally {
      count();
    }
  }

  async function handle(request: WorkerRequest): Promise<unknown> {
    switch (request.to) {
      case 'open':
        return openModel(request);
      case 'prepare':
        return prepare(request);
      case 'companion':
        return openBeside(request);
      case 'release':
        return release(request.planId);
      case 'check':
        return check();
      case 'compare':
        return compareThreads({ engine, ...opened() }, request.source, (pause) =>
          create(pause, request.passThreads),
        );
    }
  }

  async function answer(request: WorkerRequest): Promise<void> {
    const { job } = request;
    try {
      post({ from: 'done', job, value: await handle(request) });
    } catch (error) {
      post({ from: 'failed', job, ...toEngineFailure(error) });
    } finally {
      count();
    }
  }

  host.on('message', (request: WorkerRequest) => {
    void answer(request);
  });
  lane.onFrame((frame) => {
    if (frame.kind === 'run') void runInTurn(frame);
  });
}

function outcomeFrame(id: number, outcome: BatchOutcome): Frame {
  return { kind: 'answer', id, header: { to: 'run', outcome }, blobs: [] };
}
