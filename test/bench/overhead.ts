import { driveRawEngine, startRawEngine, type RawEngine } from './raw-engine.ts';
import { driveServer } from './closed-loop.ts';
import { atLeast, atMost, seen, type Figure } from './figure.ts';
import { mean, quantile } from './median.ts';
import { randomResNet, RESNET_18 } from './models.ts';
import { serveModel, writeModel, type ServedModel } from './served-model.ts';

const ROW_SHAPE = [3, 32, 32];
const ROUNDS = 4;

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
  const seconds = concurrency === 1 ? 2 : 3;
  const ratios: number[] = [];
  const rawMs: number[] = [];
  const servedMs: number[] = [];
  const rawBatches: number[] = [];
  const raw = async (): Promise<number> => {
    const run = await driveRawEngine(engine, rowOf, { concurrency, seconds, maxBatch: 32 });
    rawBatches.push(run.rows / run.batches);
    rawMs.push((run.wallSeconds * 1_000 * concurrency) / run.rows);
    return run.processorSeconds / run.rows;
  };
  const server = async (): Promise<number> => {
    const run = await driveServer(served, { concurrency, seconds });
    servedMs.push(quantile(run.latencyMs, 0.5));
    return run.processorSeconds / run.rows;
  };
  await raw();
  await server();
  rawMs.length = servedMs.length = rawBatches.length = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const rawFirst = round % 2 === 0;
    const first = rawFirst ? await raw() : await server();
    const second = rawFirst ? await server() : await raw();
    ratios.push(rawFirst ? first / second : second / first);
  }
  const section = `exits off, concurrency ${concurrency}`;
  const ratio = quantile(ratios, 0.5);
  const added = mean(servedMs) - mean(rawMs);
  return [
    concurrency === 8
      ? atLeast(
          { section, name: 'throughput per processor second, server / raw engine' },
          ratio,
          0.95,
        )
      : seen({ section, name: 'throughput per processor second, server / raw engine' }, ratio),
    concurrency === 1
      ? atMost({ section, name: 'added latency, median', unit: 'ms' }, added, 1)
      : seen({ section, name: 'raw engine, mean batch', unit: 'rows' }, mean(rawBatches)),
    seen({ section, name: 'latency of a row in the server, median', unit: 'ms' }, mean(servedMs)),
    seen({ section, name: 'latency of a row in the raw engine', unit: 'ms' }, mean(rawMs)),
  ];
}

function floatRows(served: ServedModel): (index: number) => Float32Array {
  return (index) => {
    const bytes = new Uint8Array(served.row(index));
    return new Float32Array(bytes.buffer);
  };
}
