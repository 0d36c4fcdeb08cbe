import { fileURLToPath } from 'node:url';
import { atLeast, atMost, seen, type Figure } from '../figure.ts';
import { serveModel, writeModel, type ServedModel } from '../served-model.ts';
import {
  generatorShare,
  medianOf,
  p50,
  perSecond,
  processorMs,
  ratioOf,
} from './closed-figures.ts';
import { driveClosed, inTurns, type ClosedRun, type Target } from './drive.ts';
import { readEventLoopDelay } from './event-loop-delay.ts';
import { inferMessages } from './infer-messages.ts';
import { ROW_SHAPE, targetOf } from './layercache-target.ts';
import { startProgram, type Program } from './program.ts';
import { trivialModel } from './trivial-model.ts';

const ROUNDS = 3;
const SECONDS = 2;
const WARM_SECONDS = 4;
const SMALL_ROW = [16, 1, 1];
/** What most vision models take: 588 KiB. */
const PICTURE_ROW = [3, 224, 224];
/** Milliseconds that a small row may take of the processor. */
const MOST_MS = 0.4;

/** Models that cost nothing, so that the server is all there is: its processor time per request, and what JSON adds to it. */
export async function measureSmall(): Promise<Figure[]> {
  return [
    ...(await measurePerRequest(SMALL_ROW, [1, 8, 32])),
    ...(await measurePerRequest(PICTURE_ROW, [1, 8])),
    ...(await measureJson()),
  ];
}

type Format = 'json' | 'binary';

interface Side {
  readonly rowShape: readonly number[];
  readonly format: Format;
  readonly concurrency: number;
}

function drive(target: Target, side: Side, seconds = SECONDS): Promise<ClosedRun> {
  const { concurrency } = side;
  return driveClosed(target, {
    messages: inferMessages(side),
    concurrency,
    seconds,
  });
}

async function measurePerRequest(
  rowShape: readonly number[],
  concurrencies: readonly number[],
): Promise<Figure[]> {
  const model = writeModel(trivialModel(rowShape, 1));
  const bare = await startBareServer(model.path);
  const served = await serveModel(model.path, rowShape);
  try {
    const figures: Figure[] = [];
    const side = { rowShape, format: 'binary' } as const;
    for (const target of [bare, targetOf(served)])
      await drive(target, { ...side, concurrency: 32 }, 2 * WARM_SECONDS);
    for (const concurrency of concurrencies)
      figures.push(...(await comparePerRequest(bare, served, { ...side, concurrency })));
    return figures;
  } finally {
    await Promise.all([bare.stop(), served.stop()]);
    model.remove();
  }
}

async function comparePerRequest(
  bare: Program,
  served: ServedModel,
  side: Side,
): Promise<Figure[]> {
  const { rowShape, concurrency } = side;
  await readEventLoopDelay(served);
  const [bares = [], ours = []] = await inTurns(ROUNDS, [
    () => drive(bare, side),
    () => drive(targetOf(served), side),
  ]);
  const { p99Ms } = await readEventLoopDelay(served);
  const section = `trivial model, ${rowShape.join(' x ')} values, binary, concurrency ${concurrency}`;
  const perRequest = { section, name: 'processor time per request', unit: 'ms' };
  const cost = medianOf(ours, processorMs);
  return [
    concurrency === 8 && rowShape === SMALL_ROW
      ? atMost(perRequest, cost, MOST_MS)
      : seen(perRequest, cost),
    seen(
      { section, name: 'the same of a bare Node server, same engine', unit: 'ms' },
      medianOf(bares, processorMs),
    ),
    seen({ section, name: 'throughput', unit: 'requests/s' }, medianOf(ours, perSecond)),
    seen({ section, name: 'throughput, server / bare server' }, ratioOf(ours, bares, perSecond)),
    seen({ section, name: 'latency p50', unit: 'ms' }, medianOf(ours, p50)),
    seen({ section, name: 'latency p50 of the bare server', unit: 'ms' }, medianOf(bares, p50)),
    atMost({ section, name: 'event-loop delay of main, p99', unit: 'ms' }, p99Ms, 20),
  ];
}

async function measureJson(): Promise<Figure[]> {
  const model = writeModel(trivialModel(ROW_SHAPE, 1));
  const bare = await startBareServer(model.path);
  const served = await serveModel(model.path, ROW_SHAPE);
  const target = targetOf(served);
  try {
    const side = (format: Format): Side => ({ rowShape: ROW_SHAPE, format, concurrency: 8 });
    for (const one of [bare, target])
      for (const format of ['binary', 'json'] as const)
        await drive(one, side(format), WARM_SECONDS);
    await readEventLoopDelay(served);
    const [binary = [], json = [], bareBinary = [], bareJson = []] = await inTurns(ROUNDS, [
      () => drive(target, side('binary')),
      () => drive(target, side('json')),
      () => drive(bare, side('binary')),
      () => drive(bare, side('json')),
    ]);
    const { p99Ms } = await readEventLoopDelay(served);
    const section = 'trivial model, 32 x 32 x 3 values, concurrency 8';
    return [
      atLeast(
        { section, name: 'throughput, JSON / binary' },
        ratioOf(json, binary, perSecond),
        0.5,
      ),
      seen(
        { section, name: 'the same of a bare Node server' },
        ratioOf(bareJson, bareBinary, perSecond),
      ),
      seen(
        { section, name: 'processor time per request, binary', unit: 'ms' },
        medianOf(binary, processorMs),
      ),
      seen(
        { section, name: 'processor time per request, JSON', unit: 'ms' },
        medianOf(json, processorMs),
      ),
      seen(
        { section, name: 'processor time per request, JSON / binary' },
        ratioOf(json, binary, processorMs),
      ),
      seen(
        { section, name: 'generator, share of a core, binary' },
        medianOf(binary, generatorShare),
      ),
      seen({ section, name: 'generator, share of a core, JSON' }, medianOf(json, generatorShare)),
      seen({ section, name: 'latency p50, binary', unit: 'ms' }, medianOf(binary, p50)),
      seen({ section, name: 'latency p50, JSON', unit: 'ms' }, medianOf(json, p50)),
      atMost({ section, name: 'event-loop delay of main, p99', unit: 'ms' }, p99Ms, 20),
    ];
  } finally {
    await Promise.all([bare.stop(), served.stop()]);
    model.remove();
  }
}

function startBareServer(modelPath: string): Promise<Program> {
  const program = new URL('bare-server.mjs', import.meta.url);
  return startProgram({
    command: process.execPath,
    args: [fileURLToPath(program), modelPath],
    port: (stdout) =>
      new Promise((resolve) => {
        const timer = setInterval(() => {
          if (!stdout().includes('\n')) return;
          clearInterval(timer);
          resolve(Number(stdout()));
        }, 20);
        timer.unref();
      }),
  });
}
