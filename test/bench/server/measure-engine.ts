import { availableParallelism } from 'node:os';
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
import { targetOf } from './layercache-target.ts';
import { seededRows } from './seeded-rows.ts';

const ROUNDS = 4;
const SECONDS = 2;
/**
 * Until the server's code is compiled, which goes by calls, not by time: main takes 0.65 ms of processor time a request at first,
 * 0.3 ms after 3,000 and 0.26 ms from 6,000 on, as it does for the rest of a server's life.
 */
const WARM_REQUESTS = 8_000;

interface Size {
  readonly section: string;
  readonly side: number;
}

const SMALL: Size = { section: 'ResNet-18, 32 x 32, 0.556 GMAC', side: 32 };
/** As many multiply-adds as the same network has for pictures of 224 x 224 that its first two layers make four times smaller: 1.8 G. */
const LARGE: Size = { section: 'ResNet-18, 56 x 56, 1.70 GMAC', side: 56 };

/**
 * The server against the engine underneath it, each with so many workers, and with heads in force of which none lets a row leave. With
 * fewer workers than cores, callers and `main` have cores of their own.
 */
export async function measureEngine(program: URL, workers: number): Promise<Figure[]> {
  return [
    ...(await withSides(program, workers, SMALL, async (sides) => [
      ...(await compareAtOne(sides)),
      ...(await compareLoaded(sides, 8)),
      ...(await compareLoaded(sides, 32)),
      ...(await compareJson(sides)),
    ])),
    ...(await withSides(program, workers, LARGE, async (sides) => [
      ...(await compareLoaded(sides, 8)),
      ...(await compareLoaded(sides, 32)),
    ])),
  ];
}

async function withSides(
  program: URL,
  workers: number,
  { section, side }: Size,
  measure: (sides: Sides) => Promise<Figure[]>,
): Promise<Figure[]> {
  const rowShape = [3, side, side];
  const model = writeModel(randomResNet(RESNET_18, 1, side));
  const options = { program, modelPath: model.path, inputName: 'image', rowShape };
  const engine = await startRawEngine({ ...options, workers, passThreads: 1 });
  // What is alone may have all cores.
  const alone = await startRawEngine({ ...options, workers: 1, passThreads: workers });
  const plain = await serveModel(model.path, rowShape, { engineThreads: workers });
  const withHeads = await serveModel(model.path, rowShape, { engineThreads: workers });
  try {
    const heads = randomHeads(withHeads.state, {
      tensors: ['block1', 'block3', 'block5'],
      hidden: 64,
      intercept: -50,
      seed: 3,
    });
    await putInForce(withHeads, heads, 1);
    const otherCores = availableParallelism() - workers;
    const rows = seededRows(rowShape);
    const sides = { section, rowShape, rows, engine, alone, plain, withHeads, otherCores };
    for (const served of [plain, withHeads])
      await driveClosed(targetOf(served), { ...planOf(sides, 32), requests: WARM_REQUESTS });
    return await measure(sides);
  } finally {
    await Promise.all([plain.stop(), withHeads.stop()]);
    await Promise.all([engine.close(), alone.close()]);
    model.remove();
  }
}

interface Sides {
  readonly section: string;
  readonly rowShape: readonly number[];
  readonly rows: readonly Float32Array[];
  readonly engine: RawEngine;
  /** With all its threads in one pass. */
  readonly alone: RawEngine;
  /** That no engine works on. */
  readonly otherCores: number;
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
  { rowShape }: Sides,
  concurrency: number,
  format: 'json' | 'binary' = 'binary',
): ClosedPlan {
  return { messages: inferMessages({ rowShape, format }), concurrency, seconds: SECONDS };
}

async function served(sides: Sides, model: ServedModel, concurrency: number): Promise<Measured> {
  const run = await driveClosed(targetOf(model), planOf(sides, concurrency));
  return {
    perSecond: run.requests / run.wallSeconds,
    perProcessorSecond: run.requests / run.processorSeconds,
    medianMs: quantile(run.latencyMs, 0.5),
  };
}

/** As many rows under way as callers would have, spread evenly over the workers: the best that batches of them can be. */
async function raw({ rows }: Sides, engine: RawEngine, concurrency: number): Promise<Measured> {
  const rawRow = (index: number): Float32Array => rows[index % rows.length] ?? new Float32Array(0);
  const workers = Math.min(engine.workers, concurrency);
  const batchRows = concurrency / workers;
  const run = await driveRawEngine(engine, rawRow, { workers, batchRows, seconds: SECONDS });
  return {
    perSecond: run.rows / run.wallSeconds,
    perProcessorSecond: run.rows / run.processorSeconds,
    medianMs: quantile(run.batchMs, 0.5),
  };
}

async function compareAtOne(sides: Sides): Promise<Figure[]> {
  const { alone, plain, withHeads } = sides;
  const [raws = [], plains = [], heads = []] = await inTurns(ROUNDS, [
    () => raw(sides, alone, 1),
    () => served(sides, plain, 1),
    () => served(sides, withHeads, 1),
  ]);
  const added = differenceOf(plains, raws, (server, engine) => server.medianMs - engine.medianMs);
  const section = `${sides.section}, concurrency 1`;
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
    () => raw(sides, engine, concurrency),
    () => served(sides, plain, concurrency),
    () => served(sides, withHeads, concurrency),
  ]);
  const delay = await readEventLoopDelay(plain);
  const section = `${sides.section}, concurrency ${concurrency}`;
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
      { section, name: `throughput, server / engine (${callersOn(sides.otherCores)})` },
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

function callersOn(otherCores: number): string {
  return otherCores > 0
    ? `callers and main beside it on ${otherCores} cores`
    : 'callers on the same cores';
}

async function compareJson(sides: Sides): Promise<Figure[]> {
  const target = targetOf(sides.plain);
  const [binary = [], json = []] = await inTurns(ROUNDS, [
    () => driveClosed(target, planOf(sides, 8, 'binary')),
    () => driveClosed(target, planOf(sides, 8, 'json')),
  ]);
  const section = `${sides.section}, concurrency 8`;
  return [
    atLeast({ section, name: 'throughput, JSON / binary' }, ratioOf(json, binary, perSecond), 0.5),
  ];
}
