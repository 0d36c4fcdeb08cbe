import { parentPort, workerData } from 'node:worker_threads';
import { connectLane } from './batch-lane.ts';
import { serveWorker, type WorkerEngine } from './engine-worker.ts';
import type { WorkerStart } from './worker-messages.ts';

/** What the entry of every engine's worker thread does; nothing outside a worker thread. */
export function serveThread(engine: WorkerEngine): void {
  if (parentPort === null) return;
  const { socketPath, counts, passThreads } = workerData as WorkerStart;
  serveWorker(
    {
      host: parentPort,
      lane: connectLane(socketPath),
      counts: new Int32Array(counts),
      passThreads,
    },
    engine,
  );
}
