import { parentPort, Worker, workerData } from 'node:worker_threads';

/** The engine without a server: an onnxruntime session of the whole model for each worker thread, driven in this process. */
export interface RawEngine {
  /** Resolves when the worker has run the batch. */
  run(worker: number, input: Float32Array, rows: number): Promise<void>;
  readonly workers: number;
  close(): Promise<void>;
}

interface RawBatch {
  readonly input: Float32Array;
  readonly shape: readonly number[];
}

export interface RawEngineOptions {
  /** The bundle this runs from; its worker side calls `serveRawEngine`. */
  readonly program: URL;
  readonly modelPath: string;
  readonly inputName: string;
  readonly rowShape: readonly number[];
  readonly workers: number;
  /** Of one run. */
  readonly passThreads: number;
}

export async function startRawEngine(options: RawEngineOptions): Promise<RawEngine> {
  const { modelPath, inputName, rowShape, passThreads } = options;
  const workers = Array.from(
    { length: options.workers },
    () => new Worker(options.program, { workerData: { modelPath, inputName, passThreads } }),
  );
  await Promise.all(workers.map(nextMessage));
  return {
    workers: workers.length,
    run: async (index, input, rows) => {
      const worker = workers[index];
      if (worker === undefined) throw new RangeError(`there is no worker ${index}`);
      const batch: RawBatch = { input, shape: [rows, ...rowShape] };
      const done = nextMessage(worker);
      worker.postMessage(batch);
      await done;
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function nextMessage(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', () => {
      worker.off('error', reject);
      resolve();
    });
  });
}

type RawSession = Pick<RawEngineOptions, 'modelPath' | 'inputName' | 'passThreads'>;

/** The worker's side. */
export async function serveRawEngine(): Promise<void> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const { modelPath, inputName, passThreads } = workerData as RawSession;
  const session = await InferenceSession.create(modelPath, {
    intraOpNumThreads: passThreads,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  parentPort?.postMessage('ready');
  parentPort?.on('message', (batch: RawBatch) => {
    const feeds = { [inputName]: new Tensor('float32', batch.input, [...batch.shape]) };
    void session.run(feeds).then(() => parentPort?.postMessage('done'));
  });
}

export interface RawRun {
  readonly rows: number;
  readonly batches: number;
  /** Of each batch, handing it over and back included. */
  readonly batchMs: readonly number[];
  readonly wallSeconds: number;
  readonly processorSeconds: number;
}

/**
 * Runs batches on `workers` of the engine for a time. `batchRows` is a mean: sizes alternate between the whole numbers around it.
 */
export async function driveRawEngine(
  engine: RawEngine,
  rowSource: (index: number) => Float32Array,
  plan: { readonly workers: number; readonly batchRows: number; readonly seconds: number },
): Promise<RawRun> {
  let rows = 0;
  let batches = 0;
  const batchMs: number[] = [];
  const start = performance.now();
  const startUsage = process.cpuUsage();
  const work = async (worker: number): Promise<void> => {
    while (performance.now() - start < plan.seconds * 1_000) {
      batches += 1;
      const size = Math.max(
        1,
        Math.floor(batches * plan.batchRows) - Math.floor((batches - 1) * plan.batchRows),
      );
      const input = gatherRows(rowSource, rows, size);
      const startedMs = performance.now();
      await engine.run(worker, input, size);
      batchMs.push(performance.now() - startedMs);
      rows += size;
    }
  };
  await Promise.all(Array.from({ length: plan.workers }, (_, worker) => work(worker)));
  const usage = process.cpuUsage(startUsage);
  return {
    rows,
    batches,
    batchMs,
    wallSeconds: (performance.now() - start) / 1_000,
    processorSeconds: (usage.user + usage.system) / 1e6,
  };
}

function gatherRows(
  rowSource: (index: number) => Float32Array,
  first: number,
  size: number,
): Float32Array {
  const row = rowSource(first);
  const input = new Float32Array(size * row.length);
  for (let i = 0; i < size; i++) input.set(rowSource(first + i), i * row.length);
  return input;
}
