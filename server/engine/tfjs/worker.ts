// Entry of a worker thread of the engine host: serves one TensorFlow.js engine on the wasm backend.
import { parentPort, workerData } from 'node:worker_threads';
import { connectLane } from '../host/batch-lane.ts';
import { serveWorker } from '../host/engine-worker.ts';
import type { WorkerStart } from '../host/worker-messages.ts';
import { TFJS_VERSION } from './backend.ts';
import { createTfjsEngine } from './tfjs-engine.ts';

if (parentPort !== null) {
  const { socketPath, activations } = workerData as WorkerStart;
  serveWorker(
    {
      host: parentPort,
      lane: connectLane(socketPath),
      activations: new Int32Array(activations),
    },
    {
      device: 'cpu',
      versions: { tfjs: TFJS_VERSION },
      create: (pause) => createTfjsEngine('wasm', { pause }),
    },
  );
}
