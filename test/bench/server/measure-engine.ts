import { putInForce } from '../put-in-force.ts';
import { atLeast, atMost, seen, type Figure } from '../figure.ts';
import { quantile } from '../median.ts';
import { randomResNet, RESNET_18 } from '../models.ts';
import { randomHeads } from '../random-heads.ts';
import { driveRawEngine, startRawEngine, type RawEngine } from '../raw-engine.ts';
import { serveModel, writeModel, type ServedModel } from '../served-model.ts';
import { differenceOf, medianOf, perSecond, ratioOf } from './closed-figures.ts';
import { driveClosed, inTurns, type ClosedPlan } from './drive.ts';
import { inferMessages } from './infer-messages.ts';
import { readEventLoopDelay } from './event-loop-delay.ts';
import { ROW_SHAPE, targetOf } from './layercache-target.ts';
import { seededRows } from './seeded-rows.ts';

const ROUNDS = 4;
const SECONDS = 2;
/**
 * Until the server's code is compiled, which goes by calls, not by time: main takes 0.65 ms of processor time a request at first,
 * 0.3 ms after 3,000 and 0.26 ms from 6,000 on, as it does for the rest of a server's life.
 */
const WARM_REQUESTS = 8_000;
const SECTION = 'ResNet-18, 32 x 32, 0.556 GMAC';

/** The server against the engine underneath it, and with heads in force of which none lets a row leave. */
export async function measureEngine(program: URL, workers: number): Promise<Figure[]> {
  const model = writeModel(randomResNet(RESNET_18, 1));
  const options = { program, modelPath: model.path, inputName: 'image', rowShape: ROW_SHAPE };
  const engine = await startRawEngine({ ...options, workers, passThreads: 1 });
  // What is alone may have all cores.
  const alone = await startRawEngine({ ...options, workers: 1, passThreads: workers });
  const plain = await serveModel(model.path, ROW_SHAPE);
  const withHeads = await serveModel(model.path, ROW_SHAPE);
  try {
    const heads = randomHeads(withHeads.state, {
      tensors: ['block1', 'block3', 'block5'],
      hidden: 64,
      intercept: -50,
      seed: 3,
    });
    await putInForce(withHeads, heads, 1);
    for (const served of [plain, withHeads])
      await driveClosed(targetOf(served), { ...planOf(32), requests: WARM_REQUESTS });
    const sides = { engine, plain, withHeads };
    return [
      ...(await compareAtOne({ ...sides, engine: alone })),
      ...(await compareLoaded(sides, 8)),
      ...(await compareLoaded(sides, 32)),
      ...(await compareJson(plain)),
    ];
  } finally {
    await Promise.all([plain.stop(), withHeads.stop()]);
    await Promise.all([engine.close(), alone.close()]);
    model.remove();
  }
}

interface Sides {
  readonly engine: RawEngine;
  readonly plain: ServedModel;
  readonly withHeads: ServedModel;
}

/** What one measurement says: rows per second of wall and of processor time, and a typical latency. */
interface Measured {
  readonly perSecond: number;
  readonly perProcessorSecond: number;
  readonly medianMs: number;
}

function planOf(
  concurrency: number,
  seconds = SECONDS,
  format: 'json' | 'binary' = 'binary',
): ClosedPlan {
  const messages = inferMessages({ rowShape: ROW_SHAPE, format });
  return { messages, concurrency, seconds };
}

async function served(model: ServedModel, concurrency: number): Promise<Measured> {
  const run = await driveClosed(targetOf(model), planOf(concurrency));
  return {
    perSecond: run.requests / run.wallSeconds,
    perProcessorSecond: run.requests / run.processorSeconds,
    medianMs: quantile(run.latencyMs, 0.5),
  };
}

/** As many rows under way as callers would have, spread evenly over the workers: the best that batches of them can be. */
async function raw(engine: RawEngine, concurrency: number): Promise<Measured> {
  const workers = Math.min(engine.workers, concurrency);
  const batchRows = concurrency / workers;
  const run = await driveRawEngine(engine, rawRow, { workers, batchRows, seconds: SECONDS });
  return {
    perSecond: run.rows / run.wallSeconds,
    perProcessorSecond: run.rows / run.processorSeconds,
    medianMs: quantile(run.batchMs, 0.5),
  };
}

const RAW_ROWS = seededRows(ROW_SHAPE);
const rawRow = (index: number): Float32Array =>
  RAW_ROWS[index % RAW_ROWS.length] ?? new Float32Array(0);

async function compareAtOne({ engine, plain, withHeads }: Sides): Promise<Figure[]> {
  const [raws = [], plains = [], heads = []] = await inTurns(ROUNDS, [
    () => raw(engine, 1),
    () => served(plain, 1),
    () => served(withHeads, 1),
  ]);
  const added = differenceOf(plains, raws, (server, alone) => server.medianMs - alone.medianMs);
  const section = `${SECTION}, concurrency 1`;
  return [
    seen(
      { section, name: 'engine alone, median', unit: 'ms' },
      medianOf(raws, (run) => run.medianMs),
    ),
    seen(
      { section, name: 'server, median', unit: 'ms' },
      medianOf(plains, (run) => run.medianMs),
    ),
    atMost({ section, name: 'added latency, median', unit: 'ms' }, added, 1),
    seen(
      { section, name: 'processor time per request, server / engine' },
      1 / ratioOf(plains, raws, (run) => run.perProcessorSecond),
    ),
    atLeast(
      { section, name: 'throughput per processor second, heads on / off' },
      ratioOf(heads, plains, (run) => run.perProcessorSecond),
      0.95,
    ),
  ];
}

async function compareLoaded(sides: Sides, concurrency: number): Promise<Figure[]> {
  const { engine, plain, withHeads } = sides;
  await readEventLoopDelay(plain);
  const [raws = [], plains = [], heads = []] = await inTurns(ROUNDS, [
    () => raw(engine, concurrency),
    () => served(plain, concurrency),
    () => served(withHeads, concurrency),
  ]);
  const delay = await readEventLoopDelay(plain);
  const section = `${SECTION}, concurrency ${concurrency}`;
  return [
    seen(
      { section, name: 'engine alone', unit: 'rows/s' },
      medianOf(raws, (run) => run.perSecond),
    ),
    seen(
      { section, name: 'server', unit: 'rows/s' },
      medianOf(plains, (run) => run.perSecond),
    ),
    atLeast(
      { section, name: 'throughput, server / engine (callers on the same cores)' },
      ratioOf(plains, raws, (run) => run.perSecond),
      0.95,
    ),
    seen(
      { section, name: 'throughput per processor second, server / engine' },
      ratioOf(plains, raws, (run) => run.perProcessorSecond),
    ),
    atLeast(
      { section, name: 'throughput, heads on / off' },
      ratioOf(heads, plains, (run) => run.perSecond),
      0.95,
    ),
    atMost({ section, name: 'event-loop delay of main, p99', unit: 'ms' }, delay.p99Ms, 20),
  ];
}

async function compareJson(plain: ServedModel): Promise<Figure[]> {
  const target = targetOf(plain);
  const [binary = [], json = []] = await inTurns(ROUNDS, [
    () => driveClosed(target, planOf(8, SECONDS, 'binary')),
    () => driveClosed(target, planOf(8, SECONDS, 'json')),
  ]);
  const section = `${SECTION}, concurrency 8`;
  return [
    atLeast({ section, name: 'throughput, JSON / binary' }, ratioOf(json, binary, perSecond), 0.5),
  ];
}
