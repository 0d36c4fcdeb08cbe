import { driveRawEngine, startRawEngine, type RawEngine } from './raw-engine.ts';
import { countBatches } from './batch-rows.ts';
import { driveServer } from './closed-loop.ts';
import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { mean, quantile } from './median.ts';
import { randomResNet, RESNET_18 } from './models.ts';
import { serveModel, writeModel, type ServedModel } from './served-model.ts';

const ROW_SHAPE = [3, 32, 32];
const ROUNDS = 4;
const SECONDS = 3;
/** Requests after which the server's code is compiled: before, half of its own time is the compiler's. */
const WARM_ROWS = 5_000;

/** The server with exits off against the engine underneath, both on a ResNet-18, in turns (ABBA). */
export async function measureOverhead(program: URL, workers: number): Promise<Figure[]> {
  const model = writeModel(randomResNet(RESNET_18, 1));
  const engine = await startRawEngine({
    program,
    modelPath: model.path,
    inputName: 'image',
    rowShape: ROW_SHAPE,
    workers,
  });
  const served = await serveModel(model.path, ROW_SHAPE);
  try {
    await driveServer(served, { concurrency: 32, rows: WARM_ROWS });
    const figures: Figure[] = [];
    for (const concurrency of [1, 8, 32])
      figures.push(...(await compare(engine, served, concurrency)));
    return figures;
  } finally {
    await served.stop();
    await engine.close();
    model.remove();
  }
}

async function compare(
  engine: RawEngine,
  served: ServedModel,
  concurrency: number,
): Promise<Figure[]> {
  const rowOf = floatRows(served);
  const ratios: number[] = [];
  const rawMs: number[] = [];
  const servedMs: number[] = [];
  const before = await countBatches(served);
  await driveServer(served, { concurrency, seconds: SECONDS });
  const after = await countBatches(served);
  const batchRows = (after.rows - before.rows) / (after.batches - before.batches);
  const workers = Math.min(engine.workers, concurrency);
  const raw = async (): Promise<number> => {
    const run = await driveRawEngine(engine, rowOf, { workers, batchRows, seconds: SECONDS });
    rawMs.push((run.wallSeconds * 1_000 * workers) / run.batches);
    return run.processorSeconds / run.rows;
  };
  const server = async (): Promise<number> => {
    const run = await driveServer(served, { concurrency, seconds: SECONDS });
    servedMs.push(quantile(run.latencyMs, 0.5));
    return run.processorSeconds / run.rows;
  };
  for (let round = 0; round < ROUNDS; round++) {
    const rawFirst = round % 2 === 0;
    const first = rawFirst ? await raw() : await server();
    const second = rawFirst ? await server() : await raw();
    ratios.push(rawFirst ? first / second : second / first);
  }
  const section = `exits off, concurrency ${concurrency}`;
  const ratio = quantile(ratios, 0.5);
  const throughput = { section, name: 'throughput per processor second, server / raw engine' };
  return [
    concurrency === 8 ? atLeast(throughput, ratio, 0.95) : seen(throughput, ratio),
    seen({ section, name: 'mean batch of both', unit: 'rows' }, batchRows),
    seen({ section, name: 'latency in the server, median', unit: 'ms' }, mean(servedMs)),
    seen({ section, name: 'time of a batch in the raw engine, mean', unit: 'ms' }, mean(rawMs)),
    ...(concurrency === 1
      ? [atMost({ section, name: 'added latency', unit: 'ms' }, mean(servedMs) - mean(rawMs), 1)]
      : []),
  ];
}

function floatRows(served: ServedModel): (index: number) => Float32Array {
  return (index) => {
    const bytes = new Uint8Array(served.row(index));
    return new Float32Array(bytes.buffer);
  };
}
